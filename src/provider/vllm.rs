//! vLLM, self-hosted.

use super::{Accepts, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "vllm",
    // Automatic prefix cache; unknown members are ignored with a warning (vllm entrypoints/openai,
    // `extra="allow"`, read 2026-10).
    dialects: &[
        (Dialect::Messages, Accepts::ANYTHING),
        (Dialect::Chat, Accepts::ANYTHING),
        (Dialect::Responses, Accepts::ANYTHING),
    ],
    for_model: same_for_every_model,
    min_tokens: |_| 0,
    // Until evicted; an hour is what a busy replica keeps.
    lifetime_seconds: |_| 3600,
    // Counts only with the server's flag for it; without, they are unknown.
    usage: Usage::Standard,
};
