//! LiteLLM's proxy: shapes marks for the provider behind it by itself.

use super::{Accepts, Marks, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "litellm",
    // It converts and strips marks per provider: LiteLLM 1.109.1, docs.litellm.ai (read 2026-10).
    dialects: &[
        // What is behind it is Claude, so the marks are made legal for Claude.
        (Dialect::Messages, Accepts { marks: Marks::Blocks, ..Accepts::ANYTHING }),
        (Dialect::Chat, Accepts::ANYTHING),
        (Dialect::Responses, Accepts::ANYTHING),
    ],
    for_model: same_for_every_model,
    min_tokens: |_| 1024,
    lifetime_seconds: |_| 300,
    usage: Usage::Relay,
};
