//! Walks over a request body as it arrives and writes down the facts of its prompt.
//!
//! The lexer says where values are, the dialect says what members mean, the digester takes the
//! pieces that belong to the prefix. One frame per open container that is looked into, at most
//! ten; everything deeper is passed over by the lexer.

use std::rc::Rc;

use super::frame::{Cuttable, Frame};
use super::prefix::Digester;
use super::{Prefix, Prompt, Span, Unread, UsageOption};
use crate::dialect::{Dialect, Meaning, Node};
use crate::json::{Kind, Lexer, Text, Visitor, Want};

/// Most places, marks and fields that are kept, of each: a bound for memory (1.3 MB of places), far
/// above what a prompt has.
const MOST: usize = 65_536;

/// Most ids of items that are kept. All were made by the account of the latest.
pub(super) const MOST_ITEMS: usize = 4;

/// As many places as a short request has, so that they do not grow one by one.
const USUAL_PLACES: usize = 16;

/// Reads a body, window by window.
pub struct Reader {
    lexer: Lexer,
    walk: Walk,
}

/// What a body says.
#[derive(Debug, PartialEq, Eq)]
pub struct Findings {
    pub prompt: Prompt,
    pub prefix: Prefix,
    /// Ids in the body: the index of the name, and the id.
    pub ids: Vec<(usize, Vec<u8>)>,
    /// Ids that stand for items of earlier answers, the latest last, at most four.
    pub items: Vec<Vec<u8>>,
}

impl Reader {
    /// `id_names` are top-level members whose string values are kept as ids.
    pub fn new(dialect: Dialect, id_names: Rc<[String]>) -> Self {
        Self { lexer: Lexer::default(), walk: Walk::new(dialect, id_names) }
    }

    /// Bytes read so far.
    pub fn offset(&self) -> usize {
        self.lexer.offset()
    }

    /// Reads the next window. After an error nothing more need be read.
    pub fn push(&mut self, window: &[u8]) -> Result<(), Unread> {
        let read = self.lexer.push(window, &mut self.walk);
        // What is no JSON stands behind it, in this window or a later one.
        self.walk.trouble.map_or(Ok(()), Err)?;
        read.map_err(Unread::Json)
    }

    /// Ends the body.
    pub fn finish(self) -> Result<Findings, Unread> {
        self.lexer.finish().map_err(Unread::Json)?;
        let Walk { mut prompt, digester, ids, items, .. } = self.walk;
        if prompt.messages == Span::default() && prompt.dialect != Dialect::Objects {
            return Err(Unread::NoPrompt);
        }
        prompt.length = offset32(self.lexer.offset());
        Ok(Findings { prompt, prefix: digester.finish(), ids, items })
    }
}

pub(super) struct Walk {
    id_names: Rc<[String]>,
    pub(super) prompt: Prompt,
    pub(super) digester: Digester,
    pub(super) ids: Vec<(usize, Vec<u8>)>,
    pub(super) items: Vec<Vec<u8>>,
    pub(super) frames: Vec<Frame>,
    /// Number of the message being read.
    pub(super) message: u32,
    pub(super) turn: u32,
    /// Whether the last message was an assistant's.
    pub(super) answered: bool,
    /// Whether only system messages came so far.
    pub(super) leading: bool,
    pub(super) trouble: Option<Unread>,
}

impl Visitor for Walk {
    fn begin(&mut self, kind: Kind, at: usize) -> Want {
        let at = offset32(at);
        let Some(frame) = self.frames.last_mut() else {
            if kind == Kind::Object {
                self.prompt.inside = at + 1;
                return self.enter(Node::Root, at);
            }
            // No prompt is in there; whether it is JSON at all is still to be seen.
            return Want::Nothing;
        };
        frame.open.value = at;
        frame.open.kind = kind;
        if frame.node.is_array() {
            let node = frame.node;
            self.begin_element(node, kind, at)
        } else {
            self.begin_member(kind, at)
        }
    }

    fn key(&mut self, name: Text<'_>, at: usize) {
        let at = offset32(at);
        let Some(frame) = self.frames.last_mut() else { return };
        self.prompt.link(core::mem::replace(&mut frame.last, Cuttable::None), at);
        let meaning = match name.whole() {
            Some(name) => self.prompt.dialect.meaning(frame.node, name),
            None => Meaning::Other,
        };
        frame.open.meaning = meaning;
        frame.open.name = at;
        if frame.node == Node::Root {
            frame.open.id = self.id_names.iter().position(|id| id.as_bytes() == name.bytes);
        }
        if frame.node == Node::StreamOptions
            && let UsageOption::Open { empty, .. } = &mut self.prompt.usage_option
        {
            *empty = false;
        }
        if !frame.note(meaning) {
            self.trouble.get_or_insert(Unread::Duplicate { at });
        }
        if matches!(meaning, Meaning::Other | Meaning::Sealed) && frame.node.is_prefix() {
            self.digester.member(name.bytes);
        }
    }

    fn raw(&mut self, piece: &[u8]) {
        self.digester.bytes(piece);
    }

    fn end(&mut self, end: usize, text: Text<'_>) {
        let end = offset32(end);
        let Some(frame) = self.frames.last() else { return };
        if !frame.node.is_array() {
            self.end_member(end, text);
        }
        self.passed(end);
    }

    fn leave(&mut self, at: usize) {
        let at = offset32(at);
        if let Some(frame) = self.frames.pop() {
            self.left(&frame, at);
            self.passed(at + 1);
        }
    }
}

impl Walk {
    fn new(dialect: Dialect, id_names: Rc<[String]>) -> Self {
        Self {
            id_names,
            prompt: Prompt::new(dialect),
            digester: Digester::default(),
            ids: Vec::new(),
            items: Vec::new(),
            frames: Vec::with_capacity(10),
            message: 0,
            turn: 0,
            answered: false,
            leading: true,
            trouble: None,
        }
    }

    /// A member or element has ended at `end`.
    fn passed(&mut self, end: u32) {
        if let Some(frame) = self.frames.last_mut() {
            frame.behind = end;
            frame.is_empty = false;
        }
        let Prompt { places, marks, fields, .. } = &self.prompt;
        if places.len().max(marks.len()).max(fields.len()) > MOST {
            self.trouble.get_or_insert(Unread::TooMany { at: end });
        }
    }
}

impl Prompt {
    fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            length: 0,
            inside: 0,
            model: None,
            stream: false,
            usage_option: UsageOption::Absent,
            tools: Span::default(),
            system: Span::default(),
            messages: Span::default(),
            places: Vec::with_capacity(USUAL_PLACES),
            marks: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// The member behind `cuttable` begins at `next`.
    fn link(&mut self, cuttable: Cuttable, next: u32) {
        let member = match cuttable {
            Cuttable::None => None,
            Cuttable::Mark(index) => self.marks.get_mut(index).map(|mark| &mut mark.member),
            Cuttable::Ttl(index) => {
                self.marks.get_mut(index).and_then(|mark| mark.ttl.as_mut()).map(|(_, ttl)| ttl)
            }
            Cuttable::Scope(index) => {
                self.marks.get_mut(index).and_then(|mark| mark.scope.as_mut())
            }
            Cuttable::Field(index) => self.fields.get_mut(index).map(|field| &mut field.member),
        };
        if let Some(member) = member {
            member.next = next;
        }
    }
}

/// Offsets fit: the limit for bodies is far below 4 GiB.
pub(super) fn offset32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
