//! Knox Chat: chat, with marks on text parts. Knox Chat prompt caching page, read in 2026.

use crate::answer::ChatVoice;
use crate::provider::{Knobs, Place, Places, Rules, Surface, Take, Voice, openai, relay};

pub(super) const RULES: Rules = Rules {
    surfaces: &[Surface {
        knobs: |_| Knobs {
            // Its page knows five minutes alone; what becomes of 1h is not documented.
            marks: Places { honoured: &[Place::Text, Place::Said], elsewhere: Take::Ignored },
            ..relay::PARTS
        },
        cache: relay::cache,
        ..Surface::new(Voice::Chat(ChatVoice::PLAIN))
    }],
    refuse: openai::refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "",
};
