//! The memory of who holds what, and the choice made from it.
//!
//! Ids, sessions and prefixes are digests in one bounded [`table`](Table), keyed so that they say
//! nothing outside of this process, and apart for each caller. [`choose`] finds the pin for a
//! request; [`Memory`] learns from its answer where it was really served. Time is passed in.

mod caller;
mod choice;
mod issued;
mod keys;
mod memo;
mod memory;
mod slot;
mod table;

use core::net::SocketAddr;

use crate::dialect::Dialect;
use crate::prompt::Prefix;

pub use caller::Caller;
pub use choice::choose;
pub use issued::Issued;
pub use keys::{KEY_BYTES, Keys, opener, session, upstream_digest};
pub use memory::{Lifetimes, Memory, Served};
pub use table::{Conflict, Events, Store, Table};

/// What pinned a request; a label of the metric `exchanges`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// An issued id.
    RequestId,
    /// The id of an earlier response.
    ResponseId,
    /// An id in the path of an object.
    Object,
    /// A member of the body.
    Field,
    /// A session header.
    Session,
    /// The prompt itself.
    Prefix,
    /// Nothing.
    None,
    /// The client wanted no pin.
    Off,
}

impl By {
    pub const ALL: [Self; 8] = [
        Self::RequestId,
        Self::ResponseId,
        Self::Object,
        Self::Field,
        Self::Session,
        Self::Prefix,
        Self::None,
        Self::Off,
    ];

    /// Its name in metrics and headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestId => "request_id",
            Self::ResponseId => "response_id",
            Self::Object => "object",
            Self::Field => "field",
            Self::Session => "session",
            Self::Prefix => "prefix",
            Self::None => "none",
            Self::Off => "off",
        }
    }
}

/// What a request says about where it belongs.
#[derive(Debug)]
pub struct Request<'r> {
    pub dialect: Dialect,
    pub caller: Caller,
    /// The client's name of the model; empty if none.
    pub model: &'r str,
    /// The value of the request id header.
    pub request_id: Option<&'r [u8]>,
    /// The value of the response id header.
    pub response_id: Option<&'r [u8]>,
    /// The path, of an object.
    pub path: &'r [u8],
    /// Ids in the body: the index of the field in the configuration, and the id.
    pub fields: &'r [(usize, Vec<u8>)],
    /// Ids that stand for items of earlier answers, the latest last.
    pub items: &'r [Vec<u8>],
    /// Values of session headers, in the order of the configuration.
    pub sessions: &'r [Vec<u8>],
    pub prefix: Option<&'r Prefix>,
}

/// The choice for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Index of the upstream in the configuration.
    pub upstream: usize,
    pub endpoint: Option<SocketAddr>,
    pub strength: Strength,
    pub by: By,
}

/// Whether a pinned request can be served elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// It can; its prefix is cold there.
    Soft,
    /// It cannot: it names state that exists at one account only.
    Hard,
}

/// What was found for a request.
#[derive(Debug)]
pub struct Choice {
    pub pin: Option<Pin>,
    /// Whether something named an upstream that is no longer configured.
    pub is_stale: bool,
    /// What its answer can teach.
    pub memory: Memory,
}

#[cfg(test)]
mod tests;
