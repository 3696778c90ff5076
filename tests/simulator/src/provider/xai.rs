//! xAI: chat, where a header names the conversation, and responses. docs.x.ai, prompt caching, read
//! in 2026.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, ChatVoice, ResponsesVoice, StreamUsage, chat_counts, uuid};
use crate::provider::{Cache, Rules, Surface, Texts, Voice, Writes, openai};

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        Surface {
            // What is done with members of caches is not documented; `prompt_cache_key` was seen to
            // be accepted.
            texts: Texts::Distinct,
            scope: |source| source.header("x-grok-conv-id").map(str::to_owned),
            cache: |_, _| CACHE,
            ..Surface::new(Voice::Chat(ChatVoice {
                id: |seed, _| uuid(seed),
                usage,
                stream_usage: StreamUsage::Last,
                ..ChatVoice::PLAIN
            }))
        },
        Surface {
            texts: Texts::Distinct,
            scope: |source| source.string(&["prompt_cache_key"]),
            cache: |_, _| CACHE,
            ..Surface::new(Voice::Responses(ResponsesVoice::PLAIN))
        },
    ],
    refuse: openai::refuse,
    headers: |request_id| vec![("x-request-id", request_id.to_owned())],
    request_id_prefix: "",
};

/// No minimum or step is documented: an example reads 98 of 125 tokens. Evicted at any time; ten
/// minutes are typical.
const CACHE: Cache =
    Cache::Steps { minimum: 16, step: 16, life: Duration::from_secs(600), writes: Writes::Free };

/// Reasoning is not in the completion.
fn usage(answer: &Answer<'_>) -> Value {
    let usage = &answer.usage;
    let details = json!({
        "text_tokens": usage.input,
        "audio_tokens": 0,
        "image_tokens": 0,
        "cached_tokens": usage.read,
    });
    let mut json = chat_counts(usage, details);
    json["completion_tokens"] = json!(usage.output - usage.reasoning);
    json["completion_tokens_details"] = json!({
        "reasoning_tokens": usage.reasoning,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    });
    json
}
