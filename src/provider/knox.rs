//! Knox Chat.

use super::{Accepts, Marks, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "knox",
    // Marks on text parts only, four of them, five minutes: Knox's prompt caching page (read
    // 2026-10). Other members are not known.
    dialects: &[(
        Dialect::Chat,
        Accepts { marks: Marks::Text, usage_option: true, ..Accepts::NOTHING },
    )],
    for_model: same_for_every_model,
    min_tokens: |_| 1024,
    lifetime_seconds: |_| 300,
    usage: Usage::Relay,
};
