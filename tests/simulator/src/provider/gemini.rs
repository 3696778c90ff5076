//! Google's Gemini through its OpenAI-compatible endpoint, whose errors are JSON arrays. Its own
//! API is not simulated. ai.google.dev, caching, read in 2026.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, ChatVoice, alphanumeric, chat_counts};
use crate::provider::{
    Cache, Fields, Knobs, Names, Rules, Said, Saying, Surface, Texts, Voice, Writes, claude, openai,
};
use crate::refusal::{Breach, Refusal, Step};

pub(super) const RULES: Rules = Rules {
    surfaces: &[Surface {
        fields: Fields::Closed(&Names {
            top: &[openai::CHAT_TOP, &["extra_body"]],
            ..openai::CHAT_NAMES
        }),
        knobs: |_| Knobs::REFUSED,
        texts: Texts::Distinct,
        cache: |source, _| cache(&source.model),
        ..Surface::new(Voice::Chat(ChatVoice {
            id: |seed, _| alphanumeric(seed),
            usage,
            ..ChatVoice::PLAIN
        }))
    }],
    refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "",
};

/// The minimum is documented by version; the step and the lifetime (some minutes) are not.
pub(super) fn cache(model: &str) -> Cache {
    let minimum = if model.contains("gemini-2") { 2048 } else { 4096 };
    Cache::Steps { minimum, step: 128, life: Duration::from_secs(300), writes: Writes::Free }
}

/// Thinking is in the total alone: <https://github.com/openai/openai-python/issues/2544>
fn usage(answer: &Answer<'_>) -> Value {
    let usage = &answer.usage;
    let mut json = chat_counts(usage, json!({ "cached_tokens": usage.read }));
    json["completion_tokens"] = json!(usage.output - usage.reasoning);
    json
}

fn refuse(refusal: &Refusal, _: &Saying<'_>) -> Said {
    let status = refusal.status();
    let (message, name) = match &refusal.breach {
        // https://github.com/leookun/cursor-byok/issues/112
        Breach::Extra | Breach::Unsupported => {
            let name = match refusal.path.steps().last() {
                Some(Step::Name(name)) => name.as_str(),
                _ => "",
            };
            let path = refusal.path.bracketed();
            let at = path.strip_suffix(&format!(".{name}")).map(|parent| format!(" at '{parent}'"));
            let at = at.unwrap_or_default();
            let message = format!(
                "Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field."
            );
            (message, "INVALID_ARGUMENT")
        }
        Breach::Failing(429) => {
            ("Resource has been exhausted (e.g. check quota).".to_owned(), "RESOURCE_EXHAUSTED")
        }
        Breach::Failing(503) => {
            ("The model is overloaded. Please try again later.".to_owned(), "UNAVAILABLE")
        }
        Breach::Failing(500..) => ("An internal error has occurred.".to_owned(), "INTERNAL"),
        Breach::NotFound(_) | Breach::NoRoute => {
            ("Requested entity was not found.".to_owned(), "NOT_FOUND")
        }
        _ => (claude::words(refusal), "INVALID_ARGUMENT"),
    };
    let violation = json!({ "description": message });
    let details = json!([{ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation] }]);
    let mut error = json!({ "code": status, "message": message, "status": name });
    if status == 400 {
        error["details"] = details;
    }
    Said { status, body: json!([{ "error": error }]) }
}
