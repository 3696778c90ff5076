//! Together.

use super::{Accepts, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "together",
    // Automatic, no knob documented: docs.together.ai, prompt caching (read 2026-10).
    dialects: &[(Dialect::Chat, Accepts { usage_option: true, ..Accepts::NOTHING })],
    for_model: same_for_every_model,
    min_tokens: |_| 0,
    lifetime_seconds: |_| 600,
    usage: Usage::Standard,
};
