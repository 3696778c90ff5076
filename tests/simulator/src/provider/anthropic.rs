//! Anthropic's own API.

use crate::answer::{Extras, MessagesVoice, UsageAt, alphanumeric};
use crate::provider::{Fields, Rules, Surface, Take, Voice, claude};

pub(super) const RULES: Rules = Rules {
    surfaces: &[MESSAGES],
    refuse: claude::refuse,
    headers: |request_id| {
        vec![
            ("request-id", request_id.to_owned()),
            ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000".to_owned()),
        ]
    },
    request_id_prefix: "req_",
};

pub(super) const MESSAGES: Surface = Surface {
    fields: Fields::Closed(&claude::NAMES),
    knobs: |_| claude::KNOBS,
    invalidators: claude::INVALIDATORS,
    cache: claude::cache,
    // Only here, and only if it comes unchanged as the first block.
    billing_block: Take::Ignored,
    ..Surface::new(Voice::Messages(VOICE))
};

pub(super) const VOICE: MessagesVoice = MessagesVoice {
    id: |seed| format!("msg_01{}", alphanumeric(seed)),
    usage: claude::usage,
    usage_at: UsageAt::Start,
    extras: Extras::Ping,
};
