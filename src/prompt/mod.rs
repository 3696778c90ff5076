//! The facts of a request body, as offsets into its bytes, and the digests of its prefix.
//!
//! A [`Reader`] finds them window by window as the body arrives; it never keeps the body. The
//! route stage hands the [`Prompt`] to the shape stage, which edits from it without reading again;
//! the [`Prefix`] stays with the route stage, for affinity. What to do with either is decided
//! elsewhere. Invariant: all offsets lie in `0..=length`, and places, marks and fields stand in the
//! order of their bytes.

mod begin;
mod end;
mod frame;
mod hasher;
mod prefix;
mod reader;

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::dialect::{Block, Dialect, FieldKind, MarkKind, Role};
use crate::json;

pub use prefix::{Cut, Prefix};
pub use reader::{Findings, Reader};

/// The facts of a request body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    pub dialect: Dialect,
    /// Bytes of the body.
    pub length: u32,
    /// Offset behind the opening brace of the body.
    pub inside: u32,
    pub model: Option<Model>,
    pub stream: bool,
    pub usage_option: UsageOption,
    /// Bytes of tools, system and messages in the body; empty where there are none.
    pub tools: Span,
    pub system: Span,
    pub messages: Span,
    pub places: Vec<Place>,
    pub marks: Vec<Mark>,
    pub fields: Vec<Field>,
}

/// Bytes `start..end` of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// Its length in bytes.
    pub fn length(self) -> u32 {
        self.end.saturating_sub(self.start)
    }
}

/// The model that the client names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    pub name: String,
    /// The string in the body, with its quotes.
    pub value: Span,
}

/// What the client says about usage in a chat stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UsageOption {
    /// Nothing: there are no `stream_options`.
    Absent,
    /// `stream_options: null`, in these bytes.
    Null(Span),
    /// `stream_options` without `include_usage`: the offset behind its opening brace, and whether
    /// nothing stands behind that.
    Open { inside: u32, empty: bool },
    /// `include_usage` with this value.
    Set(bool),
}

/// A member of an object, with what it takes to cut it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Offset behind the opening brace or behind the member before.
    pub before: u32,
    /// Offset of the opening quote of its name.
    pub start: u32,
    /// Offset of its value.
    pub value: u32,
    /// Offset behind its value.
    pub end: u32,
    /// Offset of the next member's name; `end` if it is the last.
    pub next: u32,
    /// Whether it is the first of its object.
    pub first: bool,
}

/// Which part of the prompt, in the order in which providers cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Section {
    Tools,
    System,
    Messages,
}

/// How a place is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Carrier {
    /// An object; a member can be added in front of its closing brace, at `end`.
    Object,
    /// A string that is the whole content; it becomes a one-block array to carry a mark.
    Text,
    /// A string that is a whole responses input; it becomes one message.
    Input,
}

/// A place where a mark can stand, or where one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub section: Section,
    pub role: Role,
    pub block: Block,
    pub carrier: Carrier,
    /// Number of its message, from 0; [`Place::NO_MESSAGE`] if it is in none.
    pub message: u32,
    /// How many user turns were answered by an assistant before its message.
    pub turn: u32,
    /// Offset of its first byte.
    pub start: u32,
    /// Offset of its closing brace, or behind its closing quote.
    pub end: u32,
}

impl Place {
    /// The message of a place in tools, or in a system prompt beside the messages.
    pub const NO_MESSAGE: u32 = u32::MAX;
}

/// Where a mark stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seat {
    /// On the whole request.
    Top,
    /// On the message of this number, or on one of its tool calls.
    Message(u32),
    /// On the place of this index.
    Place(u32),
    /// Inside the place of this index: in its content, or in its function.
    Inside(u32),
}

/// A lifetime as a client writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ttl {
    FiveMinutes,
    ThirtyMinutes,
    OneHour,
    TwelveHours,
    OneDay,
    Other,
}

impl Ttl {
    pub(crate) const ALL: [Self; 6] = [
        Self::FiveMinutes,
        Self::ThirtyMinutes,
        Self::OneHour,
        Self::TwelveHours,
        Self::OneDay,
        Self::Other,
    ];

    pub(crate) fn parse(text: &[u8]) -> Self {
        match text {
            b"5m" => Self::FiveMinutes,
            b"30m" => Self::ThirtyMinutes,
            b"1h" => Self::OneHour,
            b"12h" => Self::TwelveHours,
            b"24h" => Self::OneDay,
            _ => Self::Other,
        }
    }

    /// In seconds; none where it is not known.
    pub fn seconds(self) -> Option<u32> {
        Some(match self {
            Self::FiveMinutes => 300,
            Self::ThirtyMinutes => 1800,
            Self::OneHour => 3600,
            Self::TwelveHours => 43_200,
            Self::OneDay => 86_400,
            Self::Other => return None,
        })
    }
}

/// How a mark's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// `null`: no mark.
    Null,
    /// An object.
    Object,
    /// Anything else, or an object without a type: no provider takes one.
    Odd,
}

/// A cache breakpoint that the client set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub kind: MarkKind,
    pub seat: Seat,
    pub form: Form,
    pub member: Member,
    pub ttl: Option<(Ttl, Member)>,
    pub scope: Option<Member>,
    /// A later member of the same name hides it.
    pub shadowed: bool,
}

/// A top-level member about caching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub kind: FieldKind,
    pub member: Member,
    /// The lifetime that it asks for.
    pub ttl: Option<Ttl>,
    /// Whether it asks for nothing but explicit breakpoints.
    pub explicit: bool,
    /// A later member of the same name hides it.
    pub shadowed: bool,
}

/// Why a body is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Not JSON, or nested too deep.
    Json(json::Error),
    /// JSON that is no request of its dialect.
    NoPrompt,
    /// A member that decides what the prompt is stands twice in one object.
    Duplicate { at: u32 },
    /// More places, marks or fields than are kept.
    TooMany { at: u32 },
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::NoPrompt => f.write_str("no prompt of its dialect"),
            Self::Duplicate { at } => write!(f, "a member stands twice, at byte {at}"),
            Self::TooMany { at } => write!(f, "more blocks or marks than are kept, at byte {at}"),
        }
    }
}

impl core::error::Error for Unread {}

#[cfg(test)]
mod tests;
