//! RouterHub.

use super::{Accepts, Key, Marks, Profile, Usage, claude, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "routerhub",
    // Messages: block marks go to Claude, a top-level one is not used, so it is expanded. Chat: marks
    // have no effect; `prompt_cache_key` and `prompt_cache_retention` pass. RouterHub's prompt
    // caching page (read 2026-10).
    dialects: &[
        (Dialect::Messages, Accepts { marks: Marks::Blocks, ttl_1h: true, ..Accepts::NOTHING }),
        (
            Dialect::Chat,
            Accepts {
                marks: Marks::Ignored,
                top_level_mark: true,
                cache_key: true,
                cache_retention: true,
                usage_option: true,
                key: Key::Field,
                ..Accepts::NOTHING
            },
        ),
    ],
    for_model: same_for_every_model,
    min_tokens: claude::min_tokens,
    lifetime_seconds: |_| 300,
    // Chat hides the writes inside of `prompt_tokens`.
    usage: Usage::Relay,
};
