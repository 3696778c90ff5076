//! Concentrate.

use super::{Accepts, Marks, Profile, Usage, claude, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "concentrate",
    // Marks on the messages of a responses input, 5m or 1h: concentrate.ai/docs, prompt caching (read
    // 2026-10). Other members are not known.
    dialects: &[(
        Dialect::Responses,
        Accepts { marks: Marks::Items, ttl_1h: true, ..Accepts::NOTHING },
    )],
    for_model: same_for_every_model,
    min_tokens: claude::min_tokens,
    lifetime_seconds: |_| 300,
    usage: Usage::Relay,
};
