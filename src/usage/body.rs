//! Reads a JSON answer as it arrives, and makes the edit that writes its usage back.

use super::answer::{Answer, UsageSpan};
use super::write;
use crate::dialect::Dialect;
use crate::json::Lexer;
use crate::provider;
use crate::splice::Edit;

/// Longest usage object that is written back, in bytes; the longest in use has below 2000.
pub(super) const USAGE_BYTES: usize = 16_384;

/// A JSON answer.
#[derive(Debug, Default)]
pub struct Body {
    lexer: Lexer,
    answer: Answer,
    /// The usage object, as far as it has come.
    usage: Vec<u8>,
    /// Where it begins.
    start: Option<usize>,
    is_broken: bool,
}

impl Body {
    /// Bytes read so far.
    pub fn offset(&self) -> usize {
        self.lexer.offset()
    }

    /// Reads the next window. What is no JSON says nothing.
    pub fn push(&mut self, window: &[u8]) {
        let offset = self.lexer.offset();
        if self.is_broken || self.lexer.push(window, &mut self.answer).is_err() {
            self.is_broken = true;
            return;
        }
        // The last usage is what a parser takes.
        self.answer.whole.clear();
        let (start, end) = match self.answer.usage {
            UsageSpan::None => return,
            UsageSpan::Begun { start } => (start, usize::MAX),
            UsageSpan::Whole { start, end } => (start, end),
        };
        if self.start != Some(start) {
            self.start = Some(start);
            self.usage.clear();
        }
        let from = start.saturating_sub(offset);
        let to = end.saturating_sub(offset).min(window.len());
        if self.usage.len() <= USAGE_BYTES {
            self.usage.extend_from_slice(window.get(from..to).unwrap_or_default());
        }
    }

    /// Ends the answer: what it says, and the edit that makes its usage right for the client.
    pub fn finish(self, dialect: Dialect, usage: provider::Usage) -> (Answer, Option<Edit>) {
        if self.is_broken || self.lexer.finish().is_err() {
            return (Answer::default(), None);
        }
        let edit = match self.answer.usage {
            UsageSpan::Whole { start, end } if self.usage.len() == end - start => {
                let counts = self.answer.raw.counts(dialect, usage);
                write::rewrite(&self.usage, &counts, dialect)
                    .and_then(|object| String::from_utf8(object).ok())
                    .map(|object| {
                        let [start, length] = [start, end - start]
                            .map(|offset| u32::try_from(offset).unwrap_or(u32::MAX));
                        Edit::new(start, length, object, (start, b'{'))
                    })
            }
            _ => None,
        };
        (self.answer, edit)
    }
}
