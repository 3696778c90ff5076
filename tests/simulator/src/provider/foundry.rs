//! Claude at Azure. platform.claude.com, Claude in Microsoft Foundry, read 2026-08-22.

use crate::provider::{Rules, Surface, Take, anthropic, claude};

pub(super) const RULES: Rules = Rules {
    surfaces: &[Surface {
        // OpenAI's members are refused as at Anthropic, and `scope` is known beside its beta:
        // neither is documented.
        billing_block: Take::Honoured,
        ..anthropic::MESSAGES
    }],
    refuse: claude::refuse,
    headers: |request_id| {
        vec![
            ("request-id", request_id.to_owned()),
            ("apim-request-id", request_id.trim_start_matches("req_").to_owned()),
        ]
    },
    request_id_prefix: "req_",
};
