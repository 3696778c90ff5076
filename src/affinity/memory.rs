//! What one exchange can teach, and learns when its answer comes.

use core::net::SocketAddr;

use super::table::{Change, Entry, Seen, Table};
use super::{Caller, Issued, Keys};

/// What an exchange leaves behind once it is answered.
#[derive(Debug)]
pub struct Memory {
    caller: Caller,
    /// Digest of the model that what is learned holds for.
    model: u32,
    /// When the request came, in seconds of Unix time: from then on caches live.
    start: u32,
    /// Digests of ids that it carried.
    carried: Vec<u128>,
    /// Digests of ids made by earlier answers that it used.
    renewed: Vec<u128>,
    /// Its prefix, longest first.
    prefix: Vec<Part>,
    /// What was taught of the prefix, to take it back.
    taught: Vec<Taught>,
    /// The table where the choice looked at it.
    pub(super) seen: Seen,
    /// Digest of the name of the upstream that it was pinned to.
    pub(super) pinned: Option<u64>,
    /// Whether its prompt goes on from one that was answered before.
    pub(super) is_continued: bool,
}

/// A prefix of the prompt, up to one of its cuts.
#[derive(Debug)]
struct Part {
    digest: u128,
    /// Offset in the body.
    offset: u32,
    /// Whether it goes with this exchange, though it may be alive elsewhere.
    moves: bool,
}

#[derive(Debug)]
struct Taught {
    digest: u128,
    before: Option<Entry>,
    now: Entry,
}

/// Where an exchange was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// Digest of the upstream's name.
    pub upstream: u64,
    pub endpoint: Option<SocketAddr>,
}

/// How long what was cached lives, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    pub seconds: u32,
    /// Up to this offset in the body, an hour.
    pub hour_until: u32,
}

impl Lifetimes {
    fn at(self, offset: u32) -> u32 {
        if offset <= self.hour_until { self.seconds.max(3600) } else { self.seconds }
    }
}

impl Memory {
    pub(super) fn new(caller: Caller, model: u32, start: u32) -> Self {
        Self {
            caller,
            model,
            start,
            carried: Vec::new(),
            renewed: Vec::new(),
            prefix: Vec::new(),
            taught: Vec::new(),
            seen: Seen::default(),
            pinned: None,
            is_continued: false,
        }
    }

    pub(super) fn carry(&mut self, digest: u128) {
        self.carried.push(digest);
    }

    pub(super) fn renew(&mut self, digest: u128) {
        self.renewed.push(digest);
    }

    /// Adds a shorter prefix than those before.
    pub(super) fn prefix(&mut self, digest: u128, offset: u32, found_inside: bool) {
        // The longest was used where this exchange is served, whatever is known of it. And of a
        // message that grows no follow-up shares the end: where it was found inside is all that
        // tells where it is now.
        let moves = self.prefix.is_empty() || found_inside;
        self.prefix.push(Part { digest, offset, moves });
    }

    /// The id for the client to bring back.
    pub fn issue(&self, keys: &Keys, served: Served, now: u32) -> Option<String> {
        let issued = Issued { at: now, upstream: served.upstream, model: self.model };
        keys.issue(&issued, &self.caller)
    }

    /// A good answer has begun: ids and sessions are known to be there.
    ///
    /// A session goes with the conversation in it. Small requests beside that, which have no prefix to lose,
    /// take it along only from where they were pinned themselves: when an account dies, requests that are on
    /// their way together may end up at several others.
    pub fn learn_ids(&mut self, table: &mut Table<'_>, served: Served, ttl_seconds: u32, now: u32) {
        table.remember(&mut self.seen);
        let entry = self.entry(served, now.saturating_add(ttl_seconds), now);
        for digest in &self.carried {
            table.update(*digest, |known| {
                let has_moved = known.zip(self.pinned).is_some_and(|(known, pinned)| {
                    known.upstream != pinned && known.upstream != served.upstream
                });
                (self.is_continued || !has_moved).then_some(Change::Keep(entry))
            });
        }
        for digest in &self.renewed {
            // An id stays where its answer was made, wherever this exchange went.
            table.update(*digest, |known| {
                let known = known?;
                Some(Change::Keep(Entry { expires: known.expires.max(entry.expires), ..*known }))
            });
        }
    }

    /// A good answer has begun: its prefix is cached where it is served.
    ///
    /// What is alive elsewhere stays there, for those who branch off, but for what moves with it.
    pub fn learn_prefix(
        &mut self,
        table: &mut Table<'_>,
        served: Served,
        lives: Lifetimes,
        now: u32,
    ) {
        table.remember(&mut self.seen);
        for Part { digest, offset, moves } in &self.prefix {
            let expires = self.start.saturating_add(lives.at(*offset));
            let entry = self.entry(served, expires, now);
            let before = table.update(*digest, |known| {
                let elsewhere = known.is_some_and(|known| known.upstream != served.upstream);
                (*moves || !elsewhere).then_some(Change::Keep(entry))
            });
            if let Some(before) = before {
                self.taught.push(Taught { digest: *digest, before, now: entry });
            }
        }
    }

    /// The provider says that it cached nothing: what was known before holds again.
    pub fn take_back(&mut self, table: &mut Table<'_>) {
        for Taught { digest, before, now } in self.taught.drain(..) {
            table.update(digest, |known| {
                let ours = known.is_some_and(|known| *known == now);
                ours.then_some(before.map_or(Change::Remove, Change::Keep))
            });
        }
    }

    /// The answer told its id: what it names is where it was made.
    pub fn learn_answer(
        &self,
        keys: &Keys,
        table: &mut Table<'_>,
        served: Served,
        id: &[u8],
        ttl_seconds: u32,
        now: u32,
    ) {
        let expires = now.saturating_add(ttl_seconds);
        let entry = self.entry(served, expires, now);
        table.update(keys.made(&self.caller, id), |_| Some(Change::Keep(entry)));
    }

    fn entry(&self, served: Served, expires: u32, now: u32) -> Entry {
        let Served { upstream, endpoint } = served;
        Entry { upstream, expires, written: now, model: self.model, endpoint }
    }
}
