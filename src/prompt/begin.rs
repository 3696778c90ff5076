//! What the reader does where a value of a request begins.

use super::frame::Frame;
use super::prefix;
use super::reader::{Walk, offset32};
use super::{Field, Form, Mark, Seat, Section, Unread, UsageOption};
use crate::dialect::{Dialect, FieldKind, MarkKind, Meaning, Node};
use crate::json::{Kind, Want};

/// Longest id, in bytes, that is looked up; the ids of providers stay below 100.
const ID_BYTES: u16 = 256;
/// Longest model name, in bytes; the longest in use, a Bedrock profile's ARN, stays below.
const MODEL_BYTES: u16 = 256;
/// How much of a text is looked at, in bytes: enough to tell white space and a billing block.
const TEXT_BYTES: u16 = 64;
/// Longest role, type or ttl that is told apart, in bytes.
const WORD_BYTES: u16 = 64;

impl Walk {
    pub(super) fn enter(&mut self, node: Node, at: u32) -> Want {
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

    pub(super) fn begin_element(&mut self, node: Node, kind: Kind, at: u32) -> Want {
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

    pub(super) fn begin_member(&mut self, kind: Kind, at: u32) -> Want {
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
            (Meaning::Content | Meaning::Output, Kind::Array) if node == Node::Message => {
                self.enter(Node::Content, at)
            }
            (Meaning::Content, Kind::Array) => self.enter(Node::Nested, at),
            (Meaning::Content | Meaning::Output, Kind::String) if node == Node::Message => {
                self.begin_text_block(at)
            }
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
            (Meaning::ItemId, Kind::String) => Want::Text(ID_BYTES),
            (Meaning::Model, Kind::String) => Want::Text(MODEL_BYTES),
            (Meaning::Type | Meaning::Role | Meaning::Ttl | Meaning::Mode, Kind::String) => {
                Want::Text(WORD_BYTES)
            }
            (Meaning::Messages, _)
            | (Meaning::Tools | Meaning::System, Kind::Object | Kind::Number | Kind::String) => {
                self.trouble.get_or_insert(Unread::NoPrompt);
                Want::Nothing
            }
            (
                Meaning::Content
                | Meaning::Output
                | Meaning::Calls
                | Meaning::Function
                | Meaning::Text,
                _,
            ) => {
                // Of a shape that carries no marks: content all the same.
                self.digester.member(b"");
                self.digester.locate(at);
                Want::Raw
            }
            (Meaning::Other | Meaning::Sealed, _) if node.is_prefix() => {
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
        // The latest one hid those before it.
        if let Some(earlier) = self.prompt.fields.iter_mut().rfind(|earlier| earlier.kind == kind) {
            earlier.shadowed = true;
        }
        self.prompt.fields.push(Field {
            kind,
            member,
            ttl: None,
            explicit: false,
            shadowed: false,
        });
        match value {
            Kind::Object if kind == FieldKind::CacheOptions => self.enter(Node::CacheOptions, at),
            Kind::String => Want::Text(ID_BYTES),
            _ => Want::Nothing,
        }
    }
}
