//! An open container that the reader looks into, and the member of it that is being read.

use xxhash_rust::xxh3::Xxh3;

use super::Member;
use crate::dialect::{Block, MarkKind, Meaning, Node, Role};
use crate::json::Kind;

pub(super) struct Frame {
    pub(super) node: Node,
    /// Offset of its opening bracket.
    pub(super) start: u32,
    /// Offset behind the opening bracket or behind the last member.
    pub(super) behind: u32,
    pub(super) is_empty: bool,
    pub(super) open: Open,
    /// What may stand once and has stood: bits of [`once`].
    seen: u16,
    /// The last member that may be cut out, to learn where the next one begins.
    pub(super) last: Cuttable,
    /// Its own marks of either kind, as indices.
    pub(super) marks: [Option<usize>; 2],
    /// How many places there were when it began.
    pub(super) places_from: usize,
    pub(super) role: Option<Role>,
    pub(super) block: Option<Block>,
    /// Whether it has a type; only asked of marks.
    pub(super) is_typed: bool,
    /// Whether its text is blank; none without a text.
    pub(super) blank: Option<bool>,
    /// The id of an item.
    pub(super) item_id: Option<Box<[u8]>>,
    /// Whether its type is one whose items may say nothing but their id; none without a type.
    pub(super) by_id: Option<bool>,
    /// Whether it carries sealed reasoning.
    pub(super) is_sealed: bool,
    /// The digest in front of it, and whether to go back to that. Boxed: frames are moved, and this
    /// is by far the most of one.
    pub(super) snapshot: Option<Box<Xxh3>>,
    pub(super) left_out: bool,
}

/// The member, or element, that is being read.
pub(super) struct Open {
    pub(super) meaning: Meaning,
    pub(super) name: u32,
    pub(super) value: u32,
    pub(super) kind: Kind,
    /// Which of the ids that are looked for it is.
    pub(super) id: Option<usize>,
}

/// A member that a rule may cut out, by its index.
#[derive(Clone, Copy)]
pub(super) enum Cuttable {
    None,
    Mark(usize),
    Ttl(usize),
    Scope(usize),
    Field(usize),
}

impl Frame {
    pub(super) fn new(node: Node, at: u32, places_from: usize) -> Self {
        Self {
            node,
            start: at,
            behind: at + 1,
            is_empty: true,
            open: Open { meaning: Meaning::Other, name: at, value: at, kind: Kind::Null, id: None },
            seen: 0,
            last: Cuttable::None,
            marks: [None; 2],
            places_from,
            role: None,
            block: None,
            is_typed: false,
            blank: None,
            item_id: None,
            by_id: None,
            is_sealed: false,
            snapshot: None,
            left_out: false,
        }
    }

    /// The member being read, as one that ends at `end`.
    pub(super) fn member(&self, end: u32) -> Member {
        Member {
            before: self.behind,
            start: self.open.name,
            value: self.open.value,
            end,
            next: end,
            first: self.is_empty,
        }
    }

    /// Notes a member that may stand only once; false if it stood already.
    pub(super) fn note(&mut self, meaning: Meaning) -> bool {
        let bit = once(meaning);
        let fresh = self.seen & bit == 0;
        self.seen |= bit;
        fresh
    }

    pub(super) fn own_mark(&mut self, kind: MarkKind) -> &mut Option<usize> {
        let [control, point] = &mut self.marks;
        match kind {
            MarkKind::CacheControl => control,
            MarkKind::Breakpoint => point,
        }
    }
}

/// One bit for each meaning whose second member would make it unclear what the prompt is. Marks
/// and fields may stand twice: the later one counts, both can be cut out.
fn once(meaning: Meaning) -> u16 {
    match meaning {
        Meaning::Other
        | Meaning::Sealed
        | Meaning::ItemId
        | Meaning::Mark(_)
        | Meaning::Field(_) => 0,
        Meaning::Ttl | Meaning::Scope | Meaning::Mode => 0,
        Meaning::Model => 1,
        Meaning::Stream => 1 << 1,
        Meaning::StreamOptions => 1 << 2,
        Meaning::IncludeUsage => 1 << 3,
        Meaning::Tools => 1 << 4,
        Meaning::System => 1 << 5,
        Meaning::Messages => 1 << 6,
        Meaning::Role => 1 << 7,
        Meaning::Content | Meaning::Output => 1 << 8,
        Meaning::Type => 1 << 9,
        Meaning::Text => 1 << 10,
        Meaning::Function => 1 << 11,
        Meaning::Calls => 1 << 12,
    }
}
