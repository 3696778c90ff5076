//! Fireworks.

use super::{Accepts, Key, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "fireworks",
    // Automatic, per replica, steered by `x-session-affinity` or `prompt_cache_key`; a mark in chat is
    // a 400 (musistudio/claude-code-router#377), on the Anthropic endpoint one on the last tool was
    // (earendil-works/pi#3498). docs.fireworks.ai, prompt caching (read 2026-10).
    dialects: &[
        (Dialect::Chat, Accepts { cache_key: true, usage_option: true, ..ACCEPTS }),
        (Dialect::Messages, ACCEPTS),
    ],
    for_model: same_for_every_model,
    min_tokens: |_| 0,
    lifetime_seconds: |_| 600,
    usage: Usage::Standard,
};

const ACCEPTS: Accepts = Accepts { key: Key::Header("x-session-affinity"), ..Accepts::NOTHING };
