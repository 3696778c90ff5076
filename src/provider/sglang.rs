//! SGLang, self-hosted.

use super::{Accepts, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "sglang",
    // Automatic prefix cache; unknown members are ignored (sglang 0.5.23 srt/entrypoints).
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
