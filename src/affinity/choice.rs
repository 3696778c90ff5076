//! The choice: each source of a request in its order, until one names a live holder.

use core::net::SocketAddr;

use super::keys::{ANY_MODEL, model_digest, upstream_digest};
use super::{By, Choice, Keys, Memory, Pin, Request, Strength, Table};
use crate::config::{Config, Upstream};
use crate::dialect::Dialect;

/// Fields that name state of one account.
const HARD_FIELDS: [&str; 2] = ["previous_response_id", "task_id"];

/// Most segments of an object's path that are looked up.
const MOST_SEGMENTS: usize = 8;

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
    chooser.memory.seen = chooser.table.seen();
    let pinned = chooser.pin.and_then(|pin| config.upstreams.get(pin.upstream));
    chooser.memory.pinned = pinned.map(|upstream| upstream_digest(&upstream.name));
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
        match self.configured(upstream) {
            Some((upstream, known)) if self.speaks(known) => {
                let endpoint = endpoint.filter(|_| known.pin_endpoint);
                self.pin = Some(Pin { upstream, endpoint, strength, by });
            }
            Some(_) => {}
            None => self.is_stale = true,
        }
    }

    /// The upstream of this digest, and its index.
    fn configured(&self, upstream: u64) -> Option<(usize, &Upstream)> {
        let mut configured = self.config.upstreams.iter().enumerate();
        configured.find(|(_, known)| upstream_digest(&known.name) == upstream)
    }

    fn speaks(&self, upstream: &Upstream) -> bool {
        self.is_object() || upstream.accepts(self.request.dialect, self.request.model).is_some()
    }

    /// Whether what holds for a model holds for this request.
    fn fits(&self, model: u32) -> bool {
        self.is_object() || model == self.model || model == ANY_MODEL
    }

    fn request_id(&mut self, now: u32) {
        let Some(id) = self.request.request_id else { return };
        let Some(issued) = self.keys.read_issued(id, &self.request.caller) else { return };
        let is_live = now.saturating_sub(issued.at) < self.config.affinity.ttl_seconds;
        if is_live && self.fits(issued.model) {
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
        if strength == Strength::Hard || self.fits(entry.model) {
            self.memory.renew(digest);
            self.pin(entry.upstream, entry.endpoint, strength, by);
        }
        true
    }

    /// Looks up an id that an answer may have made. If none has, earlier requests may have carried
    /// it, and that this one does is remembered.
    fn made_or_carried(&mut self, id: &[u8], strength: Strength, by: By) {
        if self.made(id, strength, by) {
            return;
        }
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
            self.made_or_carried(id, strength, By::Field);
        }
    }

    fn sessions(&mut self) {
        for id in self.request.sessions {
            self.made_or_carried(id, Strength::Soft, By::Session);
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
                self.pin(entry.upstream, entry.endpoint, Strength::Soft, By::Prefix);
                found = self.configured(entry.upstream).map(|_| cut.length);
                self.memory.is_continued |= found.is_some();
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
