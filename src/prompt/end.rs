//! What the reader writes down where a value of a request has ended.

use super::frame::{Cuttable, Frame};
use super::prefix::{self, push_latest};
use super::reader::{MOST_ITEMS, Walk};
use super::{Carrier, Form, Model, Place, Section, Span, Ttl, Unread, UsageOption};
use crate::dialect::{Block, Dialect, FieldKind, MarkKind, Meaning, Node, Role};
use crate::json::{Kind, Text};

/// Claude Code's attribution block. Its text differs from session to session, in old versions from
/// request to request; Anthropic leaves it out of the cache's key (code.claude.com, LLM gateway
/// protocol, read 2026-11).
const BILLING: &[u8] = b"x-anthropic-billing-header:";

impl Walk {
    /// A member that was not entered has ended.
    pub(super) fn end_member(&mut self, end: u32, text: Text<'_>) {
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
            Meaning::ItemId if kind == Kind::String => frame.item_id = Some(text.bytes.into()),
            Meaning::Sealed => frame.is_sealed = kind == Kind::String,
            Meaning::Role => {
                frame.role = Some(role(text.bytes));
                self.digester.tag(prefix::ROLE);
                self.digester.bytes(text.bytes);
            }
            Meaning::Mode => {
                if let Some(field) = self.prompt.fields.last_mut() {
                    field.explicit = text.bytes == b"explicit";
                }
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
            Node::Mark => {
                frame.is_typed = !text.bytes.is_empty();
                return;
            }
            Node::Message => {
                frame.by_id = Some(matches!(text.bytes, b"item_reference" | b"reasoning"));
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
            self.digester.restore(&snapshot);
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

    pub(super) fn end_mark(&mut self, end: u32) {
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
        let ttl = match frame.open.kind {
            // As if it were not there.
            Kind::Null => Ttl::FiveMinutes,
            _ => Ttl::parse(text.bytes),
        };
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
    pub(super) fn left(&mut self, frame: &Frame, at: u32) {
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
                if let (true, Some(snapshot)) = (frame.left_out, &frame.snapshot) {
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
            Node::Mark => {
                if let Some(mark) = self.prompt.marks.last_mut()
                    && mark.kind == MarkKind::CacheControl
                    && !frame.is_typed
                {
                    mark.form = Form::Odd;
                }
                self.end_mark(at + 1);
            }
            Node::CacheOptions => self.end_field(at + 1, Text { bytes: b"", whole: true }),
            _ => {}
        }
    }

    fn message_left(&mut self, frame: &Frame, at: u32) {
        let role = frame.role.unwrap_or(Role::Other);
        self.item_left(frame, at);
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

    /// An item that carries nothing of what it stands for is known by its id, at one account.
    fn item_left(&mut self, frame: &Frame, at: u32) {
        let is_full = frame.is_sealed || self.prompt.places.len() > frame.places_from;
        let by_id = frame.by_id.unwrap_or(frame.role.is_none());
        if let (Some(id), true, false) = (&frame.item_id, by_id, is_full) {
            self.digester.locate(at);
            self.digester.member(b"id");
            self.digester.bytes(id);
            push_latest(&mut self.items, id.to_vec(), MOST_ITEMS);
        }
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

fn role(name: &[u8]) -> Role {
    match name {
        b"system" | b"developer" => Role::System,
        b"user" => Role::User,
        b"assistant" => Role::Assistant,
        b"tool" => Role::Tool,
        _ => Role::Other,
    }
}

/// Whether a text is nothing but white space, as far as it is looked at. Its last character may be
/// cut there.
fn is_blank(text: Text<'_>) -> bool {
    match text.bytes.first() {
        None => text.whole,
        Some(0x21..=0x7F) => false,
        Some(_) => {
            let valid = match core::str::from_utf8(text.bytes) {
                Err(error) if !text.whole && error.error_len().is_none() => error.valid_up_to(),
                _ => text.bytes.len(),
            };
            String::from_utf8_lossy(text.bytes.get(..valid).unwrap_or_default()).trim().is_empty()
        }
    }
}
