//! Groq.

use super::{Accepts, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "groq",
    // Automatic; every unknown property is a 400, `prompt_cache_key` included
    // (eigent-ai/eigent#1827). https://console.groq.com/docs/prompt-caching (read 2026-10).
    dialects: &[
        (Dialect::Chat, Accepts { usage_option: true, ..Accepts::NOTHING }),
        (Dialect::Responses, Accepts::NOTHING),
    ],
    for_model: same_for_every_model,
    min_tokens: |_| 0,
    // Two hours without use; same page.
    lifetime_seconds: |_| 7200,
    usage: Usage::Standard,
};
