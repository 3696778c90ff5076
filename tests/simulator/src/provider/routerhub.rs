//! RouterHub: messages, where Claude's marks count, and chat, where they do not. RouterHub prompt
//! caching page, read in 2026.

use serde_json::Value;

use crate::answer::{
    Answer, ChatVoice, Extras, MessagesVoice, ResponsesVoice, UsageAt, alphanumeric,
};
use crate::prompt::{Prompt, Source};
use crate::provider::{Cache, Knobs, Rules, Surface, Take, Voice, claude, relay};

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        Surface {
            // Not used, its page says of the mark at the top.
            knobs: |model| Knobs { top_level_mark: Take::Ignored, ..relay::messages(model) },
            cache: relay::cache,
            ..Surface::new(Voice::Messages(MessagesVoice {
                id: |seed| format!("msg_{}", alphanumeric(seed)),
                usage,
                usage_at: UsageAt::Start,
                extras: Extras::Ping,
            }))
        },
        Surface {
            scope: |source| source.string(&["prompt_cache_key"]),
            cache: chat,
            // Writes are inside the input, and not told.
            ..Surface::new(Voice::Chat(ChatVoice::PLAIN))
        },
        Surface {
            scope: |source| source.string(&["prompt_cache_key"]),
            cache: chat,
            ..Surface::new(Voice::Responses(ResponsesVoice::PLAIN))
        },
    ],
    refuse: relay::refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "req_",
};

fn chat(source: &Source<'_>, prompt: &Prompt) -> Cache {
    match relay::family(&source.model) {
        relay::Family::Claude => Cache::Off,
        _ => relay::cache(source, prompt),
    }
}

/// The page's example of a write has no split, that of a read has one.
fn usage(answer: &Answer<'_>) -> Value {
    let mut json = claude::usage(answer);
    let members = json.as_object_mut().filter(|_| answer.usage.write > 0);
    members.map(|members| members.remove("cache_creation"));
    json
}
