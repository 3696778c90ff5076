//! Claude on Amazon Bedrock's mantle endpoint, which takes Anthropic's own bodies.

use super::{Accepts, Profile, Usage, anthropic, claude, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "bedrock_mantle",
    // All marks as Anthropic's, but no beta headers, so no `scope`.
    // https://platform.claude.com/docs/en/build-with-claude/claude-in-amazon-bedrock (read 2026-08);
    // LiteLLM 1.109.1 drops the scope beta here too.
    dialects: &[(Dialect::Messages, Accepts { scope: false, ..anthropic::ACCEPTS })],
    for_model: same_for_every_model,
    min_tokens: claude::min_tokens,
    lifetime_seconds: |_| 300,
    usage: Usage::Standard,
};
