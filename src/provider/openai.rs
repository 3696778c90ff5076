//! OpenAI.

use super::{Accepts, Key, Profile, Usage, gpt};
use crate::dialect::Dialect;
use crate::prompt::Ttl;

pub(super) static PROFILE: Profile = Profile {
    name: "openai",
    // `cache_control` is an unknown parameter, a 400 (decolua/9router#2497); `prompt_cache_key` on all
    // models. https://developers.openai.com/api/docs/guides/prompt-caching (read 2026-09-20).
    // Twelve hours in responses alone: openai-python 3.51.0 types.
    dialects: &[
        (Dialect::Chat, ACCEPTS),
        (
            Dialect::Responses,
            Accepts { cache_ttls: &[Ttl::ThirtyMinutes, Ttl::TwelveHours], ..ACCEPTS },
        ),
    ],
    for_model: gpt::accepts,
    min_tokens: |_| 1024,
    lifetime_seconds: gpt::lifetime_seconds,
    usage: Usage::Standard,
};

pub(super) const ACCEPTS: Accepts = Accepts {
    cache_key: true,
    cache_ttls: &[Ttl::ThirtyMinutes],
    usage_option: true,
    key: Key::Field,
    ..Accepts::NOTHING
};
