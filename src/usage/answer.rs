//! Walks over the JSON of an answer, or of one event of a stream, for its ids and its usage.

use super::raw::{Level, Raw, Slot};
use crate::json::{Kind, Text, Visitor, Want};

/// Longest id, in bytes, that is kept; the ids of providers stay below 100.
const ID_BYTES: u16 = 256;
/// Most ids of items that are kept, half of them the first: reasoning comes first, and what a client
/// names last comes last.
const MOST_ITEMS: usize = 8;
/// Longest count, in bytes: a `u64` in digits.
const COUNT_BYTES: u16 = 20;

/// What an answer says.
#[derive(Debug, Default)]
pub struct Answer {
    /// Its ids, the answer's own first: `id`, `task_id`.
    pub ids: Vec<Vec<u8>>,
    /// Ids of the items of its output, the first and the latest.
    items: Vec<Vec<u8>>,
    /// Whether it says that the provider does not keep it.
    is_fleeting: bool,
    pub raw: Raw,
    /// Where its first choice begins; a chat stream's usage chunk has none.
    pub(super) choice: Option<usize>,
    /// Where its last usage object is, as far as that has come.
    pub(super) usage: UsageSpan,
    /// Usage objects that were found whole since they were last taken from here.
    pub(super) whole: Vec<WholeUsage>,
    frames: Vec<Node>,
    name: Name,
}

/// The bytes of a usage object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum UsageSpan {
    #[default]
    None,
    Begun {
        start: usize,
    },
    Whole {
        start: usize,
        end: usize,
    },
}

/// A usage object, and what the answer said up to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct WholeUsage {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) raw: Raw,
}

/// An open container that is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Root,
    /// `message`, `response`, `metadata`: the answer inside an event, with id and usage.
    Inner,
    /// What has a usage of its own: `x_groq`, a choice.
    Holder,
    Choices,
    /// `output` of a response, and one of its items.
    Output,
    Item,
    Usage(Level),
    WriteList,
    /// One entry of that list, and what is known of it.
    Write(WriteEntry),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct WriteEntry {
    slot: Option<Slot>,
    count: Option<u64>,
}

/// The member being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Name {
    #[default]
    Other,
    Id,
    Usage,
    Inner,
    Holder,
    Choices,
    Output,
    Store,
    Level(Level),
    Count(Slot),
    /// `cacheDetails`: the writes by lifetime, as a list.
    WriteList,
    /// In an element of that list.
    Lifetime,
    Written,
}

impl Answer {
    fn name(&self, node: Node, name: &[u8]) -> Name {
        match (node, name) {
            (Node::Root, b"id" | b"task_id" | b"responseId")
            | (Node::Inner | Node::Item, b"id") => Name::Id,
            (Node::Root | Node::Inner | Node::Holder, b"usage")
            | (Node::Root, b"usageMetadata" | b"amazon-bedrock-invocationMetrics") => Name::Usage,
            (Node::Root, b"message" | b"response" | b"metadata") => Name::Inner,
            (Node::Root | Node::Inner, b"output") => Name::Output,
            (Node::Root | Node::Inner, b"store") => Name::Store,
            (Node::Root, b"x_groq") => Name::Holder,
            (Node::Root, b"choices") => Name::Choices,
            (Node::Usage(level), name) => match level.inside(name) {
                Some(inside) => Name::Level(inside),
                None if name == b"cacheDetails" => Name::WriteList,
                None => Slot::named(level, name).map_or(Name::Other, Name::Count),
            },
            (Node::Write(_), b"ttl") => Name::Lifetime,
            (Node::Write(_), b"inputTokens") => Name::Written,
            _ => Name::Other,
        }
    }
}

impl Visitor for Answer {
    fn begin(&mut self, kind: Kind, at: usize) -> Want {
        let Some(node) = self.frames.last().copied() else {
            return self.enter_if(kind == Kind::Object, Node::Root);
        };
        if node == Node::Choices {
            let first = self.choice.is_none();
            self.choice.get_or_insert(at);
            return self.enter_if(first && kind == Kind::Object, Node::Holder);
        }
        let object = kind == Kind::Object;
        if node == Node::WriteList {
            return self.enter_if(object, Node::Write(WriteEntry::default()));
        }
        if node == Node::Output {
            return self.enter_if(object, Node::Item);
        }
        match self.name {
            Name::Id if kind == Kind::String => Want::Text(ID_BYTES),
            Name::Inner => self.enter_if(object, Node::Inner),
            Name::Holder => self.enter_if(object, Node::Holder),
            Name::Choices => self.enter_if(kind == Kind::Array, Node::Choices),
            Name::Output => self.enter_if(kind == Kind::Array, Node::Output),
            Name::Store => {
                self.is_fleeting = kind == Kind::False;
                Want::Nothing
            }
            Name::Level(level) => self.enter_if(object, Node::Usage(level)),
            Name::Usage if object => {
                self.usage = UsageSpan::Begun { start: at };
                self.enter_if(true, Node::Usage(Level::Usage))
            }
            Name::WriteList => self.enter_if(kind == Kind::Array, Node::WriteList),
            Name::Count(_) | Name::Lifetime | Name::Written
                if matches!(kind, Kind::Number | Kind::String) =>
            {
                Want::Text(COUNT_BYTES)
            }
            _ => Want::Nothing,
        }
    }

    fn key(&mut self, name: Text<'_>, _at: usize) {
        self.name = match (self.frames.last(), name.whole()) {
            (Some(node), Some(name)) => self.name(*node, name),
            _ => Name::Other,
        };
    }

    fn raw(&mut self, _piece: &[u8]) {}

    fn end(&mut self, _end: usize, text: Text<'_>) {
        let Some(text) = text.whole().filter(|text| !text.is_empty()) else { return };
        // Some relays write counts as strings.
        let count = || core::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
        match (self.name, self.frames.last_mut()) {
            (Name::Id, Some(Node::Item)) => {
                if self.items.len() == MOST_ITEMS {
                    self.items.remove(MOST_ITEMS / 2);
                }
                self.items.push(text.to_vec());
            }
            (Name::Id, _) => self.ids.push(text.to_vec()),
            (Name::Count(slot), _) => {
                if let Some(count) = count() {
                    self.raw.set(slot, count);
                }
            }
            (Name::Written, Some(Node::Write(entry))) => entry.count = count(),
            (Name::Lifetime, Some(Node::Write(entry))) => {
                entry.slot = match text {
                    b"5m" => Some(Slot::Write5m),
                    b"1h" => Some(Slot::Write1h),
                    _ => None,
                };
            }
            _ => {}
        }
    }

    fn leave(&mut self, at: usize) {
        match (self.frames.pop(), self.usage) {
            (Some(Node::Usage(Level::Usage)), UsageSpan::Begun { start }) => {
                let end = at + 1;
                self.usage = UsageSpan::Whole { start, end };
                self.whole.push(WholeUsage { start, end, raw: self.raw });
            }
            (Some(Node::Write(WriteEntry { slot: Some(slot), count: Some(count) })), _) => {
                self.raw.set(slot, count);
            }
            _ => {}
        }
        self.name = Name::Other;
    }
}

impl Answer {
    /// The ids of its items; none of what the provider does not keep.
    pub fn items(&self) -> &[Vec<u8>] {
        if self.is_fleeting { &[] } else { &self.items }
    }

    /// Gets ready for the next event, with the memory of this one.
    pub(super) fn restart(&mut self) {
        let Self { mut ids, mut whole, mut frames, .. } = core::mem::take(self);
        ids.clear();
        whole.clear();
        frames.clear();
        *self = Self { ids, whole, frames, ..Self::default() };
    }

    fn enter_if(&mut self, condition: bool, node: Node) -> Want {
        if condition {
            self.frames.push(node);
            Want::Enter
        } else {
            Want::Nothing
        }
    }
}
