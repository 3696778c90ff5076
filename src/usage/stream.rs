//! Reads a stream of server-sent events as it passes, and rewrites the usage in it.
//!
//! Every byte leaves in the call that brought it, but for those of a usage object that is not whole
//! yet, and, where the extra usage chunk of a chat stream must not reach the client, those of an
//! event that may be it. Lines end with LF, CR LF or CR, as the standard has it. The output is the
//! same however the bytes are cut.

use super::answer::{Answer, UsageSpan, WholeUsage};
use super::body::USAGE_BYTES;
use super::{Raw, write};
use crate::dialect::Dialect;
use crate::json::Lexer;
use crate::provider;

/// How many ids of an answer are kept.
const MOST_IDS: usize = 4;

/// What a stream is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To know; every byte passes as it came.
    Read,
    /// To write the usage back in the client's dialect.
    Rewrite,
    /// The same, and to take out the usage chunk of a chat stream that the client did not ask for.
    RewriteAndSwallow,
}

/// A stream of events.
#[derive(Debug)]
pub struct Stream {
    dialect: Dialect,
    usage: provider::Usage,
    purpose: Purpose,
    line: Line,
    /// Whether the event has had a line.
    event_begun: bool,
    /// Whether an LF that comes next belongs to an event that was swallowed.
    swallow_newline: bool,
    lexer: Lexer,
    /// What the event being read says.
    answer: Answer,
    /// Whether the data of the event is no JSON; nothing more of it is read.
    is_broken: bool,
    /// Whether the event was held for so long that it passes as it is.
    is_given_up: bool,
    hold: Hold,
    /// Bytes of earlier chunks that have not left.
    held: Vec<u8>,
    ids: Vec<Vec<u8>>,
    items: Vec<Vec<u8>>,
    raw: Raw,
}

/// Where in a line the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// In its name; so many bytes of `data:` have matched.
    Name(usize),
    /// Behind `data:`, where one space does not count.
    DataBegins,
    Data,
    /// In a line of no interest.
    Other,
    /// Behind a CR, where an LF belongs to it.
    Return,
}

/// What is being held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Nothing,
    Usage,
    /// An event that may have to be swallowed.
    Event,
}

const DATA: &[u8] = b"data:";

/// Bytes that leave in place of a chunk.
struct Output<'c> {
    chunk: &'c [u8],
    bytes: Vec<u8>,
    /// Bytes of the chunk that are dealt with.
    copied: usize,
    is_changed: bool,
}

impl Output<'_> {
    /// Lets the chunk pass up to `to`.
    fn pass(&mut self, to: usize) {
        self.bytes.extend_from_slice(self.chunk.get(self.copied..to).unwrap_or_default());
        self.copied = to;
    }

    /// Takes `from..to` of the chunk out.
    fn drop(&mut self, from: usize, to: usize) {
        self.pass(from);
        self.copied = to;
        self.is_changed = true;
    }
}

impl Stream {
    /// A stream of answers in this dialect from a provider that counts like this.
    pub fn new(dialect: Dialect, usage: provider::Usage, purpose: Purpose) -> Self {
        let purpose = if write::writes(dialect) { purpose } else { Purpose::Read };
        Self {
            dialect,
            usage,
            purpose,
            line: Line::Name(0),
            event_begun: false,
            swallow_newline: false,
            lexer: Lexer::default(),
            answer: Answer::default(),
            is_broken: false,
            is_given_up: false,
            hold: Hold::Nothing,
            held: Vec::new(),
            ids: Vec::new(),
            items: Vec::new(),
            raw: Raw::default(),
        }
    }

    /// The ids seen so far.
    pub fn ids(&self) -> &[Vec<u8>] {
        &self.ids
    }

    /// The ids of the items of the answer, known at its end.
    pub fn items(&self) -> &[Vec<u8>] {
        &self.items
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// The counts seen so far.
    pub fn raw(&self) -> &Raw {
        &self.raw
    }

    /// Reads the next chunk. Returns the bytes that leave in its place, if they are others.
    pub fn push(&mut self, chunk: &[u8]) -> Option<Vec<u8>> {
        if self.is_between_events() && is_quiet(chunk, &self.ids) {
            return None;
        }
        let is_changed = !self.held.is_empty();
        let mut output = Output { chunk, bytes: Vec::new(), copied: 0, is_changed };
        let mut at = 0;
        while let Some(byte) = chunk.get(at) {
            at = match (self.line, byte) {
                (Line::Return, b'\n') => {
                    self.line = Line::Name(0);
                    if core::mem::take(&mut self.swallow_newline) {
                        output.drop(at, at + 1);
                    }
                    at + 1
                }
                (Line::Return, _) => {
                    self.line = Line::Name(0);
                    self.swallow_newline = false;
                    at
                }
                (_, b'\n' | b'\r') => self.line_ended(at, *byte, &mut output),
                (Line::Name(matched), byte) => {
                    self.begin_event(at, &mut output);
                    self.line = match DATA.get(matched) {
                        Some(expected) if expected == byte => match matched + 1 {
                            all if all == DATA.len() => Line::DataBegins,
                            more => Line::Name(more),
                        },
                        _ => Line::Other,
                    };
                    at + 1
                }
                (Line::DataBegins, byte) => {
                    self.line = Line::Data;
                    at + usize::from(*byte == b' ')
                }
                (Line::Data, _) => {
                    let end = line_end(chunk, at);
                    self.data(at, end, &mut output);
                    end
                }
                (Line::Other, _) => line_end(chunk, at),
            };
        }
        if self.hold == Hold::Nothing {
            if !output.is_changed {
                return None;
            }
            output.pass(chunk.len());
        } else {
            self.held.extend_from_slice(chunk.get(output.copied..).unwrap_or_default());
            if self.held.len() > USAGE_BYTES {
                self.is_given_up |= self.hold == Hold::Event;
                self.release(&mut output);
            }
        }
        Some(output.bytes)
    }

    /// Ends the stream: the bytes that were still held, and what an event cut short says.
    pub fn finish(&mut self) -> Vec<u8> {
        self.take_event();
        self.hold = Hold::Nothing;
        core::mem::take(&mut self.held)
    }

    fn is_between_events(&self) -> bool {
        self.line == Line::Name(0) && !self.event_begun && self.held.is_empty()
    }

    fn begin_event(&mut self, at: usize, output: &mut Output<'_>) {
        if !core::mem::replace(&mut self.event_begun, true)
            && self.purpose == Purpose::RewriteAndSwallow
        {
            self.begin_hold(Hold::Event, at, output);
        }
    }

    fn begin_hold(&mut self, hold: Hold, at: usize, output: &mut Output<'_>) {
        output.pass(at);
        self.hold = hold;
    }

    /// What was held leaves as it is, in front of what comes next.
    fn release(&mut self, output: &mut Output<'_>) {
        output.bytes.append(&mut self.held);
        self.hold = Hold::Nothing;
    }

    fn line_ended(&mut self, at: usize, byte: u8, output: &mut Output<'_>) -> usize {
        let is_blank = self.line == Line::Name(0);
        self.line = if byte == b'\r' { Line::Return } else { Line::Name(0) };
        if is_blank && self.event_begun {
            self.event_ended(at + 1, output);
        }
        at + 1
    }

    /// An event has ended with the byte before `end`.
    fn event_ended(&mut self, end: usize, output: &mut Output<'_>) {
        let is_usage_chunk = self.answer.choice.is_none()
            && matches!(self.answer.usage, UsageSpan::Whole { .. })
            && !self.is_broken
            && self.held_up_to(end, output) <= USAGE_BYTES;
        match self.hold {
            Hold::Event if is_usage_chunk => {
                self.held.clear();
                output.copied = end;
                output.is_changed = true;
                self.hold = Hold::Nothing;
                self.swallow_newline = self.line == Line::Return;
            }
            Hold::Nothing => {}
            Hold::Event | Hold::Usage => self.release(output),
        }
        self.take_event();
    }

    /// Takes over what the event said and gets ready for the next one.
    fn take_event(&mut self) {
        if !self.is_broken {
            self.raw.update(&self.answer.raw);
        }
        for id in self.answer.ids.drain(..) {
            if self.ids.len() < MOST_IDS && !self.ids.contains(&id) {
                self.ids.push(id);
            }
        }
        if !self.answer.items().is_empty() {
            self.items = self.answer.items().to_vec();
        }
        self.answer.restart();
        self.lexer.restart();
        self.is_broken = false;
        self.is_given_up = false;
        self.event_begun = false;
    }

    /// Reads the data `from..to` of the chunk.
    fn data(&mut self, from: usize, to: usize, output: &mut Output<'_>) {
        if self.is_broken {
            return;
        }
        let offset = self.lexer.offset();
        let data = output.chunk.get(from..to).unwrap_or_default();
        // What was understood in front of a break holds: it may have come in an earlier chunk.
        self.is_broken = self.lexer.push(data, &mut self.answer).is_err();
        let mut whole = core::mem::take(&mut self.answer.whole);
        // Offsets in the data that were read in earlier chunks lie before this one's bytes.
        let in_chunk = |at: usize| from + at.saturating_sub(offset);
        if self.hold == Hold::Event {
            let Some(choice) = self.answer.choice else { return };
            self.is_given_up = self.held_up_to(in_chunk(choice), output) > USAGE_BYTES;
            // What stands in front of the choice may have been held in an earlier chunk.
            whole.retain(|usage| usage.start > choice);
            self.release(output);
        }
        if self.purpose == Purpose::Read || self.is_given_up {
            return;
        }
        for WholeUsage { start, end, raw } in whole {
            if start >= offset {
                self.begin_hold(Hold::Usage, in_chunk(start), output);
            }
            if self.hold == Hold::Usage {
                self.rewrite(&raw, in_chunk(end), output);
            }
        }
        if let UsageSpan::Begun { start } = self.answer.usage
            && start >= offset
        {
            self.begin_hold(Hold::Usage, in_chunk(start), output);
        }
    }

    /// How many bytes would be held if nothing in front of `end` in the chunk left.
    fn held_up_to(&self, end: usize, output: &Output<'_>) -> usize {
        self.held.len() + end.saturating_sub(output.copied)
    }

    /// The usage object that is held has ended in front of `end`.
    fn rewrite(&mut self, raw: &Raw, end: usize, output: &mut Output<'_>) {
        if self.held_up_to(end, output) > USAGE_BYTES {
            return self.release(output);
        }
        let rest = output.chunk.get(output.copied..end).unwrap_or_default();
        self.held.extend_from_slice(rest);
        output.copied = end;
        let counts = raw.counts(self.dialect, self.usage);
        match write::rewrite(&self.held, &counts, self.dialect) {
            Some(object) => {
                output.bytes.extend_from_slice(&object);
                output.is_changed = true;
                self.held.clear();
                self.hold = Hold::Nothing;
            }
            None => self.release(output),
        }
    }
}

/// Whether a chunk is whole events that tell neither usage nor an id that is not known: nearly all of a
/// stream, so they are not read as JSON.
fn is_quiet(chunk: &[u8], ids: &[Vec<u8>]) -> bool {
    /// Members that make an event worth reading begin so.
    const NAMES: [&[u8]; 4] = [b"usage", b"task_id", b"responseId", b"amazon-bedrock"];
    chunk.ends_with(b"\n\n")
        && memchr::memchr3_iter(b'"', b'\\', b'\r', chunk).all(|at| {
            match chunk.get(at..).unwrap_or_default() {
                [b'"', rest @ ..] => {
                    let id = rest.strip_prefix(b"id\"");
                    let told = NAMES.iter().any(|name| rest.starts_with(name));
                    (!told || rest.starts_with(b"usage\":null"))
                        && id.is_none_or(|rest| is_known(rest, ids))
                }
                // Such an escape may be a letter of a name.
                [b'\\', rest @ ..] => !rest.starts_with(b"u00"),
                _ => false,
            }
        })
}

/// Whether what stands behind the name of an id is one of these.
fn is_known(member: &[u8], ids: &[Vec<u8>]) -> bool {
    let Some(value) = member.trim_ascii_start().strip_prefix(b":") else { return false };
    let Some(value) = value.trim_ascii_start().strip_prefix(b"\"") else { return false };
    ids.iter()
        .any(|id| value.strip_prefix(id.as_slice()).is_some_and(|rest| rest.starts_with(b"\"")))
}

/// Offset of the end of the line that `at` lies in.
fn line_end(chunk: &[u8], at: usize) -> usize {
    let rest = chunk.get(at..).unwrap_or_default();
    at + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())
}
