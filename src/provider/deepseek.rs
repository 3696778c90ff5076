//! DeepSeek.

use super::{Accepts, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "deepseek",
    // Automatic caching on disk. `prompt_cache_key` is taken and ignored (liliMozi/openhanako#2494);
    // whether marks are is not known, so they are stripped.
    dialects: &[(
        Dialect::Chat,
        Accepts { cache_key: true, usage_option: true, ..Accepts::NOTHING },
    )],
    for_model: same_for_every_model,
    min_tokens: |_| 0,
    // "Hours to days", best effort: https://api-docs.deepseek.com/guides/kv_cache (read 2026-10).
    lifetime_seconds: |_| 3600,
    // `prompt_cache_hit_tokens` and `prompt_cache_miss_tokens`, inclusive.
    usage: Usage::Standard,
};
