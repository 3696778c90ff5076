//! Claude on Google's Vertex AI.

use super::claude::Claude;
use super::{Accepts, Profile, Usage, anthropic, claude};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "vertex",
    // Sources disagree about a top-level mark: Anthropic's page lists it (read 2026-08-22), RouterHub
    // and vercel/ai#13986 report a 400. A block mark works for all, so it is expanded.
    // `scope` is a 400 (maximhq/bifrost#1558).
    dialects: &[(
        Dialect::Messages,
        Accepts { top_level_mark: false, scope: false, ..anthropic::ACCEPTS },
    )],
    for_model,
    min_tokens: claude::min_tokens,
    lifetime_seconds: |_| 300,
    usage: Usage::Standard,
};

/// `ttl` was a 400 on every model in 2025-10 and still is on old ones (tghamm/Anthropic.SDK#165).
fn for_model(model: &str, accepts: Accepts) -> Accepts {
    let ttl_1h = Claude::parse(model).is_some_and(|claude| claude.from(4, 5));
    Accepts { ttl_1h, ..accepts }
}
