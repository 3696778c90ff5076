//! Cerebras: chat. inference-docs.cerebras.ai, prompt caching, read 2026-11, and the types of its
//! Python library 1.91.

use std::time::Duration;

use serde_json::json;

use crate::answer::{ChatVoice, StreamUsage, chat_counts};
use crate::provider::{
    Cache, Fields, Knobs, Names, Rules, Surface, Take, Texts, Voice, Writes, openai,
};

pub(super) const RULES: Rules = Rules {
    surfaces: &[Surface {
        fields: Fields::Closed(&Names { top: &[openai::CHAT_TOP, OWN_TOP], ..openai::CHAT_NAMES }),
        // The key is a hint: requests with another one may still share a cache.
        knobs: |_| Knobs { cache_key: Take::Honoured, ..Knobs::REFUSED },
        texts: Texts::Distinct,
        cache: |_, _| CACHE,
        ..Surface::new(Voice::Chat(ChatVoice {
            usage: |answer| {
                chat_counts(&answer.usage, json!({ "cached_tokens": answer.usage.read }))
            },
            stream_usage: StreamUsage::Last,
            extra: |_| vec![("time_info", json!({ "total_time": 0.001 }))],
            ..ChatVoice::PLAIN
        }))
    }],
    refuse: openai::refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "",
};

const OWN_TOP: &[&str] = &["clear_thinking", "disable_reasoning", "min_tokens", "reasoning_format"];

/// Five minutes are promised, up to an hour is seen.
const CACHE: Cache =
    Cache::Steps { minimum: 128, step: 128, life: Duration::from_secs(300), writes: Writes::Free };
