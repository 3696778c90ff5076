//! Requesty.

use super::{Accepts, Marks, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "requesty",
    // Marks on content parts, ttl for Anthropic and Vertex: docs.requesty.ai, auto caching (read
    // 2026-10). Other members are not known.
    dialects: &[(
        Dialect::Chat,
        Accepts { marks: Marks::Parts, ttl_1h: true, usage_option: true, ..Accepts::NOTHING },
    )],
    for_model: same_for_every_model,
    min_tokens: |_| 1024,
    lifetime_seconds: |_| 300,
    // Writes as `caching_tokens`.
    usage: Usage::Relay,
};
