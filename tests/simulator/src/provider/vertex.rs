//! Claude at Google: `:rawPredict` and `:streamRawPredict`, and the same under `/v1/messages`.
//! docs.cloud.google.com, Claude prompt caching, read in 2026.

use crate::answer::{Extras, MessagesVoice, UsageAt, alphanumeric};
use crate::provider::{Fields, Knobs, Names, Rules, Scope, Surface, Ttls, Voice, claude};

pub(super) const RULES: Rules = Rules {
    surfaces: &[Surface {
        fields: Fields::Closed(&Names {
            top: &[claude::TOP, &["anthropic_version"]],
            ..claude::NAMES
        }),
        knobs: |model| Knobs {
            // A top-level mark is taken, as Claude's pages say; one relay says that it is not.
            // Which old models know no ttl is not listed: taken to be those before Claude 4.
            ttl: if claude::version(model) >= (4, 0) { Ttls::Both } else { Ttls::Unknown },
            scope: Scope::Refused,
            ..claude::KNOBS
        },
        invalidators: claude::INVALIDATORS,
        cache: claude::cache,
        ..Surface::new(Voice::Messages(MessagesVoice {
            id: |seed| format!("msg_vrtx_01{}", alphanumeric(seed)),
            usage: claude::usage,
            usage_at: UsageAt::Start,
            // https://github.com/vercel/ai/issues/13576; what it holds is not documented.
            extras: Extras::VertexEvent,
        }))
    }],
    // Not wrapped into Google's own error: https://github.com/BerriAI/litellm/issues/14365
    refuse: claude::refuse,
    headers: |request_id| vec![("request-id", request_id.to_owned())],
    request_id_prefix: "req_vrtx_",
};
