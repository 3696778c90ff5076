//! MiniMax.

use super::{Accepts, Marks, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "minimax",
    // Marks on the Anthropic endpoint; neither a ttl nor a top-level mark is documented.
    // platform.minimax.io, prompt caching (read 2026-10).
    dialects: &[
        (Dialect::Messages, Accepts { marks: Marks::Blocks, ..Accepts::NOTHING }),
        (Dialect::Chat, Accepts { usage_option: true, ..Accepts::NOTHING }),
    ],
    for_model: same_for_every_model,
    min_tokens: |_| 512,
    // Renewed by each use; same page.
    lifetime_seconds: |_| 300,
    usage: Usage::Standard,
};
