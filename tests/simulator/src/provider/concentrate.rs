//! Concentrate: responses, with marks on the input messages. concentrate.ai, prompt caching, read
//! in 2026.

use crate::answer::ResponsesVoice;
use crate::provider::{Knobs, Place, Places, Rules, Surface, Take, Voice, openai, relay};

pub(super) const RULES: Rules = Rules {
    surfaces: &[Surface {
        knobs: |_| Knobs {
            // A mark on a part is not documented: it does nothing here.
            marks: Places { honoured: &[Place::Message], elsewhere: Take::Ignored },
            ..relay::PARTS
        },
        cache: relay::cache,
        // It tells what was read alone.
        ..Surface::new(Voice::Responses(ResponsesVoice::PLAIN))
    }],
    refuse: openai::refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "",
};
