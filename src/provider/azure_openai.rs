//! Azure OpenAI, and the other models of the same resource.

use super::{Accepts, Key, Profile, Usage, gpt, openai};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "azure_openai",
    // As OpenAI; MicrosoftDocs/azure-ai-docs, how-to-prompt-caching-content.md (dated 2026-08-04).
    dialects: &[(Dialect::Chat, openai::ACCEPTS), (Dialect::Responses, openai::ACCEPTS)],
    for_model,
    min_tokens: |_| 1024,
    lifetime_seconds: gpt::lifetime_seconds,
    usage: Usage::Standard,
};

/// Models of other vendors on the same host refuse `prompt_cache_key` (vectorize-io/hindsight#3518).
/// Deployments may have any name: one that names no OpenAI model is taken for another vendor's.
fn for_model(model: &str, accepts: Accepts) -> Accepts {
    if gpt::is_openai(model) {
        gpt::accepts(model, accepts)
    } else {
        Accepts { cache_key: false, key: Key::None, ..accepts }
    }
}
