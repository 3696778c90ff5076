//! Alibaba's Qwen: chat, responses, and Claude's dialect under `/apps/anthropic`.
//! alibabacloud.com, Model Studio context cache, read 2026-10-11.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{
    Answer, ChatVoice, Extras, MessagesVoice, ResponsesVoice, StreamUsage, UsageAt, alphanumeric,
    chat_counts,
};
use crate::prompt::{Prompt, Source};
use crate::provider::{
    Cache, Excess, Knobs, Place, Places, Ready, Rules, Surface, Take, Ttls, Voice, Writes, claude,
    relay,
};

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        Surface {
            // Whether a string equals its one part is not documented; it does here, since a mark
            // needs a part.
            knobs: |_| KNOBS,
            cache,
            ..Surface::new(Voice::Chat(ChatVoice {
                usage,
                stream_usage: StreamUsage::Asked,
                ..ChatVoice::PLAIN
            }))
        },
        Surface {
            cache: |source, _| match source.header("x-dashscope-session-cache") {
                Some("enable") => IMPLICIT,
                _ => Cache::Off,
            },
            ..Surface::new(Voice::Responses(ResponsesVoice::PLAIN))
        },
        Surface {
            knobs: |_| Knobs {
                marks: Places { elsewhere: Take::Ignored, ..claude::KNOBS.marks },
                ..KNOBS
            },
            cache,
            ..Surface::new(Voice::Messages(MessagesVoice {
                id: |seed| format!("msg_{}", alphanumeric(seed)),
                usage: claude::usage,
                usage_at: UsageAt::Start,
                extras: Extras::Nothing,
            }))
        },
    ],
    refuse: relay::refuse,
    headers: |request_id| vec![("x-request-id", request_id.to_owned())],
    request_id_prefix: "",
};

const KNOBS: Knobs = Knobs {
    // On the message it is wrong, which shows in a cache that is never hit:
    // https://github.com/agentscope-ai/agentscope-java/issues/1363
    marks: Places { honoured: &[Place::Text, Place::Part, Place::Said], elsewhere: Take::Ignored },
    ttl: Ttls::FiveMinutes,
    // Not documented, so tolerated, as is the mark at the top.
    ..Knobs::IGNORED
};

/// One of the two per request.
fn cache(_: &Source<'_>, prompt: &Prompt) -> Cache {
    match prompt.is_marked() {
        true => {
            Cache::Marks { minimum: 1024, excess: Excess::Dropped, ready: Ready::AnswerFinished }
        }
        false => IMPLICIT,
    }
}

/// The pages said 256 tokens until 2026-06, and 1024 since. Neither step nor lifetime is
/// documented.
const IMPLICIT: Cache =
    Cache::Steps { minimum: 1024, step: 128, life: Duration::from_secs(300), writes: Writes::Free };

fn usage(answer: &Answer<'_>) -> Value {
    let usage = &answer.usage;
    let mut details = json!({ "cached_tokens": usage.read });
    if answer.prompt.is_marked() {
        details["cache_creation_input_tokens"] = json!(usage.write);
        details["cache_creation"] = json!({ "ephemeral_5m_input_tokens": usage.write_5m });
        details["cache_type"] = json!("ephemeral");
    }
    chat_counts(usage, details)
}
