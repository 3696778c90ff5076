//! ePhone (RixAPI): passes requests to whatever is behind it.

use super::{Accepts, Profile, Usage, anthropic, litellm};
use crate::dialect::Dialect;

pub(super) static PROFILE: Profile = Profile {
    name: "ephone",
    // A relay of other providers' own bodies: ePhone's prompt caching page (read 2026-10). Behind
    // messages is Claude; elsewhere the model tells.
    dialects: &[
        (Dialect::Messages, anthropic::ACCEPTS),
        (Dialect::Chat, Accepts::ANYTHING),
        (Dialect::Responses, Accepts::ANYTHING),
    ],
    for_model: litellm::for_model,
    min_tokens: |_| 1024,
    lifetime_seconds: |_| 300,
    usage: Usage::Relay,
};
