//! What is remembered of an exchange, for tests to look at.

use serde::Serialize;

use crate::fault::Fault;

/// One request that arrived at an account, and how it was answered.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    pub method: String,
    /// With the query.
    pub path: String,
    /// In the order of arrival, names in lower case as HTTP/2 has them.
    pub headers: Vec<(String, Vec<u8>)>,
    /// As it was sent, a `content-encoding` included.
    pub body: Vec<u8>,
    /// Of the answer; 0 until there is one, and where a fault kept it away.
    pub status: u16,
    /// What the cache really did; `None` where no model was asked. The provider's own fields may
    /// tell less.
    pub usage: Option<Usage>,
    /// The `id` of the answer's body.
    pub response_id: Option<String>,
    pub fault: Option<Fault>,
}

impl Exchange {
    /// The value of a header; of several with that name the first.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_slice())
    }
}

/// The tokens of one answer, in one convention whatever the provider's: `input = uncached + read +
/// write`, `write` is the sum of its four classes, and `reasoning` is inside `output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    pub input: u64,
    pub uncached: u64,
    pub read: u64,
    /// Tokens that a provider with a price on writes bills as written. What automatic caches keep
    /// for nothing is `uncached`.
    pub write: u64,
    pub write_5m: u64,
    pub write_30m: u64,
    pub write_1h: u64,
    pub write_12h: u64,
    pub output: u64,
    pub reasoning: u64,
}

/// How much of each exchange is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recording {
    Nothing,
    /// All but headers and bodies, for long measurements.
    Usage,
    #[default]
    Everything,
}
