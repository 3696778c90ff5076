//! z.ai (GLM).

use super::{Accepts, Marks, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "zai",
    // Automatic; marks are taken and ignored. https://docs.z.ai/guides/capabilities/cache (read
    // 2026-10). Other members are not known.
    dialects: &[(
        Dialect::Chat,
        Accepts {
            marks: Marks::Ignored,
            top_level_mark: true,
            usage_option: true,
            ..Accepts::NOTHING
        },
    )],
    for_model: same_for_every_model,
    min_tokens: |_| 0,
    lifetime_seconds: |_| 600,
    usage: Usage::Standard,
};
