//! Fireworks: chat, where a mark is a 400, and Claude's dialect, where it is none. Fireworks prompt
//! caching guide, read in 2026.

use serde_json::json;

use crate::answer::{
    Answer, ChatVoice, Extras, MessagesVoice, StreamUsage, UsageAt, alphanumeric, uuid,
};
use crate::prompt::Source;
use crate::provider::{
    Knobs, Places, Rules, Said, Saying, Surface, Take, Texts, Voice, claude, openai, relay,
};
use crate::refusal::{Breach, Refusal};

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        Surface {
            knobs: |_| Knobs {
                marks: Places::REFUSED,
                top_level_mark: Take::Refused,
                cache_key: Take::Honoured,
                // The other members are not documented, so tolerated.
                ..Knobs::IGNORED
            },
            texts: Texts::Distinct,
            scope,
            cache: |_, _| relay::AUTOMATIC,
            headers: |answer| if answer.source.streaming { Vec::new() } else { counted(answer) },
            ..Surface::new(Voice::Chat(ChatVoice {
                id: |seed, _| uuid(seed),
                stream_usage: StreamUsage::Last,
                ..ChatVoice::PLAIN
            }))
        },
        Surface {
            // One report says that a mark on the last tool is a 400 here too:
            // https://github.com/earendil-works/pi/issues/3498
            scope,
            cache: |_, _| relay::AUTOMATIC,
            ..Surface::new(Voice::Messages(MessagesVoice {
                id: |seed| format!("msg_{}", alphanumeric(seed)),
                usage: claude::usage,
                usage_at: UsageAt::Delta,
                extras: Extras::Nothing,
            }))
        },
    ],
    refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "",
};

/// The replica that a request goes to, and the wall around a tenant.
fn scope(source: &Source<'_>) -> Option<String> {
    let replica = source
        .string(&["prompt_cache_key", "user"])
        .or_else(|| source.header("x-session-affinity").map(str::to_owned));
    let wall = source.string(&["prompt_cache_isolation_key"]);
    (replica.is_some() || wall.is_some()).then(|| format!("{wall:?} {replica:?}"))
}

fn counted(answer: &Answer<'_>) -> Vec<(&'static str, String)> {
    vec![
        ("fireworks-prompt-tokens", answer.usage.input.to_string()),
        ("fireworks-cached-prompt-tokens", answer.usage.read.to_string()),
    ]
}

fn refuse(refusal: &Refusal, saying: &Saying<'_>) -> Said {
    let (Breach::Extra | Breach::Unsupported) = refusal.breach else {
        return openai::refuse(refusal, saying);
    };
    // https://github.com/musistudio/claude-code-router/issues/377: both variants of the content are
    // tried.
    let path = refusal.path.bracketed();
    let message = match path.split_once(".content[") {
        Some((message, rest)) => format!(
            "2 request validation errors: Input should be a valid string, field: '{message}.content.str'; Extra inputs are not permitted, field: '{message}.content.list[ChatMessageContent][{rest}'"
        ),
        None => format!("Extra inputs are not permitted, field: '{path}'"),
    };
    let kind = "invalid_request_error";
    let error = json!({ "object": "error", "type": kind, "code": kind, "message": message });
    Said { status: 400, body: json!({ "error": error }) }
}
