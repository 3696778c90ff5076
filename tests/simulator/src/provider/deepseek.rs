//! DeepSeek: chat, and Claude's dialect under `/anthropic`. api-docs.deepseek.com, context caching
//! on disk, read in 2026.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{
    Answer, ChatVoice, Extras, MessagesVoice, StreamUsage, UsageAt, chat_counts, uuid,
};
use crate::json::Json;
use crate::prompt::Source;
use crate::provider::{Cache, Rules, Said, Saying, Surface, Texts, Voice, claude, openai};
use crate::refusal::{Breach, Path, Refusal};

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        // Unknown members are tolerated as far as seen, those of caches included.
        Surface {
            check: parts,
            texts: Texts::Distinct,
            scope: |source| source.string(&["user_id"]),
            cache: |_, _| CACHE,
            ..Surface::new(Voice::Chat(ChatVoice {
                id: |seed, _| uuid(seed),
                usage,
                stream_usage: StreamUsage::AskedInLast,
                ..ChatVoice::PLAIN
            }))
        },
        // Which names its usage has is not documented: taken to be Claude's.
        Surface {
            cache: |_, _| CACHE,
            ..Surface::new(Voice::Messages(MessagesVoice {
                id: uuid,
                usage: claude::usage,
                usage_at: UsageAt::Start,
                extras: Extras::Nothing,
            }))
        },
    ],
    refuse,
    headers: |request_id| vec![("x-ds-trace-id", request_id.to_owned())],
    request_id_prefix: "",
};

/// Kept for hours to days; answers show counts that are multiples of 64.
pub(super) const CACHE: Cache = Cache::Units { step: 64, life: Duration::from_secs(6 * 3600) };

fn usage(answer: &Answer<'_>) -> Value {
    let usage = &answer.usage;
    let mut json = chat_counts(usage, json!({ "cached_tokens": usage.read }));
    json["completion_tokens_details"] = json!({ "reasoning_tokens": usage.reasoning });
    json["prompt_cache_hit_tokens"] = json!(usage.read);
    json["prompt_cache_miss_tokens"] = json!(usage.input - usage.read);
    json
}

/// Parts other than text are no variant that its parser knows.
fn parts(source: &Source<'_>) -> Result<(), Refusal> {
    let messages = source.body.get("messages").and_then(Json::items).unwrap_or_default();
    for (index, message) in messages.into_iter().enumerate() {
        for part in message.get("content").and_then(Json::items).unwrap_or_default() {
            let kind = part.get("type").and_then(Json::text).unwrap_or_default();
            if kind != "text" {
                let path = Path::new("messages").index(index).name("content");
                let words = format!("unknown variant {kind}, expected text");
                return Err(Refusal::new(path, Breach::Rule(words)));
            }
        }
    }
    Ok(())
}

fn refuse(refusal: &Refusal, saying: &Saying<'_>) -> Said {
    let path = refusal.path.bracketed();
    // https://github.com/zhukunpenglinyutong/jetbrains-cc-gui/issues/591
    let rest = match &refusal.breach {
        Breach::Rule(words) => format!("{path}: {words}"),
        Breach::Missing => format!("missing field {path}"),
        Breach::Wrong(expected) => format!("{path}: invalid type, expected {expected}"),
        Breach::NotJson(error) => error.clone(),
        _ => return openai::refuse(refusal, saying),
    };
    let error = json!({
        "message": format!("Failed to deserialize the JSON body into the target type: {rest}"),
        "type": "invalid_request_error",
        "param": null,
        "code": "invalid_request_error",
    });
    Said { status: 400, body: json!({ "error": error }) }
}
