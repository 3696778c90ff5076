//! The way through a string: its plain parts in large steps, its escapes byte by byte, since a window may end anywhere.

use super::{Error, Lexer, State, Visitor, scan, text};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Name,
    Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    None,
    /// Behind a backslash.
    Begun,
    /// Inside `\uXXXX`: digits seen and their value.
    Unicode(u8, u16),
}

impl Lexer {
    /// Goes on inside a string; returns where to go on behind it or at the window's end.
    #[inline]
    pub(super) fn string<V: Visitor>(
        &mut self,
        window: &[u8],
        mut at: usize,
        place: Place,
        mut escape: Escape,
        visitor: &mut V,
        raw_from: &mut usize,
    ) -> Result<usize, Error> {
        loop {
            if escape == Escape::None {
                at = if self.capture.is_full() {
                    scan::string_end(window, at)
                } else {
                    let stop = scan::string_stop(window, at);
                    self.capture.push(window.get(at..stop).unwrap_or_default());
                    stop
                };
            }
            let Some(&byte) = window.get(at) else {
                self.state = State::Inside(place, escape);
                return Ok(at);
            };
            at += 1;
            escape = match (escape, byte) {
                (Escape::None, b'"') => {
                    self.string_ended(window, at, place, visitor, *raw_from);
                    return Ok(at);
                }
                (Escape::None, b'\\') => Escape::Begun,
                (Escape::Begun, b'u') => Escape::Unicode(0, 0),
                (Escape::Begun, _) => {
                    let Some(plain) = text::unescaped(byte) else {
                        return Err(self.syntax(at - 1));
                    };
                    self.capture.push(&[plain]);
                    Escape::None
                }
                (Escape::Unicode(seen, value), _) => {
                    let Some(digit) = char::from(byte).to_digit(16) else {
                        return Err(self.syntax(at - 1));
                    };
                    let value = (value << 4) | digit as u16;
                    if seen == 3 {
                        self.capture.push_unit(value);
                        Escape::None
                    } else {
                        Escape::Unicode(seen + 1, value)
                    }
                }
                (Escape::None, _) => return Err(self.syntax(at - 1)),
            };
        }
    }

    #[inline]
    fn string_ended<V: Visitor>(
        &mut self,
        window: &[u8],
        at: usize,
        place: Place,
        visitor: &mut V,
        raw_from: usize,
    ) {
        match place {
            Place::Value => self.value_ended(window, at, visitor, raw_from),
            Place::Name => {
                self.state = State::Colon;
                if self.depth == self.entered {
                    let start = self.capture.start();
                    visitor.key(self.capture.text(), start);
                }
            }
        }
    }
}
