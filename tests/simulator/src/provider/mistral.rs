//! Mistral: chat and responses; what is unknown gets a 422. docs.mistral.ai, prompt caching, read
//! in 2026.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{ChatVoice, ResponsesVoice, StreamUsage, hex};
use crate::prompt::Source;
use crate::provider::{
    Cache, Fields, Knobs, Names, Places, Rules, Said, Saying, Surface, Take, Texts, Voice, Writes,
    openai,
};
use crate::refusal::{Breach, Path, Refusal, Step};

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        Surface {
            fields: Fields::Closed(&NAMES),
            knobs: |_| KNOBS,
            check: key,
            texts: Texts::Distinct,
            scope: |source| source.string(&["prompt_cache_key"]),
            cache: |_, _| CACHE,
            ..Surface::new(Voice::Chat(ChatVoice {
                id: |seed, _| format!("cmpl-{}", hex(seed)),
                stream_usage: StreamUsage::Last,
                ..ChatVoice::PLAIN
            }))
        },
        Surface {
            // Its types have these two.
            knobs: |_| Knobs {
                cache_options: Take::Ignored,
                breakpoints: Places::IGNORED,
                ..KNOBS
            },
            check: key,
            texts: Texts::Distinct,
            scope: |source| source.string(&["prompt_cache_key"]),
            cache: |_, _| CACHE,
            ..Surface::new(Voice::Responses(ResponsesVoice::PLAIN))
        },
    ],
    refuse,
    headers: |request_id| vec![("x-request-id", request_id.to_owned())],
    request_id_prefix: "",
};

const KNOBS: Knobs = Knobs {
    cache_key: Take::Honoured,
    // Not documented, so tolerated.
    cache_retention: Take::Ignored,
    ..Knobs::REFUSED
};

/// Best effort; no minimum, step or lifetime is documented.
const CACHE: Cache =
    Cache::Steps { minimum: 64, step: 64, life: Duration::from_secs(600), writes: Writes::Free };

const NAMES: Names = Names {
    top: &[&[
        "messages",
        "temperature",
        "top_p",
        "max_tokens",
        "stream",
        "stop",
        "random_seed",
        "metadata",
        "response_format",
        "tools",
        "tool_choice",
        "presence_penalty",
        "frequency_penalty",
        "n",
        "prediction",
        "parallel_tool_calls",
        "prompt_mode",
        "reasoning_effort",
        "guardrails",
        "safe_prompt",
        // Not in its types; clients that send it are not known to fail.
        "stream_options",
    ]],
    message: &["role", "content", "tool_calls", "tool_call_id", "prefix"],
    blocks: &[("text", &["type", "text"]), ("image_url", &["type", "image_url"])],
    tool: &["type", "function"],
};

fn key(source: &Source<'_>) -> Result<(), Refusal> {
    match source.string(&["prompt_cache_key"]) {
        Some(key) if !key.is_ascii() => {
            let words = "String should contain only ASCII characters".to_owned();
            Err(Refusal::new(Path::new("prompt_cache_key"), Breach::Rule(words)))
        }
        _ => Ok(()),
    }
}

fn refuse(refusal: &Refusal, saying: &Saying<'_>) -> Said {
    let (kind, words) = match &refusal.breach {
        Breach::Extra | Breach::Unsupported => {
            ("extra_forbidden", "Extra inputs are not permitted".to_owned())
        }
        Breach::Missing => ("missing", "Field required".to_owned()),
        Breach::Wrong(expected) => ("value_error", format!("Input should be {expected}")),
        Breach::Rule(words) => ("value_error", words.clone()),
        Breach::NotJson(error) => ("json_invalid", error.clone()),
        Breach::NotFound(_) | Breach::NoRoute | Breach::Failing(_) => {
            return openai::refuse(refusal, saying);
        }
    };
    // https://github.com/nomtek/mistralai_client_dart/issues/44
    let steps = refusal.path.steps().iter().map(|step| match step {
        Step::Name(text) | Step::Tag(text) => json!(text),
        Step::Index(index) => json!(index),
    });
    let place: Vec<Value> = [json!("body")].into_iter().chain(steps).collect();
    let detail = json!({ "type": kind, "loc": place, "msg": words });
    let body = json!({
        "object": "error",
        "message": { "detail": [detail] },
        "type": "invalid_request_error",
        "param": null,
        "code": null,
    });
    Said { status: 422, body }
}
