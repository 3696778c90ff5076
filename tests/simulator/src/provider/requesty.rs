//! Requesty: chat. docs.requesty.ai, caching, read in 2026. Marks that it places itself
//! (`requesty.auto_cache`) are not simulated.

use serde_json::json;

use crate::answer::{ChatVoice, chat_counts};
use crate::provider::{Rules, Surface, Voice, openai, relay};

pub(super) const RULES: Rules = Rules {
    surfaces: &[Surface {
        knobs: |_| relay::PARTS,
        cache: relay::cache,
        ..Surface::new(Voice::Chat(ChatVoice {
            // That the input includes both is known from clients: Roo Code's
            // src/api/providers/requesty.ts.
            usage: |answer| {
                let usage = &answer.usage;
                chat_counts(
                    usage,
                    json!({ "cached_tokens": usage.read, "caching_tokens": usage.write }),
                )
            },
            ..ChatVoice::PLAIN
        }))
    }],
    refuse: openai::refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "",
};
