//! Mistral.

use super::{Accepts, Key, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "mistral",
    // `prompt_cache_key` alone; any unknown member is a 422 (nomtek/mistralai_client_dart#44), and
    // usage comes with the last chunk unasked. docs.mistral.ai, prompt caching (read 2026-10).
    dialects: &[(Dialect::Chat, Accepts { cache_key: true, key: Key::Field, ..Accepts::NOTHING })],
    for_model: same_for_every_model,
    min_tokens: |_| 0,
    lifetime_seconds: |_| 600,
    usage: Usage::Standard,
};
