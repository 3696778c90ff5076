//! Google Gemini's OpenAI-compatible endpoint.

use super::{Accepts, Profile, Usage, same_for_every_model};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "gemini",
    // Implicit caching, nothing to send; every member about caching is an unknown name, a 400
    // (leookun/cursor-byok#112, liliMozi/openhanako#2494).
    dialects: &[(Dialect::Chat, Accepts { usage_option: true, ..Accepts::NOTHING })],
    for_model: same_for_every_model,
    // https://ai.google.dev/gemini-api/docs/caching: 2048 for 2.5 (2026-07), 4096 for 3.x.
    min_tokens: |_| 2048,
    // Not documented; entries are seen to live for minutes.
    lifetime_seconds: |_| 300,
    // `completion_tokens` leaves thinking out, the total has it (openai/openai-python#2544).
    usage: Usage::CompletionFromTotal,
};
