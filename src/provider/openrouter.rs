//! OpenRouter.

use super::{Accepts, Key, Marks, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "openrouter",
    // Marks on text parts and tools, ttl passed to Claude, a top-level mark routes to Anthropic alone;
    // `prompt_cache_key` also steers. openrouter.ai/docs, prompt caching (read 2026-10), openrouter
    // 1.3.84 types. `prompt_cache_options` depends on the model behind, so it counts as unknown.
    dialects: &[
        (Dialect::Chat, Accepts { usage_option: true, ..ACCEPTS }),
        (Dialect::Messages, Accepts { marks: Marks::Blocks, ..ACCEPTS }),
        (Dialect::Responses, Accepts { marks: Marks::Text, ..ACCEPTS }),
    ],
    for_model: same_for_every_model,
    min_tokens: |_| 1024,
    // A sticky route lives ten idle minutes, the entry behind it five; same page.
    lifetime_seconds: |_| 300,
    usage: Usage::Relay,
};

const ACCEPTS: Accepts = Accepts {
    marks: Marks::TextAndTools,
    top_level_mark: true,
    ttl_1h: true,
    cache_key: true,
    key: Key::Field,
    ..Accepts::NOTHING
};
