//! Together: chat. docs.together.ai, prompt caching, read in 2026; it names no field and no knob.

use serde_json::json;

use crate::answer::{ChatVoice, StreamUsage, alphanumeric, chat_counts};
use crate::provider::{Rules, Surface, Texts, Voice, openai, relay};

pub(super) const RULES: Rules = Rules {
    surfaces: &[Surface {
        texts: Texts::Distinct,
        cache: |_, _| relay::AUTOMATIC,
        ..Surface::new(Voice::Chat(ChatVoice {
            id: |seed, _| alphanumeric(seed),
            // Clients have seen the count at the top, and in the details.
            usage: |answer| {
                let mut usage = chat_counts(&answer.usage, json!(null));
                usage["cached_tokens"] = json!(answer.usage.read);
                usage
            },
            stream_usage: StreamUsage::Last,
            ..ChatVoice::PLAIN
        }))
    }],
    refuse: openai::refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "",
};
