//! LiteLLM's proxy: shapes marks for the provider behind it by itself.

use super::{Accepts, Marks, Profile, Usage, gpt, openai};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "litellm",
    // It converts and strips marks per provider: LiteLLM 1.109.1, docs.litellm.ai (read 2026-10).
    dialects: &[
        // What is behind it is Claude, so the marks are made legal for Claude.
        (Dialect::Messages, Accepts { marks: Marks::Blocks, ..Accepts::ANYTHING }),
        (Dialect::Chat, Accepts::ANYTHING),
        (Dialect::Responses, Accepts::ANYTHING),
    ],
    for_model,
    min_tokens: |_| 1024,
    lifetime_seconds: |_| 300,
    usage: Usage::Relay,
};

/// In OpenAI's dialects a model of OpenAI's gets what OpenAI takes. Claude gets marks where relays
/// of it take them, made legal: more than four, or an hour behind five minutes, come back as a 400
/// (BerriAI/litellm#33886). Other models get what the client sent.
pub(super) fn for_model(model: &str, accepts: Accepts) -> Accepts {
    if accepts.marks != Marks::Ignored {
        accepts
    } else if gpt::is_openai(model) {
        gpt::accepts(model, openai::ACCEPTS)
    } else if model.contains("claude") {
        Accepts { marks: Marks::TextAndTools, ..accepts }
    } else {
        accepts
    }
}
