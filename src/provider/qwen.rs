//! Alibaba's Qwen (Model Studio, compatible mode).

use super::{Accepts, Marks, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "qwen",
    // Marks on content parts only, five minutes only; one on a message is ignored
    // (agentscope-ai/agentscope-java#1363). alibabacloud.com, context cache (read 2026-10-11).
    dialects: &[
        (Dialect::Chat, Accepts { marks: Marks::Parts, usage_option: true, ..Accepts::NOTHING }),
        (Dialect::Messages, Accepts { marks: Marks::Blocks, ..Accepts::NOTHING }),
    ],
    for_model: same_for_every_model,
    min_tokens: |_| 1024,
    lifetime_seconds: |_| 300,
    // Writes as `cache_creation_input_tokens` in the details, inclusive.
    usage: Usage::Standard,
};
