//! MiniMax: Claude's dialect under `/anthropic`, and chat. MiniMax platform docs, prompt caching,
//! read in 2026.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, ChatVoice, Extras, MessagesVoice, StreamUsage, UsageAt, hex};
use crate::prompt::{Prompt, Source};
use crate::provider::{
    Cache, Excess, Knobs, Places, Ready, Rules, Surface, Take, Voice, Writes, claude, relay,
};

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        Surface {
            knobs: |_| Knobs {
                marks: Places { elsewhere: Take::Ignored, ..claude::KNOBS.marks },
                // 1h is not documented, nor is anything of the rest: tolerated.
                ..Knobs::IGNORED
            },
            cache,
            ..Surface::new(Voice::Messages(MessagesVoice {
                id: hex,
                usage,
                usage_at: UsageAt::Start,
                extras: Extras::Ping,
            }))
        },
        Surface {
            cache: |_, _| PASSIVE,
            ..Surface::new(Voice::Chat(ChatVoice {
                id: |seed, _| hex(seed),
                stream_usage: StreamUsage::Last,
                ..ChatVoice::PLAIN
            }))
        },
    ],
    refuse: relay::refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "",
};

fn cache(_: &Source<'_>, prompt: &Prompt) -> Cache {
    match prompt.is_marked() {
        true => {
            Cache::Marks { minimum: MINIMUM, excess: Excess::Dropped, ready: Ready::AnswerBegun }
        }
        false => PASSIVE,
    }
}

/// Of the passive cache; that of the active one is not documented.
const MINIMUM: u64 = 512;

const PASSIVE: Cache = Cache::Steps {
    minimum: MINIMUM,
    step: 64,
    life: Duration::from_secs(300),
    writes: Writes::Free,
};

/// Claude's names, without the split by lifetime.
fn usage(answer: &Answer<'_>) -> Value {
    let usage = &answer.usage;
    json!({
        "input_tokens": usage.uncached,
        "output_tokens": usage.output,
        "cache_creation_input_tokens": usage.write,
        "cache_read_input_tokens": usage.read,
    })
}
