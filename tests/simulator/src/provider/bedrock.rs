//! Claude at AWS: the runtime's InvokeModel, and the newer mantle endpoint. The runtime is served
//! under `/v1/messages`, as gateways that speak its binary protocol show it; Converse is not
//! simulated. docs.aws.amazon.com/bedrock, prompt caching, read 2026-05-16.

use serde_json::json;

use crate::answer::{Extras, MessagesVoice, UsageAt, alphanumeric};
use crate::provider::{
    Fields, Knobs, Names, Places, Rules, Said, Saying, Scope, Surface, Take, Ttls, Voice,
    anthropic, claude,
};
use crate::refusal::{Breach, Refusal};

pub(super) const RUNTIME: Rules = Rules {
    surfaces: &[INVOKE],
    refuse,
    headers: |request_id| vec![("x-amzn-RequestId", request_id.to_owned())],
    request_id_prefix: "",
};

const INVOKE: Surface = Surface {
    fields: Fields::Closed(&Names { top: &[INVOKE_TOP], ..claude::NAMES }),
    knobs: |model| Knobs {
        top_level_mark: Take::Refused,
        // https://github.com/BerriAI/litellm/issues/15880. Pages disagree about Opus 4.6; Claude's
        // own say that it takes 1h.
        ttl: if claude::version(model) >= (4, 5) { Ttls::Both } else { Ttls::Unknown },
        scope: Scope::Refused,
        ..claude::KNOBS
    },
    invalidators: claude::INVALIDATORS,
    cache: claude::cache,
    ..Surface::new(Voice::Messages(MessagesVoice {
        id: |seed| format!("msg_bdrk_01{}", alphanumeric(seed)),
        usage: claude::usage,
        usage_at: UsageAt::Start,
        // And no ping.
        extras: Extras::InvocationMetrics,
    }))
};

const INVOKE_TOP: &[&str] = &[
    "anthropic_version",
    "anthropic_beta",
    "max_tokens",
    "messages",
    "system",
    "stop_sequences",
    "temperature",
    "top_p",
    "top_k",
    "tools",
    "tool_choice",
    "thinking",
    "metadata",
    "output_config",
    "safeguards",
    "context_management",
    // Not in AWS's own body, where the path says it, but in that of a gateway's `/v1/messages`.
    "stream",
];

fn refuse(refusal: &Refusal, _: &Saying<'_>) -> Said {
    let message = match refusal.breach {
        Breach::Failing(429) => "Too many requests, please wait before trying again.".to_owned(),
        Breach::Failing(503) => "Bedrock is unable to process your request.".to_owned(),
        _ => claude::words(refusal),
    };
    Said { status: refusal.status(), body: json!({ "message": message }) }
}

pub(super) const MANTLE: Rules = Rules {
    surfaces: &[Surface {
        knobs: |_| Knobs {
            // The beta header that would make it known is not supported here.
            scope: Scope::Refused,
            // Not documented, so tolerated.
            cache_key: Take::Ignored,
            cache_options: Take::Ignored,
            breakpoints: Places::IGNORED,
            cache_retention: Take::Ignored,
            ..claude::KNOBS
        },
        billing_block: Take::Honoured,
        ..anthropic::MESSAGES
    }],
    refuse: claude::refuse,
    // Not documented.
    headers: |request_id| vec![("request-id", request_id.to_owned())],
    request_id_prefix: "req_",
};
