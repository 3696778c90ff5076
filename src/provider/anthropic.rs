//! Anthropic's own API, and the Claude Platform on AWS.

use super::{Accepts, Marks, Profile, Usage, claude, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "anthropic",
    // Block marks, a top-level mark and ttl "1h" everywhere, no beta header needed; `scope` with
    // prompt-caching-scope-2026-01-05; any other top-level member is a 400.
    // https://platform.claude.com/docs/en/build-with-claude/prompt-caching (read 2026-08-22);
    // `prompt_cache_key: Extra inputs are not permitted`: BerriAI/litellm#14365.
    dialects: &[(Dialect::Messages, ACCEPTS)],
    for_model: same_for_every_model,
    min_tokens: claude::min_tokens,
    // "5m" from the start of a request, renewed by each use; same page.
    lifetime_seconds: |_| 300,
    usage: Usage::Standard,
};

pub(super) const ACCEPTS: Accepts = Accepts {
    marks: Marks::Blocks,
    top_level_mark: true,
    ttl_1h: true,
    scope: true,
    ..Accepts::NOTHING
};
