//! OpenAI.

use super::{Accepts, Key, Profile, Usage, gpt};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "openai",
    // `cache_control` is an unknown parameter, a 400 (decolua/9router#2497); `prompt_cache_key` on all
    // models. https://developers.openai.com/api/docs/guides/prompt-caching (read 2026-09-20).
    dialects: &[(Dialect::Chat, ACCEPTS), (Dialect::Responses, ACCEPTS)],
    for_model: gpt::accepts,
    min_tokens: |_| 1024,
    lifetime_seconds: gpt::lifetime_seconds,
    usage: Usage::Standard,
};

pub(super) const ACCEPTS: Accepts =
    Accepts { cache_key: true, usage_option: true, key: Key::Field, ..Accepts::NOTHING };
