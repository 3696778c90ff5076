//! The two stages, each an exchange as a state machine: what Envoy tells and the time go in, effects
//! come out.
//!
//! Nothing here calls Envoy. A callback is one call into an exchange; it returns a [`Step`], and
//! the host carries out all of its effects before it returns. What an exchange asks of the world
//! meanwhile, it asks through [`Host`].

mod explain;
mod headers;
mod intake;
mod note;
mod route;
mod shape;

use std::borrow::Cow;
use std::rc::Rc;

use crate::affinity::{Keys, Store};
use crate::config::{Config, Limits, Upstream};
use crate::dialect::Dialect;
use crate::metrics::{Metric, Skip};

pub use headers::Headers;
pub use route::{Route, left_alone_note};
pub use shape::Shape;

/// What is the same for all exchanges of a plugin.
#[derive(Debug)]
pub struct Plugin {
    pub config: Config,
    pub keys: Keys,
    /// The names of the body's members that are ids.
    id_names: Rc<[String]>,
}

impl Plugin {
    pub fn new(config: Config, keys: Keys) -> Self {
        let id_names = config.affinity.body_fields.as_slice().into();
        Self { config, keys, id_names }
    }
}

/// What an exchange asks of the world.
pub trait Host: Store {
    /// Unix time in milliseconds.
    fn now_ms(&self) -> u64;
    fn property(&self, property: Property) -> Option<Vec<u8>>;
    /// Bytes of the body of this callback.
    fn window(&self, from: usize, length: usize) -> Option<Vec<u8>>;
}

/// What Envoy, or the other stage, says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// What the route stage leaves for the shape stage.
    Request,
    /// What the shape stage leaves for its next attempt and for the route stage.
    Attempt,
    /// The name of the cluster.
    Cluster,
    /// The name of the upstream in the endpoint's metadata.
    Upstream,
    /// The host name of the service that Istio made the cluster for.
    Service,
    /// The name of the resource that Envoy Gateway made the cluster from.
    Resource,
    /// The name of the resource that Envoy Gateway took the endpoint from.
    Backend,
    /// The address of the endpoint.
    Address,
    /// How many attempts were made, a little-endian `u64`.
    Attempts,
}

impl Plugin {
    /// The upstream that Envoy has chosen an endpoint of.
    ///
    /// Control planes give clusters names that are theirs (`outbound|443||claude-a.example`,
    /// `httproute/default/messages/rule/0/backend/1`), so what they made them from counts as well.
    fn serving(&self, host: &dyn Host) -> Option<(usize, &Upstream)> {
        match host.property(Property::Upstream).filter(|name| !name.is_empty()) {
            Some(name) => self.config.upstream(&name),
            None => self.first(&[Property::Cluster, Property::Backend, Property::Service], host),
        }
    }

    /// The upstream of the route, before an endpoint is chosen.
    fn routed(&self, host: &dyn Host) -> Option<&Upstream> {
        let (_, upstream) =
            self.first(&[Property::Cluster, Property::Resource, Property::Service], host)?;
        Some(upstream)
    }

    fn first(&self, places: &[Property], host: &dyn Host) -> Option<(usize, &Upstream)> {
        places.iter().find_map(|place| self.config.upstream(&host.property(*place)?))
    }
}

/// Whether more of a message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// More comes.
    Open,
    /// That was all.
    Closed,
}

/// Whether Envoy goes on with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Continue,
    Pause,
}

/// Whether headers can be held while a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The host was seen to do it.
    Works,
    /// The host may or may not.
    Unknown,
    /// The host was seen not to.
    Missing,
}

/// What a callback results in.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    pub flow: Flow,
    pub effects: Vec<Effect>,
}

/// Something for the host to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    SetHeader(Cow<'static, str>, Vec<u8>),
    RemoveHeader(Cow<'static, str>),
    SetProperty(Property, Vec<u8>),
    /// The first `length` bytes of the body of this callback become these; with 0, these come in front.
    ReplaceBody {
        length: usize,
        bytes: Vec<u8>,
    },
    /// The client gets this answer instead of one from upstream.
    Reply {
        status: u32,
        body: String,
    },
    Count(Metric, u64),
    /// The host does not hold requests as it must; to be told to the operator once.
    TellUnheld,
}

impl Step {
    fn going_on(effects: Vec<Effect>) -> Self {
        Self { flow: Flow::Continue, effects }
    }

    fn held(effects: Vec<Effect>) -> Self {
        Self { flow: Flow::Pause, effects }
    }
}

impl Default for Step {
    fn default() -> Self {
        Self::going_on(Vec::new())
    }
}

/// As many effects as most callbacks have at most.
const USUAL_EFFECTS: usize = 12;

/// The effects of a callback that begins with taking our headers away.
fn without_ours(headers: &Headers<'_>) -> Vec<Effect> {
    let mut effects = Vec::with_capacity(USUAL_EFFECTS);
    effects.extend(headers.ours().map(|name| Effect::RemoveHeader(name.into())));
    effects
}

fn skip(skip: Skip) -> Effect {
    Effect::Count(Metric::Skips(skip), 1)
}

fn count(counts: impl Iterator<Item = (Metric, u64)>, effects: &mut Vec<Effect>) {
    let some = counts.filter(|(_, count)| *count > 0);
    effects.extend(some.map(|(metric, count)| Effect::Count(metric, count)));
}

/// Whether a request's body is to be held and read; if not, the reason, if that is worth counting.
fn readable(
    dialect: Dialect,
    headers: &Headers<'_>,
    end: End,
    hold: Hold,
    limits: &Limits,
) -> Result<(), Option<Skip>> {
    let of_prompt = |reason| Err((dialect != Dialect::Objects).then_some(reason));
    let limit = u64::from(limits.request_body_bytes);
    if end == End::Closed {
        of_prompt(Skip::NoPrompt)
    } else if !headers.is_json() {
        of_prompt(Skip::ContentType)
    } else if headers.is_encoded() {
        Err(Some(Skip::Encoded))
    } else if headers.content_length().is_some_and(|length| length > limit) {
        Err(Some(Skip::BodyTooLarge))
    } else if hold == Hold::Missing {
        Err(Some(Skip::Unheld))
    } else {
        Ok(())
    }
}

/// Bytes of a body that are read at a time: more costs memory and wins nothing, less costs calls.
const WINDOW_BYTES: usize = 65_536;

/// Unix time in seconds.
fn seconds(now_ms: u64) -> u32 {
    u32::try_from(now_ms / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
