//! What the headers of a request say, kept until its body is read.

use crate::affinity::{Caller, Keys};
use crate::config::Affinity;
use crate::dialect::Dialect;
use crate::stage::Headers;

/// Longest id in a header, in bytes; the ids of providers stay below 100.
const ID_BYTES: usize = 256;

pub(super) struct Hints {
    pub(super) dialect: Dialect,
    pub(super) caller: Caller,
    pub(super) affinity: Wish,
    pub(super) request_id: Option<Vec<u8>>,
    pub(super) response_id: Option<Vec<u8>>,
    pub(super) sessions: Vec<Vec<u8>>,
    /// The path of an object.
    pub(super) path: Vec<u8>,
}

/// What the client wants of affinity.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Pin,
    Off,
}

impl Hints {
    pub(super) fn read(
        dialect: Dialect,
        headers: &Headers<'_>,
        config: &Affinity,
        keys: &Keys,
    ) -> Self {
        let id = |name: &String| {
            let value = headers.get(name)?.trim_ascii();
            (!value.is_empty() && value.len() <= ID_BYTES).then(|| value.to_vec())
        };
        let credentials = config.caller_headers.iter();
        let off = headers
            .get("x-warmpath-affinity")
            .is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"off"));
        Self {
            dialect,
            caller: keys
                .caller(credentials.filter_map(|name| Some((name.as_str(), headers.get(name)?)))),
            affinity: if off { Wish::Off } else { Wish::Pin },
            request_id: id(&config.request_id_header),
            response_id: id(&config.response_id_header),
            sessions: config.session_headers.iter().filter_map(id).collect(),
            path: match dialect {
                Dialect::Objects => headers.get(":path").unwrap_or_default().to_vec(),
                _ => Vec::new(),
            },
        }
    }
}
