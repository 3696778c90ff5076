//! LiteLLM as a gateway: messages, chat and responses; it translates marks and drops what a maker
//! does not know. Its Python library 1.109.1.

use serde_json::{Value, json};

use crate::answer::{
    Answer, ChatVoice, Extras, MessagesVoice, ResponsesVoice, UsageAt, alphanumeric, chat_counts,
    uuid,
};
use crate::provider::{Knobs, Place, Places, Rules, Surface, Take, Voice, claude, relay};

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        Surface {
            knobs: relay::messages,
            cache: relay::cache,
            ..Surface::new(Voice::Messages(MessagesVoice {
                id: |seed| format!("msg_{}", alphanumeric(seed)),
                usage: claude::usage,
                usage_at: UsageAt::Delta,
                extras: Extras::Nothing,
            }))
        },
        Surface {
            knobs: |_| Knobs { marks: MARKS, ..relay::PARTS },
            cache: relay::cache,
            ..Surface::new(Voice::Chat(ChatVoice {
                id: |seed, _| format!("chatcmpl-{}", uuid(seed)),
                usage,
                ..ChatVoice::PLAIN
            }))
        },
        Surface {
            knobs: |_| Knobs { marks: MARKS, ..relay::PARTS },
            cache: relay::cache,
            ..Surface::new(Voice::Responses(ResponsesVoice::PLAIN))
        },
    ],
    refuse: relay::refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "req_",
};

const MARKS: Places = Places {
    honoured: &[
        Place::Tool,
        Place::Function,
        Place::Text,
        Place::Part,
        Place::Said,
        Place::Message,
    ],
    elsewhere: Take::Ignored,
};

fn usage(answer: &Answer<'_>) -> Value {
    let usage = &answer.usage;
    let details = json!({ "cached_tokens": usage.read, "cache_creation_tokens": usage.write });
    let mut json = chat_counts(usage, details);
    json["cache_read_input_tokens"] = json!(usage.read);
    json["cache_creation_input_tokens"] = json!(usage.write);
    json
}
