//! Claude on Microsoft Foundry.

use super::{Accepts, Profile, Usage, anthropic, claude, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "foundry",
    // All marks as Anthropic's (https://platform.claude.com/docs/en/build-with-claude/claude-in-microsoft-foundry,
    // read 2026-08). LiteLLM 1.109.1 strips `scope` from the body, so it counts as unknown.
    dialects: &[(Dialect::Messages, Accepts { scope: false, ..anthropic::ACCEPTS })],
    for_model: same_for_every_model,
    min_tokens: claude::min_tokens,
    lifetime_seconds: |_| 300,
    usage: Usage::Standard,
};
