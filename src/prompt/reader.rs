//! Walks over a request body as it arrives and writes down the facts of its prompt.
//!
//! The lexer says where values are, the dialect says what members mean, the digester takes the
//! pieces that belong to the prefix. One frame per open container that is looked into, at most
//! ten; everything deeper is passed over by the lexer.

use std::rc::Rc;

use super::frame::{Cuttable, Frame};
use super::prefix::{self, Digester};
use super::{
    Carrier, Field, Form, Mark, Model, Place, Prefix, Prompt, Seat, Section, Span, Ttl, Unread,
    UsageOption,
};
use crate::dialect::{Block, Dialect, FieldKind, MarkKind, Meaning, Node, Role};
use crate::json::{Kind, Lexer, Text, Visitor, Want};

/// Longest id, in bytes, that is looked up; the ids of providers stay below 100.
const ID_BYTES: u16 = 256;
/// Longest model name, in bytes; the longest in use, a Bedrock profile's ARN, stays below.
const MODEL_BYTES: u16 = 256;
/// How much of a text is looked at, in bytes: enough for [`BILLING`].
const TEXT_BYTES: u16 = 64;
/// Longest role, type or ttl that is told apart, in bytes.
const WORD_BYTES: u16 = 64;
/// Most places, and most marks, that are kept: a bound for memory (1.3 MB of places), far above
/// what a prompt has.
const MOST: usize = 65_536;
/// Claude Code's attribution block. Its text differs from session to session, in old versions from
/// request to request; Anthropic leaves it out of the cache's key (code.claude.com, LLM gateway
/// protocol, read 2026-11).
const BILLING: &[u8] = b"x-anthropic-billing-header:";

/// Reads a body, window by window.
pub struct Reader {
    lexer: Lexer,
    walk: Walk,
}

/// What a body says.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    pub prompt: Prompt,
    pub prefix: Prefix,
    /// Ids in the body: the index of the name, and the id.
    pub ids: Vec<(usize, Vec<u8>)>,
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
        self.lexer.push(window, &mut self.walk).map_err(Unread::Json)?;
        self.walk.trouble.map_or(Ok(()), Err)
    }

    /// Ends the body.
    pub fn finish(self) -> Result<Reading, Unread> {
        self.lexer.finish().map_err(Unread::Json)?;
        let Walk { mut prompt, digester, ids, .. } = self.walk;
        if prompt.messages == Span::default() && prompt.dialect != Dialect::Objects {
            return Err(Unread::NoPrompt);
        }
        prompt.length = offset32(self.lexer.offset());
        Ok(Reading { prompt, prefix: digester.finish(), ids })
    }
}

struct Walk {
    id_names: Rc<[String]>,
    prompt: Prompt,
    digester: Digester,
    ids: Vec<(usize, Vec<u8>)>,
    frames: Vec<Frame>,
    /// Number of the message being read.
    message: u32,
    turn: u32,
    /// Whether the last message was an assistant's.
    answered: bool,
    /// Whether only system messages came so far.
    leading: bool,
    trouble: Option<Unread>,
}

impl Visitor for Walk {
    fn begin(&mut self, kind: Kind, at: usize) -> Want {
        let at = offset32(at);
        let Some(frame) = self.frames.last_mut() else {
            if kind == Kind::Object {
                self.prompt.inside = at + 1;
                return self.enter(Node::Root, at);
            }
            self.trouble = Some(Unread::NoPrompt);
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
        if meaning == Meaning::Other && frame.node.is_prefix() {
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
        if self.prompt.places.len() > MOST || self.prompt.marks.len() > MOST {
            self.trouble.get_or_insert(Unread::TooMany { at: end });
        }
    }

    fn enter(&mut self, node: Node, at: u32) -> Want {
        let mut frame = Frame::new(node, at, self.prompt.places.len());
        match node {
            Node::Tools => self.digester.begin(Section::Tools),
            Node::System => self.digester.begin(Section::System),
            Node::Messages => self.digester.begin(Section::Messages),
            Node::Tool => self.digester.tag(prefix::TOOL),
            Node::Message => self.digester.tag(prefix::MESSAGE),
            Node::Block => self.digester.tag(prefix::BLOCK),
            Node::SystemBlock => {
                frame.snapshot = Some(self.digester.snapshot());
                self.digester.tag(prefix::BLOCK);
            }
            Node::Nested => self.digester.member(b"content"),
            Node::Calls => self.digester.member(b"tool_calls"),
            Node::Function | Node::CallFunction => self.digester.member(b"function"),
            Node::NestedBlock | Node::Call => self.digester.tag(prefix::NESTED),
            _ => {}
        }
        self.frames.push(frame);
        Want::Enter
    }

    fn begin_element(&mut self, node: Node, kind: Kind, at: u32) -> Want {
        let child = match node {
            Node::Tools => Node::Tool,
            Node::System => Node::SystemBlock,
            Node::Messages => Node::Message,
            Node::Content => Node::Block,
            Node::Nested => Node::NestedBlock,
            _ => Node::Call,
        };
        if kind == Kind::Object {
            return self.enter(child, at);
        }
        if matches!(child, Node::Tool | Node::SystemBlock | Node::Message) {
            self.trouble.get_or_insert(Unread::NoPrompt);
        }
        self.digester.tag(prefix::NESTED);
        Want::Raw
    }

    fn begin_member(&mut self, kind: Kind, at: u32) -> Want {
        let Some(frame) = self.frames.last() else { return Want::Nothing };
        let node = frame.node;
        let is_id = frame.open.id.is_some();
        match (frame.open.meaning, kind) {
            (Meaning::Mark(mark), _) => self.begin_mark(mark, kind, at),
            (Meaning::Field(field), _) => self.begin_field(field, kind, at),
            (Meaning::Tools, Kind::Array) => self.enter(Node::Tools, at),
            (Meaning::System, Kind::Array) => self.enter(Node::System, at),
            (Meaning::Messages, Kind::Array) => self.enter(Node::Messages, at),
            (Meaning::System, Kind::String) => {
                self.digester.begin(Section::System);
                if let Some(frame) = self.frames.last_mut() {
                    frame.snapshot = Some(self.digester.snapshot());
                }
                self.begin_text_block(at)
            }
            (Meaning::Messages, Kind::String) if self.prompt.dialect == Dialect::Responses => {
                self.digester.begin(Section::Messages);
                self.digester.tag(prefix::MESSAGE);
                self.digester.tag(prefix::ROLE);
                self.digester.bytes(b"user");
                self.begin_text_block(at)
            }
            (Meaning::Content, Kind::Array) if node == Node::Message => {
                self.enter(Node::Content, at)
            }
            (Meaning::Content, Kind::Array) => self.enter(Node::Nested, at),
            (Meaning::Content, Kind::String) if node == Node::Message => self.begin_text_block(at),
            (Meaning::Calls, Kind::Array) => self.enter(Node::Calls, at),
            (Meaning::Function, Kind::Object) if node == Node::Tool => {
                self.enter(Node::Function, at)
            }
            (Meaning::Function, Kind::Object) => self.enter(Node::CallFunction, at),
            (Meaning::StreamOptions, Kind::Object) => {
                self.prompt.usage_option = UsageOption::Open { inside: at + 1, empty: true };
                self.enter(Node::StreamOptions, at)
            }
            (Meaning::Text, Kind::String) => {
                self.digester.tag(prefix::TEXT);
                self.digester.locate(at);
                Want::RawAndText(TEXT_BYTES)
            }
            (Meaning::Model, Kind::String) => Want::Text(MODEL_BYTES),
            (Meaning::Type | Meaning::Role | Meaning::Ttl, Kind::String) => Want::Text(WORD_BYTES),
            (Meaning::Messages, _)
            | (Meaning::Tools | Meaning::System, Kind::Object | Kind::Number | Kind::String) => {
                self.trouble.get_or_insert(Unread::NoPrompt);
                Want::Nothing
            }
            (Meaning::Content | Meaning::Calls | Meaning::Function | Meaning::Text, _) => {
                // Of a shape that carries no marks: content all the same.
                self.digester.member(b"");
                self.digester.locate(at);
                Want::Raw
            }
            (Meaning::Other, _) if node.is_prefix() => {
                self.digester.locate(at);
                Want::Raw
            }
            (_, Kind::String) if is_id => Want::Text(ID_BYTES),
            _ => Want::Nothing,
        }
    }

    /// A string that stands for one text block begins.
    fn begin_text_block(&mut self, at: u32) -> Want {
        self.digester.tag(prefix::BLOCK);
        self.digester.tag(prefix::TEXT);
        self.digester.locate(at);
        Want::RawAndText(TEXT_BYTES)
    }

    fn begin_mark(&mut self, kind: MarkKind, value: Kind, at: u32) -> Want {
        let place = offset32(self.prompt.places.len());
        let index = self.prompt.marks.len();
        let Some(frame) = self.frames.last_mut() else { return Want::Nothing };
        let seat = match frame.node {
            Node::Root => Seat::Top,
            Node::Tool | Node::SystemBlock | Node::Block => Seat::Place(place),
            Node::Function | Node::NestedBlock => Seat::Inside(place),
            _ => Seat::Message(self.message),
        };
        let form = match value {
            Kind::Null => Form::Null,
            Kind::Object => Form::Object,
            _ => Form::Odd,
        };
        let member = frame.member(at);
        if let Some(earlier) = frame.own_mark(kind).replace(index)
            && let Some(earlier) = self.prompt.marks.get_mut(earlier)
        {
            earlier.shadowed = true;
        }
        let mark = Mark { kind, seat, form, member, ttl: None, scope: None, shadowed: false };
        self.prompt.marks.push(mark);
        match form {
            Form::Object => self.enter(Node::Mark, at),
            Form::Null | Form::Odd => Want::Nothing,
        }
    }

    fn begin_field(&mut self, kind: FieldKind, value: Kind, at: u32) -> Want {
        let Some(frame) = self.frames.last() else { return Want::Nothing };
        let member = frame.member(at);
        for earlier in &mut self.prompt.fields {
            earlier.shadowed |= earlier.kind == kind;
        }
        self.prompt.fields.push(Field { kind, member, ttl: None, shadowed: false });
        match value {
            Kind::Object if kind == FieldKind::CacheOptions => self.enter(Node::CacheOptions, at),
            Kind::String => Want::Text(ID_BYTES),
            _ => Want::Nothing,
        }
    }

    /// A member that was not entered has ended.
    fn end_member(&mut self, end: u32, text: Text<'_>) {
        let Some(frame) = self.frames.last_mut() else { return };
        let value = Span { start: frame.open.value, end };
        let (meaning, kind, node) = (frame.open.meaning, frame.open.kind, frame.node);
        if let (Some(id), Kind::String, Some(text)) = (frame.open.id, kind, text.whole()) {
            self.ids.retain(|(known, _)| *known != id);
            self.ids.push((id, text.to_vec()));
        }
        match meaning {
            Meaning::Model if kind == Kind::String => {
                self.prompt.model = text
                    .whole()
                    .and_then(|name| core::str::from_utf8(name).ok())
                    .map(|name| Model { name: name.into(), value });
            }
            Meaning::Stream => self.prompt.stream = kind == Kind::True,
            Meaning::StreamOptions if kind == Kind::Null => {
                self.prompt.usage_option = UsageOption::Null(value);
            }
            Meaning::IncludeUsage => {
                self.prompt.usage_option = UsageOption::Set(kind == Kind::True);
            }
            Meaning::System if kind == Kind::String => self.end_system_text(value, text),
            Meaning::Messages if kind == Kind::String => self.end_input_text(value, text),
            Meaning::Content if kind == Kind::String && node == Node::Message => {
                let block = if is_blank(text) { Block::Blank } else { Block::Text };
                self.push_place(Section::Messages, block, Carrier::Text, value);
            }
            Meaning::Text if kind == Kind::String => {
                frame.blank = Some(is_blank(text));
                frame.left_out = frame.snapshot.is_some() && text.bytes.starts_with(BILLING);
            }
            Meaning::Type => self.end_type(text),
            Meaning::Role => {
                frame.role = Some(role(text.bytes));
                self.digester.tag(prefix::ROLE);
                self.digester.bytes(text.bytes);
            }
            Meaning::Ttl | Meaning::Scope => self.end_mark_member(meaning, end, text),
            Meaning::Mark(_) => self.end_mark(end),
            Meaning::Field(_) => self.end_field(end, text),
            _ => {}
        }
    }

    fn end_type(&mut self, text: Text<'_>) {
        let Some(frame) = self.frames.last_mut() else { return };
        match frame.node {
            Node::Mark => return,
            Node::Message => {
                if text.bytes == b"message" {
                    return;
                }
                let (role, block) = if text.bytes.ends_with(b"_output") {
                    (Role::Tool, Block::Result)
                } else {
                    (Role::Assistant, Block::Call)
                };
                frame.role.get_or_insert(role);
                frame.block = Some(block);
            }
            _ => {
                let block = self.prompt.dialect.block(text.bytes);
                frame.block = Some(block);
                if block == Block::Text {
                    return;
                }
            }
        }
        self.digester.member(b"type");
        self.digester.bytes(text.bytes);
    }

    fn end_system_text(&mut self, value: Span, text: Text<'_>) {
        if text.bytes.starts_with(BILLING)
            && let Some(frame) = self.frames.last_mut()
            && let Some(snapshot) = frame.snapshot.take()
        {
            self.digester.restore(snapshot);
        }
        self.digester.end();
        self.prompt.system = value;
        if self.prompt.dialect == Dialect::Messages {
            let block = if is_blank(text) { Block::Blank } else { Block::Text };
            self.push_place(Section::System, block, Carrier::Text, value);
        }
    }

    fn end_input_text(&mut self, value: Span, text: Text<'_>) {
        let block = if is_blank(text) { Block::Blank } else { Block::Text };
        self.push_place(Section::Messages, block, Carrier::Input, value);
        if let Some(place) = self.prompt.places.last_mut() {
            place.role = Role::User;
        }
        self.digester.message_end(Role::User, true);
        self.digester.end();
        self.prompt.messages = value;
    }

    fn end_mark(&mut self, end: u32) {
        let index = self.prompt.marks.len().wrapping_sub(1);
        if let (Some(mark), Some(frame)) = (self.prompt.marks.last_mut(), self.frames.last_mut()) {
            mark.member.end = end;
            mark.member.next = end;
            frame.last = Cuttable::Mark(index);
        }
    }

    fn end_field(&mut self, end: u32, text: Text<'_>) {
        let index = self.prompt.fields.len().wrapping_sub(1);
        if let (Some(field), Some(frame)) = (self.prompt.fields.last_mut(), self.frames.last_mut())
        {
            field.member.end = end;
            field.member.next = end;
            if field.kind == FieldKind::CacheRetention {
                field.ttl = Some(Ttl::parse(text.bytes));
            }
            frame.last = Cuttable::Field(index);
        }
    }

    /// A `ttl` or `scope` has ended, of a mark or of the cache options.
    fn end_mark_member(&mut self, meaning: Meaning, end: u32, text: Text<'_>) {
        let Some(frame) = self.frames.last_mut() else { return };
        let member = frame.member(end);
        let ttl = Ttl::parse(text.bytes);
        if frame.node == Node::CacheOptions {
            if let Some(field) = self.prompt.fields.last_mut() {
                field.ttl = Some(ttl);
            }
            return;
        }
        let index = self.prompt.marks.len().wrapping_sub(1);
        let Some(mark) = self.prompt.marks.last_mut() else { return };
        let twice = match meaning {
            Meaning::Ttl => {
                frame.last = Cuttable::Ttl(index);
                mark.ttl.replace((ttl, member)).is_some()
            }
            _ => {
                frame.last = Cuttable::Scope(index);
                mark.scope.replace(member).is_some()
            }
        };
        if twice {
            self.trouble.get_or_insert(Unread::Duplicate { at: member.start });
        }
    }

    /// An entered container has been left; its closing bracket is at `at`.
    fn left(&mut self, frame: &Frame, at: u32) {
        let span = Span { start: frame.start, end: at + 1 };
        match frame.node {
            Node::Tools => {
                self.digester.end();
                self.prompt.tools = span;
            }
            Node::System => {
                self.digester.end();
                self.prompt.system = span;
            }
            Node::Messages => {
                self.digester.end();
                self.prompt.messages = span;
            }
            Node::Tool => {
                self.push_object(Section::Tools, Block::Definition, frame.start, at);
            }
            Node::SystemBlock => {
                if let (true, Some(snapshot)) = (frame.left_out, frame.snapshot.clone()) {
                    self.digester.restore(snapshot);
                }
                self.push_object(Section::System, frame.content(), frame.start, at);
            }
            Node::Block => {
                if frame.marks.iter().any(Option::is_some) {
                    self.digester.mark();
                }
                self.push_object(Section::Messages, frame.content(), frame.start, at);
            }
            Node::Message => self.message_left(frame, at),
            Node::Mark => self.end_mark(at + 1),
            Node::CacheOptions => self.end_field(at + 1, Text { bytes: b"", whole: true }),
            _ => {}
        }
    }

    fn message_left(&mut self, frame: &Frame, at: u32) {
        let role = frame.role.unwrap_or(Role::Other);
        if role == Role::Assistant {
            self.answered = true;
        } else if core::mem::take(&mut self.answered) {
            self.turn += 1;
        }
        if self.prompt.dialect == Dialect::Responses {
            let block = frame.block.unwrap_or(Block::Item);
            self.push_object(Section::Messages, block, frame.start, at);
        }
        let leading = self.leading && self.prompt.dialect.leads_with_system();
        self.leading &= role == Role::System;
        let turn = self.turn;
        for place in self.prompt.places.get_mut(frame.places_from..).unwrap_or_default() {
            place.role = role;
            place.turn = turn;
            if leading && role == Role::System {
                place.section = Section::System;
            }
        }
        self.digester.message_end(role, leading);
        self.message += 1;
    }

    fn push_object(&mut self, section: Section, block: Block, start: u32, end: u32) {
        self.push_place(section, block, Carrier::Object, Span { start, end });
    }

    fn push_place(&mut self, section: Section, block: Block, carrier: Carrier, span: Span) {
        let (message, turn) = match section {
            Section::Messages => (self.message, self.turn),
            Section::Tools | Section::System => (Place::NO_MESSAGE, 0),
        };
        self.prompt.places.push(Place {
            section,
            role: if section == Section::System { Role::System } else { Role::Other },
            block,
            carrier,
            message,
            turn,
            start: span.start,
            end: span.end,
        });
    }
}

impl Frame {
    /// The kind of content that a block is.
    fn content(&self) -> Block {
        match (self.block, self.blank) {
            (Some(Block::Text), Some(true)) => Block::Blank,
            (Some(Block::Text), None) | (None, _) => Block::Unknown,
            (Some(block), _) => block,
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
            places: Vec::new(),
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

fn role(name: &[u8]) -> Role {
    match name {
        b"system" | b"developer" => Role::System,
        b"user" => Role::User,
        b"assistant" => Role::Assistant,
        b"tool" => Role::Tool,
        _ => Role::Other,
    }
}

/// Whether a text is nothing but white space, as far as it is looked at.
fn is_blank(text: Text<'_>) -> bool {
    match text.bytes.first() {
        None => text.whole,
        Some(0x21..=0x7F) => false,
        Some(_) => String::from_utf8_lossy(text.bytes).trim().is_empty(),
    }
}

/// Offsets fit: the limit for bodies is far below 4 GiB.
fn offset32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
