//! xAI.

use super::{Accepts, Key, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "xai",
    // Automatic, per server: chat is steered by the header `x-grok-conv-id`, responses by
    // `prompt_cache_key`, which chat takes too though undocumented (genkit-ai/genkit#6036).
    // https://docs.x.ai/developers/advanced-api-usage/prompt-caching (read 2026-10).
    dialects: &[
        (Dialect::Chat, Accepts { key: Key::Header("x-grok-conv-id"), ..ACCEPTS }),
        (Dialect::Responses, Accepts { key: Key::Field, ..ACCEPTS }),
    ],
    for_model: same_for_every_model,
    min_tokens: |_| 0,
    // Evicted at any time; five to ten minutes is what holds in practice.
    lifetime_seconds: |_| 600,
    // Chat's `completion_tokens` leaves reasoning out (@ai-sdk/xai 3.0.138).
    usage: Usage::ReasoningApart,
};

const ACCEPTS: Accepts = Accepts { cache_key: true, usage_option: true, ..Accepts::NOTHING };
