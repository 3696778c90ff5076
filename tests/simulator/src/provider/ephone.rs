//! ePhone (RixAPI): hands requests on as they are, so each model has the rules of its maker.
//! api.ephone.ai, prompt caching, read in 2026. The ids by which it finds the earlier channel
//! (`x-response-id`, `x-request-id`) need no part here: an account is one.

use crate::answer::{ChatVoice, ResponsesVoice};
use crate::prompt::Source;
use crate::provider::{Knobs, Rules, Surface, Voice, anthropic, openai, relay};
use crate::refusal::Refusal;

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        anthropic::MESSAGES,
        Surface {
            knobs,
            check,
            scope: |source| source.string(&["prompt_cache_key"]),
            cache: relay::cache,
            ..Surface::new(Voice::Chat(ChatVoice { usage: openai::chat_usage, ..ChatVoice::PLAIN }))
        },
        Surface {
            knobs,
            check,
            scope: |source| source.string(&["prompt_cache_key"]),
            cache: relay::cache,
            ..Surface::new(Voice::Responses(ResponsesVoice { usage: openai::responses_usage }))
        },
    ],
    refuse: relay::refuse,
    headers: |request_id| vec![("X-Rixapi-Request-Id", request_id.to_owned())],
    request_id_prefix: "",
};

fn knobs(model: &str) -> Knobs {
    match relay::family(model) {
        relay::Family::Gpt => openai::knobs(model),
        _ => relay::PARTS,
    }
}

fn check(source: &Source<'_>) -> Result<(), Refusal> {
    match relay::family(&source.model) {
        relay::Family::Gpt => openai::key(source).and_then(|()| openai::retention(source)),
        _ => Ok(()),
    }
}
