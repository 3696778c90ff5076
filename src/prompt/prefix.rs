//! Digests of a prompt's prefix: what the cache follows, in one pass.
//!
//! Providers cache tools, system, messages, in that order whatever their order in the bytes; so
//! each section has its digest, and the chain over the messages is combined with the others only
//! at the end. Left out is what providers leave out or what changes for nothing; the reader
//! decides that. Tags below 0x09 separate the pieces: no such byte occurs in JSON text outside
//! of its own syntax, so no two prompts have the same pieces.

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::hasher::Hasher;
use super::{Role, Section};

pub(super) const BLOCK: u8 = 1;
pub(super) const MEMBER: u8 = 2;
pub(super) const VALUE: u8 = 3;
pub(super) const TEXT: u8 = 4;
pub(super) const ROLE: u8 = 5;
pub(super) const MESSAGE: u8 = 6;
pub(super) const NESTED: u8 = 7;
pub(super) const TOOL: u8 = 8;

/// How many message ends are remembered, the latest. A follow-up adds two or three, with many tool
/// calls at a time a dozen; an edited turn further back is still found by its position. Each costs a
/// write of shared data where a conversation is new.
const MESSAGE_ENDS: usize = 12;
/// How many cuts at marks are remembered: as many as a provider takes.
const MARK_CUTS: usize = 4;
/// The first cut by position, in bytes of the chain. Each next one is at twice as many. Below
/// that, no provider caches.
const FIRST_POSITION: u64 = 2048;
/// How much of the first user message the opener covers, in bytes: enough to tell conversations
/// apart, and read long before the end of a prompt.
const OPENER_BYTES: usize = 4096;

/// How much a short first message has.
const USUAL_OPENER_BYTES: usize = 512;

/// A point inside the conversation up to which a provider may hold the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Bytes of the chain up to here.
    pub length: u64,
    /// Digest of the chain up to here.
    pub chain: u128,
    /// Offset in the body, of this point or of the value that it lies in.
    pub offset: u32,
}

/// The digests of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix {
    pub tools: u128,
    pub system: u128,
    /// Digest of the beginning of the first user message.
    pub opener: u128,
    /// Points inside the conversation, longest first.
    pub cuts: Vec<Cut>,
}

/// Makes a [`Prefix`] from the pieces that the reader finds worth it.
pub(super) struct Digester {
    section: Option<Section>,
    hasher: Hasher,
    /// Bytes of the chain so far.
    length: u64,
    /// Where in the body the piece that is being added begins.
    offset: u32,
    next_position: u64,
    tools: u128,
    system: u128,
    opener: Opener,
    positions: Vec<Cut>,
    ends: Vec<Cut>,
    marks: Vec<Cut>,
}

enum Opener {
    /// Bytes of a message that may be the first of a user.
    Reading(Vec<u8>),
    Done(u128),
}

impl Default for Digester {
    fn default() -> Self {
        Self {
            section: None,
            hasher: Hasher::default(),
            length: 0,
            offset: 0,
            next_position: FIRST_POSITION,
            tools: 0,
            system: 0,
            opener: Opener::Reading(Vec::with_capacity(USUAL_OPENER_BYTES)),
            positions: Vec::new(),
            ends: Vec::new(),
            marks: Vec::new(),
        }
    }
}

impl Digester {
    pub(super) fn begin(&mut self, section: Section) {
        self.section = Some(section);
        self.hasher.reset();
    }

    pub(super) fn end(&mut self) {
        match self.section.take() {
            Some(Section::Tools) => self.tools = self.hasher.digest(),
            Some(Section::System) => self.system = fold(self.system, self.hasher.digest()),
            Some(Section::Messages) | None => {}
        }
    }

    pub(super) fn tag(&mut self, tag: u8) {
        self.bytes(&[tag]);
    }

    /// What comes next lies at `offset` of the body, or behind.
    pub(super) fn locate(&mut self, offset: u32) {
        self.offset = offset;
    }

    /// Adds the head of a member: its name, then the value follows.
    pub(super) fn member(&mut self, name: &[u8]) {
        self.tag(MEMBER);
        self.bytes(name);
        self.tag(VALUE);
    }

    pub(super) fn bytes(&mut self, mut piece: &[u8]) {
        match self.section {
            None => return,
            Some(Section::Tools | Section::System) => return self.hasher.update(piece),
            Some(Section::Messages) => {}
        }
        if let Opener::Reading(bytes) = &mut self.opener {
            let room = OPENER_BYTES.saturating_sub(bytes.len());
            bytes.extend_from_slice(piece.get(..room).unwrap_or(piece));
        }
        while let Some(cut) = self.next_position.checked_sub(self.length)
            && let Some((head, rest)) =
                usize::try_from(cut).ok().and_then(|n| piece.split_at_checked(n))
        {
            self.hasher.update(head);
            self.length = self.next_position;
            self.next_position *= 2;
            let here = self.here();
            self.positions.push(here);
            piece = rest;
        }
        self.hasher.update(piece);
        self.length += piece.len() as u64;
    }

    fn here(&mut self) -> Cut {
        Cut { length: self.length, chain: self.hasher.digest(), offset: self.offset }
    }

    /// A marked block of the conversation has ended.
    pub(super) fn mark(&mut self) {
        if self.section == Some(Section::Messages) {
            let here = self.here();
            push_latest(&mut self.marks, here, MARK_CUTS);
        }
    }

    /// A message has ended; `leading` if nothing but system messages came before it.
    pub(super) fn message_end(&mut self, role: Role, leading: bool) {
        if leading && role == Role::System {
            self.system = fold(self.system, self.hasher.digest());
            self.hasher.reset();
            self.length = 0;
            self.next_position = FIRST_POSITION;
            self.positions.clear();
            self.marks.clear();
        } else {
            let here = self.here();
            push_latest(&mut self.ends, here, MESSAGE_ENDS);
        }
        if let Opener::Reading(bytes) = &mut self.opener {
            if role == Role::User {
                self.opener = Opener::Done(xxh3_128(bytes));
            } else {
                bytes.clear();
            }
        }
    }

    /// The state of the system's digest, to come back to.
    pub(super) fn snapshot(&mut self) -> Box<Xxh3> {
        self.hasher.state()
    }

    /// Forgets what came since the snapshot.
    pub(super) fn restore(&mut self, snapshot: &Xxh3) {
        self.hasher.restore(snapshot);
    }

    pub(super) fn finish(self) -> Prefix {
        let mut cuts = self.positions;
        cuts.extend(self.ends);
        cuts.extend(self.marks);
        cuts.sort_unstable_by_key(|cut| core::cmp::Reverse((cut.length, cut.offset)));
        cuts.dedup_by_key(|cut| cut.length);
        let opener = match self.opener {
            Opener::Done(digest) => digest,
            Opener::Reading(bytes) => xxh3_128(&bytes),
        };
        Prefix { tools: self.tools, system: self.system, opener, cuts }
    }
}

fn fold(before: u128, digest: u128) -> u128 {
    let mut both = [0; 32];
    let (left, right) = both.split_at_mut(16);
    left.copy_from_slice(&before.to_le_bytes());
    right.copy_from_slice(&digest.to_le_bytes());
    xxh3_128(&both)
}

/// Adds the latest; of more than `most`, the oldest goes.
pub(super) fn push_latest<T>(all: &mut Vec<T>, latest: T, most: usize) {
    if all.len() == most {
        all.remove(0);
    }
    all.push(latest);
}
