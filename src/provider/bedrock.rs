//! Claude on Amazon Bedrock's runtime, reached in the messages dialect.

use super::claude::Claude;
use super::{Accepts, Profile, Usage, anthropic, claude};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "bedrock",
    // Block marks as Anthropic's; a top-level mark and `scope` are a 400.
    // https://platform.claude.com/docs/en/build-with-claude/prompt-caching (read 2026-08-22),
    // BerriAI/litellm#26320.
    dialects: &[(
        Dialect::Messages,
        Accepts { top_level_mark: false, scope: false, ..anthropic::ACCEPTS },
    )],
    for_model,
    min_tokens: claude::min_tokens,
    lifetime_seconds: |_| 300,
    usage: Usage::Standard,
};

/// `ttl` is a 400 on models before 4.5 (BerriAI/litellm#15880). For Opus 4.6 the AWS user guide
/// (read 2026-05-16) has five minutes only, other pages an hour: five minutes.
fn for_model(model: &str, accepts: Accepts) -> Accepts {
    let ttl_1h = Claude::parse(model).is_some_and(|claude| {
        claude.from(4, 5) && (claude.family, claude.version) != ("opus", (4, 6))
    });
    Accepts { ttl_1h, ..accepts }
}
