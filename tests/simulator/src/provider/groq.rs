//! Groq: chat; every member that it does not know is a 400. console.groq.com, prompt caching, read
//! in 2026.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, ChatVoice, StreamUsage, alphanumeric, chat_counts};
use crate::provider::{
    Cache, Fields, Knobs, Names, Rules, Said, Saying, Surface, Texts, Voice, Writes, openai,
};
use crate::refusal::{Breach, Refusal, Step};

pub(super) const RULES: Rules = Rules {
    surfaces: &[Surface {
        fields: Fields::Closed(&Names { top: &[openai::CHAT_TOP, OWN_TOP], ..openai::CHAT_NAMES }),
        knobs: |_| Knobs::REFUSED,
        texts: Texts::Distinct,
        cache: |source, _| cache(&source.model),
        ..Surface::new(Voice::Chat(ChatVoice {
            usage,
            stream_usage: StreamUsage::Groq,
            extra: |answer| {
                let id = format!("req_{}", alphanumeric(answer.serial.id("groq")));
                vec![("x_groq", json!({ "id": id }))]
            },
            ..ChatVoice::PLAIN
        }))
    }],
    refuse,
    headers: |request_id| vec![("x-request-id", request_id.to_owned())],
    request_id_prefix: "req_",
};

const OWN_TOP: &[&str] = &[
    "citation_options",
    "compound_custom",
    "disable_tool_validation",
    "documents",
    "exclude_domains",
    "include_domains",
    "include_reasoning",
    "reasoning_format",
    "search_settings",
];

/// Only these models have one. Neither minimum nor step is documented; its example reads a multiple
/// of 128.
fn cache(model: &str) -> Cache {
    match model.contains("gpt-oss") {
        true => Cache::Steps {
            minimum: 128,
            step: 128,
            life: Duration::from_secs(2 * 3600),
            writes: Writes::Free,
        },
        false => Cache::Off,
    }
}

fn usage(answer: &Answer<'_>) -> Value {
    let mut json = chat_counts(&answer.usage, json!({ "cached_tokens": answer.usage.read }));
    for name in ["queue_time", "prompt_time", "completion_time", "total_time"] {
        json[name] = json!(0.001);
    }
    json
}

fn refuse(refusal: &Refusal, saying: &Saying<'_>) -> Said {
    let (Breach::Extra | Breach::Unsupported) = refusal.breach else {
        return openai::refuse(refusal, saying);
    };
    // https://github.com/eigent-ai/eigent/issues/1827, seen at the top level only; below it the
    // parent is named too.
    let name = match refusal.path.steps().last() {
        Some(Step::Name(name)) => name.as_str(),
        _ => "",
    };
    let path = refusal.path.bracketed();
    let parent = path.strip_suffix(&format!(".{name}")).map(|parent| format!("'{parent}' : "));
    let message = format!("{}property '{name}' is unsupported", parent.unwrap_or_default());
    let error = json!({ "message": message, "type": "invalid_request_error" });
    Said { status: 400, body: json!({ "error": error }) }
}
