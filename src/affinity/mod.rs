//! The memory of who holds what, and the choice made from it.
//!
//! Ids, sessions and prefixes are digests in one bounded [`table`](Table), keyed so that they say
//! nothing outside of this process, and apart for each caller. [`choose`] finds the pin for a
//! request; [`Memory`] learns from its answer where it was really served. Time is passed in.

mod caller;
mod issued;
mod memory;
mod table;

use core::net::SocketAddr;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128, xxh3_128_with_seed};

use crate::config::{Config, Upstream};
use crate::dialect::Dialect;
use crate::prompt::Prefix;

pub use caller::Caller;
pub use issued::Issued;
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

/// The keys of this process.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Seeds the digests in the table.
    table: u64,
    /// Sign and verify issued ids; the first signs.
    secrets: Vec<Vec<u8>>,
}

/// Bytes of a key for [`Keys::new`].
pub const KEY_BYTES: usize = 32;

impl Keys {
    /// `random` is the same in all workers of this process and nowhere else; without secrets in
    /// the configuration it signs issued ids as well.
    pub fn new(random: &[u8; KEY_BYTES], secrets: &[Vec<u8>]) -> Self {
        let secrets = if secrets.is_empty() { vec![random.to_vec()] } else { secrets.to_vec() };
        Self { table: xxh3_64(random), secrets }
    }

    fn digest(&self, domain: Domain, caller: &Caller, pieces: &[&[u8]]) -> u128 {
        // At once, not piece by piece: a hasher's state is far larger than what is hashed here.
        let mut bytes = Vec::with_capacity(128);
        bytes.push(domain as u8);
        bytes.extend_from_slice(caller.bytes());
        for piece in pieces {
            bytes.extend_from_slice(&(piece.len() as u64).to_le_bytes());
            bytes.extend_from_slice(piece);
        }
        xxh3_128_with_seed(&bytes, self.table)
    }

    /// The digest of an id that an answer made.
    fn made(&self, caller: &Caller, id: &[u8]) -> u128 {
        self.digest(Domain::Made, caller, &[id])
    }

    /// The digest of an id that requests carry, together with the model that it holds for.
    fn carried(&self, caller: &Caller, id: &[u8], model: u32) -> u128 {
        self.digest(Domain::Carried, caller, &[id, &model.to_le_bytes()])
    }

    /// The digests of a prompt's cuts, longest first.
    fn cuts<'p>(
        &self,
        caller: &Caller,
        model: &str,
        prefix: &'p Prefix,
    ) -> impl Iterator<Item = (u128, &'p crate::prompt::Cut)> {
        let head = self.digest(
            Domain::Prefix,
            caller,
            &[model.as_bytes(), &prefix.tools.to_le_bytes(), &prefix.system.to_le_bytes()],
        );
        let seed = self.table;
        prefix.cuts.iter().map(move |cut| {
            let mut both = [0; 32];
            let (left, right) = both.split_at_mut(16);
            left.copy_from_slice(&head.to_le_bytes());
            right.copy_from_slice(&cut.chain.to_le_bytes());
            (xxh3_128_with_seed(&both, seed), cut)
        })
    }

    fn issue(&self, issued: &Issued, caller: &Caller) -> Option<String> {
        issued.write(caller, self.secrets.first()?)
    }

    fn read_issued(&self, id: &[u8], caller: &Caller) -> Option<Issued> {
        Issued::read(id, caller, self.secrets.iter().map(Vec::as_slice))
    }
}

/// What a digest in the table stands for.
#[derive(Clone, Copy)]
enum Domain {
    Made = 1,
    Carried = 2,
    Prefix = 3,
}

/// The digest of an upstream's name, the same in every process.
pub fn upstream_digest(name: &str) -> u64 {
    xxh3_64(name.as_bytes())
}

/// The digest of a model's name; never 0, which stands for any.
fn model_digest(model: &str) -> u32 {
    (xxh3_64(model.as_bytes()) as u32).max(1)
}

const ANY_MODEL: u32 = 0;

/// Fields that name state of one account.
const HARD_FIELDS: [&str; 2] = ["previous_response_id", "task_id"];

/// Most segments of an object's path that are looked up.
const MOST_SEGMENTS: usize = 8;

/// The digest that places a conversation that nothing pins, the same in every process: of the
/// caller, the model, tools, system and the beginning of the first user message.
pub fn opener(caller: &Caller, model: &str, prefix: &Prefix) -> u128 {
    let [tools, system, opener] =
        [prefix.tools, prefix.system, prefix.opener].map(u128::to_le_bytes);
    xxh3_128(&[caller.bytes().as_slice(), model.as_bytes(), &tools, &system, &opener].concat())
}

/// The digest of a session, the same in every process.
pub fn session(caller: &Caller, id: &[u8]) -> u128 {
    xxh3_128(&[caller.bytes().as_slice(), id].concat())
}

/// Finds the first live holder that a request names, and what its answer can teach.
pub fn choose(
    request: &Request<'_>,
    config: &Config,
    keys: &Keys,
    table: &mut Table<'_>,
    now: u32,
) -> Choice {
    let model = match request.dialect {
        Dialect::Objects => ANY_MODEL,
        _ => model_digest(request.model),
    };
    let mut chooser = Chooser {
        request,
        config,
        keys,
        table,
        model,
        pin: None,
        is_stale: false,
        memory: Memory::new(request.caller, model, now),
    };
    chooser.request_id(now);
    chooser.response_id();
    chooser.objects();
    chooser.items();
    chooser.fields();
    chooser.sessions();
    chooser.prefix();
    Choice { pin: chooser.pin, is_stale: chooser.is_stale, memory: chooser.memory }
}

struct Chooser<'c, 's> {
    request: &'c Request<'c>,
    config: &'c Config,
    keys: &'c Keys,
    table: &'c mut Table<'s>,
    model: u32,
    pin: Option<Pin>,
    is_stale: bool,
    memory: Memory,
}

impl Chooser<'_, '_> {
    fn is_object(&self) -> bool {
        self.request.dialect == Dialect::Objects
    }

    /// Whether nothing has pinned yet, or nothing that comes up to this: state at one account is
    /// nowhere else, whatever else the request says.
    fn is_open_to(&self, strength: Strength) -> bool {
        self.pin.is_none_or(|pin| pin.strength == Strength::Soft && strength == Strength::Hard)
    }

    /// Pins, if that is still open and the upstream can take the request.
    fn pin(&mut self, upstream: u64, endpoint: Option<SocketAddr>, strength: Strength, by: By) {
        if !self.is_open_to(strength) {
            return;
        }
        let mut configured = self.config.upstreams.iter().enumerate();
        match configured.find(|(_, known)| upstream_digest(&known.name) == upstream) {
            Some((upstream, known)) if self.speaks(known) => {
                let endpoint = endpoint.filter(|_| known.pin_endpoint);
                self.pin = Some(Pin { upstream, endpoint, strength, by });
            }
            Some(_) => {}
            None => self.is_stale = true,
        }
    }

    fn speaks(&self, upstream: &Upstream) -> bool {
        self.is_object() || upstream.accepts(self.request.dialect, self.request.model).is_some()
    }

    fn request_id(&mut self, now: u32) {
        let Some(id) = self.request.request_id else { return };
        let Some(issued) = self.keys.read_issued(id, &self.request.caller) else { return };
        let is_live = now.saturating_sub(issued.at) < self.config.affinity.ttl_seconds;
        let fits = issued.model == self.model || issued.model == ANY_MODEL || self.is_object();
        if is_live && fits {
            self.pin(issued.upstream, None, Strength::Soft, By::RequestId);
        }
    }

    fn response_id(&mut self) {
        if let Some(id) = self.request.response_id {
            self.made(id, Strength::Soft, By::ResponseId);
        }
    }

    /// Looks up an id that an answer may have made; whether it has.
    fn made(&mut self, id: &[u8], strength: Strength, by: By) -> bool {
        let digest = self.keys.made(&self.request.caller, id);
        let Some(entry) = self.table.get(digest) else { return false };
        let any = strength == Strength::Hard || self.is_object();
        if any || entry.model == self.model || entry.model == ANY_MODEL {
            self.memory.renew(digest);
            self.pin(entry.upstream, entry.endpoint, strength, by);
        }
        true
    }

    /// Looks up an id that earlier requests may have carried, and remembers that this one does.
    fn carried(&mut self, id: &[u8], strength: Strength, by: By) {
        let model = if strength == Strength::Hard { ANY_MODEL } else { self.model };
        let digest = self.keys.carried(&self.request.caller, id, model);
        if self.is_open_to(strength)
            && let Some(entry) = self.table.get(digest)
        {
            self.pin(entry.upstream, entry.endpoint, strength, by);
        }
        self.memory.carry(digest);
    }

    fn objects(&mut self) {
        if !self.is_object() {
            return;
        }
        let path = self.request.path.split(|byte| *byte == b'?').next().unwrap_or_default();
        for segment in path.split(|byte| *byte == b'/').take(MOST_SEGMENTS) {
            if !segment.is_empty() {
                self.made(segment, Strength::Hard, By::Object);
            }
        }
    }

    /// What an answer said, and is named instead of sent again, is where that answer was made.
    fn items(&mut self) {
        for id in self.request.items.iter().rev() {
            if self.made(id, Strength::Hard, By::Field) {
                return;
            }
        }
    }

    fn fields(&mut self) {
        let mut fields: Vec<_> = self.request.fields.iter().collect();
        fields.sort_by_key(|(index, _)| *index);
        for (index, id) in fields {
            let name = self.config.affinity.body_fields.get(*index).map_or("", String::as_str);
            let hard = self.is_object() || HARD_FIELDS.contains(&name);
            let strength = if hard { Strength::Hard } else { Strength::Soft };
            if !self.made(id, strength, By::Field) {
                self.carried(id, strength, By::Field);
            }
        }
    }

    fn sessions(&mut self) {
        for id in self.request.sessions {
            if !self.made(id, Strength::Soft, By::Session) {
                self.carried(id, Strength::Soft, By::Session);
            }
        }
    }

    fn prefix(&mut self) {
        let Some(prefix) = self.request.prefix.filter(|_| self.config.affinity.prefix) else {
            return;
        };
        let Request { caller, model, .. } = self.request;
        let mut found = None;
        for (digest, cut) in self.keys.cuts(caller, model, prefix) {
            if found.is_none()
                && let Some(entry) = self.table.get(digest)
            {
                found = Some(cut.length);
                self.pin(entry.upstream, entry.endpoint, Strength::Soft, By::Prefix);
            }
            // What is shorter than what was found was taught when it was the longest. Powers of two,
            // which lie inside messages, are renewed for those who branch off there.
            let is_inside = cut.length.is_power_of_two();
            if is_inside || found.is_none_or(|found| cut.length >= found) {
                let found_inside = is_inside && found == Some(cut.length);
                self.memory.prefix(digest, cut.offset, found_inside);
            }
        }
    }
}

#[cfg(test)]
mod tests;
