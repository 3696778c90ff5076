//! Cerebras.

use super::{Accepts, Key, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "cerebras",
    // Automatic, for a whole organisation; nothing needs to be sent
    // (https://inference-docs.cerebras.ai/capabilities/prompt-caching, read 2026-11).
    // `prompt_cache_key` and `stream_options` are in the types of cerebras-cloud-sdk 1.91.0 (PyPI, read
    // 2026-11), marks are not, and unknown members are refused (code-yeongyu/oh-my-openagent#321).
    dialects: &[(
        Dialect::Chat,
        Accepts { cache_key: true, usage_option: true, key: Key::Field, ..Accepts::NOTHING },
    )],
    for_model: same_for_every_model,
    // Blocks of 128 tokens; an older form of the page has 100 to 600.
    min_tokens: |_| 128,
    // At least five minutes, up to an hour; same page.
    lifetime_seconds: |_| 300,
    // `cached_tokens` in the details, inclusive; same types.
    usage: Usage::Standard,
};
