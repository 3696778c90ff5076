//! A push reader of JSON text: windows of bytes in, events with absolute offsets out.
//!
//! It answers where things are, never what they mean, and gives the same events however the bytes
//! are cut. It checks the whole grammar of RFC 8259 (UTF-8 apart: bytes from 0x80 on pass), keeps
//! one bit per open bracket instead of a stack frame, and copies nothing but the small texts that a
//! visitor asks for. Invariants: `entered <= depth <= MAX_DEPTH`; events come only from levels
//! that the visitor entered.

mod number;
mod scan;
mod skip;
mod string;
mod text;

use core::fmt;

use number::Number;
use string::{Escape, Place};
use text::Capture;
pub use text::Text;

/// The deepest nesting that is read, in open brackets. One bit each in a `u128`; serde_json and
/// most providers stop at 128 as well, so what is deeper is refused by them anyway.
pub const MAX_DEPTH: u32 = 128;

/// What kind of value begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

/// What a visitor wants of a value that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Only where it ends.
    Nothing,
    /// Events of its members; for objects and arrays (a scalar gives its end alone).
    Enter,
    /// Its first bytes: a string decoded, a number as written. The limit is in bytes.
    Text(u16),
    /// Its raw bytes, piece by piece.
    Raw,
    /// Both.
    RawAndText(u16),
}

/// Takes the events of a [`Lexer`]. All offsets count from the first byte ever pushed.
pub trait Visitor {
    /// A value begins at `at`, in an entered container or at the root.
    fn begin(&mut self, kind: Kind, at: usize) -> Want;
    /// A member's name, decoded; `at` is the offset of its opening quote.
    fn key(&mut self, name: Text<'_>, at: usize);
    /// A piece of the raw bytes of a value that was wanted raw.
    fn raw(&mut self, piece: &[u8]);
    /// A value that was not entered has ended; `end` is the offset behind its last byte.
    fn end(&mut self, end: usize, text: Text<'_>);
    /// An entered container has ended; `at` is the offset of its closing bracket.
    fn leave(&mut self, at: usize);
}

/// Why a text is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The byte at `at` cannot stand there.
    Syntax { at: usize },
    /// More than [`MAX_DEPTH`] brackets are open at `at`.
    TooDeep { at: usize },
    /// The text ended inside a value.
    Incomplete,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { at } => write!(f, "not JSON at byte {at}"),
            Self::TooDeep { at } => write!(f, "deeper than {MAX_DEPTH} brackets at byte {at}"),
            Self::Incomplete => write!(f, "the text ends inside a value"),
        }
    }
}

impl core::error::Error for Error {}

/// The state between two windows.
#[derive(Debug)]
pub struct Lexer {
    state: State,
    /// Open brackets.
    depth: u32,
    /// How many of them, counted from the root, the visitor entered.
    entered: u32,
    /// Which open brackets are objects', the innermost in bit 0: shifts by one are cheap, others are calls.
    objects: u128,
    /// Offset of the first byte of the next window.
    offset: usize,
    /// The value that is being read is wanted raw.
    raw: bool,
    capture: Capture,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The very start: a byte-order mark may stand here; the number counts its bytes.
    Start(u8),
    /// A value must come.
    Value,
    /// A value or `]`.
    FirstValue,
    /// A name must come.
    Key,
    /// A name or `}`.
    FirstKey,
    Colon,
    /// `,` or the closing bracket.
    Next,
    /// Inside a string; the flag says which.
    Inside(Place, Escape),
    Number(Number),
    /// Inside `true`, `false` or `null`: the rest of it.
    Literal(&'static [u8]),
    /// The root value has ended.
    Done,
}

const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

impl Default for Lexer {
    fn default() -> Self {
        Self {
            state: State::Start(0),
            depth: 0,
            entered: 0,
            objects: 0,
            offset: 0,
            raw: false,
            capture: Capture::default(),
        }
    }
}

impl Lexer {
    /// Offset behind the last byte pushed.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Gets ready for another text, with the memory of this one.
    pub fn restart(&mut self) {
        let Self { state, depth, entered, objects, offset, raw, capture: _ } = self;
        (*state, *depth, *entered, *objects) = (State::Start(0), 0, 0, 0);
        (*offset, *raw) = (0, false);
    }

    /// Whether the root value has ended.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reads one more window. After an error the lexer must not be used again.
    pub fn push<V: Visitor>(&mut self, window: &[u8], visitor: &mut V) -> Result<(), Error> {
        let mut at = 0;
        // Where in this window the raw bytes of the value being read begin.
        let mut raw_from = 0;
        while let Some(&byte) = window.get(at) {
            match self.state {
                State::Inside(place, escape) => {
                    at = self.string(window, at, place, escape, visitor, &mut raw_from)?;
                    continue;
                }
                State::Number(number) => {
                    if let Some(next) = number.after(byte) {
                        self.state = State::Number(next);
                        self.capture.push(&[byte]);
                        at += 1;
                    } else if number.may_end() {
                        self.value_ended(window, at, visitor, raw_from);
                    } else {
                        return Err(self.syntax(at));
                    }
                    continue;
                }
                State::Literal(rest) => {
                    match rest.split_first() {
                        Some((&expected, rest)) if byte == expected => {
                            at += 1;
                            self.state = State::Literal(rest);
                            if rest.is_empty() {
                                self.value_ended(window, at, visitor, raw_from);
                            }
                        }
                        _ => return Err(self.syntax(at)),
                    }
                    continue;
                }
                State::Start(seen) => {
                    if BYTE_ORDER_MARK.get(usize::from(seen)) == Some(&byte) {
                        self.state = State::Start(seen + 1);
                        at += 1;
                    } else if seen == 0 || usize::from(seen) == BYTE_ORDER_MARK.len() {
                        self.state = State::Value;
                    } else {
                        return Err(self.syntax(at));
                    }
                    continue;
                }
                _ => {}
            }
            if self.depth > self.entered {
                let behind = self.skip(window, at);
                if behind > at {
                    at = behind;
                    continue;
                }
            }
            if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                at += 1;
                continue;
            }
            match (self.state, byte) {
                (State::Next, b',') => {
                    self.state = if self.in_object() { State::Key } else { State::Value };
                    at += 1;
                }
                (State::Key | State::FirstKey, b'"') => {
                    let limit = if self.depth == self.entered { NAME_LIMIT } else { 0 };
                    self.capture.begin(limit, self.offset + at);
                    self.state = State::Inside(Place::Name, Escape::None);
                    at += 1;
                }
                (State::Colon, b':') => {
                    self.state = State::Value;
                    at += 1;
                }
                (State::Next | State::FirstKey, b'}') if self.in_object() => {
                    at = self.close(window, at, visitor, raw_from);
                }
                (State::Next | State::FirstValue, b']') if self.depth > 0 && !self.in_object() => {
                    at = self.close(window, at, visitor, raw_from);
                }
                (State::Value | State::FirstValue, _) => {
                    at = self.open(byte, at, visitor, &mut raw_from)?;
                }
                _ => return Err(self.syntax(at)),
            }
        }
        if self.raw
            && let Some(piece) = window.get(raw_from..)
        {
            visitor.raw(piece);
        }
        self.offset += window.len();
        Ok(())
    }

    /// Ends the text.
    pub fn finish(&self) -> Result<(), Error> {
        match self.state {
            State::Done => Ok(()),
            // A number alone has no last byte of its own; nobody waits for its end event.
            State::Number(number) if self.depth == 0 && number.may_end() => Ok(()),
            _ => Err(Error::Incomplete),
        }
    }

    /// A value begins with `byte`; returns where to go on.
    #[inline]
    fn open<V: Visitor>(
        &mut self,
        byte: u8,
        at: usize,
        visitor: &mut V,
        raw_from: &mut usize,
    ) -> Result<usize, Error> {
        let (kind, state) = match byte {
            b'"' => (Kind::String, State::Inside(Place::Value, Escape::None)),
            b'{' => (Kind::Object, State::FirstKey),
            b'[' => (Kind::Array, State::FirstValue),
            b't' => (Kind::True, State::Literal(b"rue")),
            b'f' => (Kind::False, State::Literal(b"alse")),
            b'n' => (Kind::Null, State::Literal(b"ull")),
            b'-' => (Kind::Number, State::Number(Number::Minus)),
            b'0' => (Kind::Number, State::Number(Number::Zero)),
            b'1'..=b'9' => (Kind::Number, State::Number(Number::Digits)),
            _ => return Err(self.syntax(at)),
        };
        let bracket = matches!(kind, Kind::Object | Kind::Array);
        let mut enter = false;
        self.capture.begin(0, 0);
        if self.depth == self.entered {
            let want = visitor.begin(kind, self.offset + at);
            enter = bracket && want == Want::Enter;
            if let Want::Text(limit) | Want::RawAndText(limit) = want
                && !bracket
            {
                self.capture.begin(usize::from(limit), 0);
                if kind == Kind::Number {
                    self.capture.push(&[byte]);
                }
            }
            if let Want::Raw | Want::RawAndText(_) = want {
                self.raw = true;
                *raw_from = at;
            }
        }
        if bracket {
            if self.depth >= MAX_DEPTH {
                return Err(Error::TooDeep { at: self.offset + at });
            }
            self.objects = self.objects << 1 | u128::from(kind == Kind::Object);
            self.depth += 1;
            self.entered += u32::from(enter);
        }
        self.state = state;
        Ok(at + 1)
    }

    /// A closing bracket at `at`; returns where to go on.
    #[inline]
    fn close<V: Visitor>(
        &mut self,
        window: &[u8],
        at: usize,
        visitor: &mut V,
        raw_from: usize,
    ) -> usize {
        self.objects >>= 1;
        if self.depth == self.entered {
            self.depth -= 1;
            self.entered = self.depth;
            self.state = if self.depth == 0 { State::Done } else { State::Next };
            visitor.leave(self.offset + at);
        } else {
            self.depth -= 1;
            self.capture.begin(0, 0);
            self.value_ended(window, at + 1, visitor, raw_from);
        }
        at + 1
    }

    /// A value that was not entered ended in front of `at`, at whatever depth.
    #[inline]
    fn value_ended<V: Visitor>(
        &mut self,
        window: &[u8],
        at: usize,
        visitor: &mut V,
        raw_from: usize,
    ) {
        self.state = if self.depth == 0 { State::Done } else { State::Next };
        if self.depth > self.entered {
            return;
        }
        if self.raw {
            self.raw = false;
            if let Some(piece) = window.get(raw_from..at) {
                visitor.raw(piece);
            }
        }
        visitor.end(self.offset + at, self.capture.text());
    }

    #[inline]
    fn in_object(&self) -> bool {
        self.objects & 1 != 0
    }

    #[cold]
    fn syntax(&self, at: usize) -> Error {
        Error::Syntax { at: self.offset + at }
    }
}

/// Longest name that is told apart, in decoded bytes; every name that matters is shorter than 40.
const NAME_LIMIT: usize = 64;

#[cfg(test)]
mod tests;
