//! Moonshot (Kimi).

use super::{Accepts, Key, Marks, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;
use crate::prompt::Ttl;

pub(super) static PROFILE: Profile = Profile {
    name: "moonshot",
    // https://platform.kimi.ai, context caching (read 2026-10). Chat: `prompt_cache_key` and
    // `prompt_cache_options`, a breakpoint is a 400. Messages: the top-level mark alone is honoured;
    // Significant-Gravitas/AutoGPT#12882 has block marks working too, the top-level one works for all.
    dialects: &[
        (
            Dialect::Chat,
            Accepts {
                cache_key: true,
                cache_options: true,
                cache_ttls: &[Ttl::FiveMinutes, Ttl::OneHour],
                usage_option: true,
                key: Key::Field,
                ..Accepts::NOTHING
            },
        ),
        (
            Dialect::Messages,
            Accepts { marks: Marks::Top, top_level_mark: true, ttl_1h: true, ..Accepts::NOTHING },
        ),
    ],
    for_model: same_for_every_model,
    // Chunks of 256 tokens, as seen from outside.
    min_tokens: |_| 256,
    lifetime_seconds: |_| 300,
    // `cached_tokens` beside or inside the details; streams may carry usage in `choices[0]`.
    usage: Usage::Standard,
};
