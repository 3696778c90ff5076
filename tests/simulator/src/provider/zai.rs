//! z.ai: chat. docs.z.ai, context caching, read in 2026.

use serde_json::json;

use crate::answer::{ChatVoice, StreamUsage, alphanumeric};
use crate::provider::{Rules, Surface, Texts, Voice, openai, relay};

pub(super) const RULES: Rules = Rules {
    surfaces: &[Surface {
        // Marks are ignored; the other members of caches are not documented, so tolerated.
        texts: Texts::Distinct,
        cache: |_, _| relay::AUTOMATIC,
        ..Surface::new(Voice::Chat(ChatVoice {
            id: |seed, created| format!("{created}{}", seed % 10_000),
            stream_usage: StreamUsage::Last,
            extra: |answer| {
                let id = format!(
                    "{}{}",
                    answer.serial.created,
                    alphanumeric(answer.serial.id("request"))
                );
                vec![("request_id", json!(id))]
            },
            ..ChatVoice::PLAIN
        }))
    }],
    refuse: openai::refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "",
};
