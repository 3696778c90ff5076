//! OpenRouter: chat, responses and messages. OpenRouter prompt caching guide, read in 2026, and its
//! Python library 1.3. Which upstream it takes is no matter here: an account is one of them.

use serde_json::{Value, json};

use crate::answer::{
    Answer, ChatVoice, Extras, MessagesVoice, ResponsesVoice, StreamUsage, UsageAt, alphanumeric,
    chat_counts,
};
use crate::provider::{
    Knobs, Place, Places, Rules, Said, Saying, Surface, Take, Voice, claude, openai, relay,
};
use crate::refusal::{Breach, Refusal};
use crate::route::Dialect;

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        Surface {
            knobs: chat,
            cache: relay::cache,
            ..Surface::new(Voice::Chat(ChatVoice {
                id: |seed, created| format!("gen-{created}-{}", alphanumeric(seed)),
                usage,
                stream_usage: StreamUsage::Always,
                extra: |_| vec![("provider", json!("Simulated"))],
                comment: Some("OPENROUTER PROCESSING"),
            }))
        },
        Surface {
            knobs: |_| Knobs { top_level_mark: Take::Honoured, ..relay::PARTS },
            cache: relay::cache,
            ..Surface::new(Voice::Responses(ResponsesVoice::PLAIN))
        },
        Surface {
            knobs: relay::messages,
            cache: relay::cache,
            ..Surface::new(Voice::Messages(MessagesVoice {
                id: |seed| format!("gen-{}", alphanumeric(seed)),
                usage: claude::usage,
                usage_at: UsageAt::Start,
                extras: Extras::Ping,
            }))
        },
    ],
    refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "req_",
};

fn chat(model: &str) -> Knobs {
    // A breakpoint on a text part is the same as a mark there; options are for OpenAI's models and
    // ignored elsewhere.
    const TEXTS: Places =
        Places { honoured: &[Place::Text, Place::Said], elsewhere: Take::Ignored };
    let marks = match relay::family(model) {
        // https://github.com/earendil-works/pi/issues/7938
        relay::Family::Claude if claude::version(model) < (3, 5) => {
            Places { elsewhere: Take::Refused, ..TEXTS }
        }
        _ => {
            Places { honoured: &[Place::Tool, Place::Text, Place::Said], elsewhere: Take::Ignored }
        }
    };
    Knobs {
        marks,
        top_level_mark: Take::Honoured,
        breakpoints: TEXTS,
        cache_key: Take::Honoured,
        ..relay::PARTS
    }
}

fn usage(answer: &Answer<'_>) -> Value {
    let usage = &answer.usage;
    let details = json!({
        "cached_tokens": usage.read,
        "cache_write_tokens": usage.write,
        "audio_tokens": 0,
        "video_tokens": 0,
    });
    let mut json = chat_counts(usage, details);
    json["completion_tokens_details"] = json!({ "reasoning_tokens": usage.reasoning });
    json["cost"] = json!(0.001);
    json["is_byok"] = json!(false);
    json
}

fn refuse(refusal: &Refusal, saying: &Saying<'_>) -> Said {
    if saying.dialect == Some(Dialect::Messages) {
        return claude::refuse(refusal, saying);
    }
    let status = refusal.status();
    let message = match refusal.breach {
        // What the maker of the model says is handed on.
        Breach::Extra | Breach::Rule(_) => claude::words(refusal),
        _ => {
            let said = openai::refuse(refusal, saying).body;
            said["error"]["message"].as_str().unwrap_or_default().to_owned()
        }
    };
    Said { status, body: json!({ "error": { "message": message, "code": status } }) }
}
