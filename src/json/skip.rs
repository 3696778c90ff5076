//! The fast way over a value that nobody wants to look into, such as a tool's schema.
//!
//! It takes the same steps as the lexer's general loop, with its state in registers and strings,
//! literals and integers in one go, and stops in front of whatever is not plain (a fraction, the
//! window's end, an error): the general loop then takes that step.

use super::{Lexer, MAX_DEPTH, State, scan};

impl Lexer {
    /// Goes on from `at` inside a container that was not entered. Returns where it stopped: in
    /// front of a step for the general loop, which may be the bracket that ends the value.
    pub(super) fn skip(&mut self, window: &[u8], mut at: usize) -> usize {
        let mut state = self.state;
        let mut depth = self.depth;
        let mut objects = self.objects;
        let floor = self.entered + 1;
        while let Some(&byte) = window.get(at) {
            let next = match (state, byte) {
                (_, b' ' | b'\n' | b'\r' | b'\t') => {
                    at += 1;
                    continue;
                }
                (State::Key | State::FirstKey, b'"') => match plain_string(window, at) {
                    // Nearly always the colon follows at once.
                    Some(end) if window.get(end) == Some(&b':') => Some((end + 1, State::Value)),
                    Some(end) => Some((end, State::Colon)),
                    None => None,
                },
                (State::Colon, b':') => Some((at + 1, State::Value)),
                (State::Value | State::FirstValue, b'"') => {
                    plain_string(window, at).map(|end| (end, State::Next))
                }
                (State::Value | State::FirstValue, b'{' | b'[') if depth < MAX_DEPTH => {
                    let bit = 1u128 << depth;
                    depth += 1;
                    if byte == b'{' {
                        objects |= bit;
                        Some((at + 1, State::FirstKey))
                    } else {
                        objects &= !bit;
                        Some((at + 1, State::FirstValue))
                    }
                }
                (State::Next, b',') => {
                    let object = objects & (1u128 << (depth - 1)) != 0;
                    Some((at + 1, if object { State::Key } else { State::Value }))
                }
                (State::Next | State::FirstKey, b'}')
                    if depth > floor && objects & (1u128 << (depth - 1)) != 0 =>
                {
                    depth -= 1;
                    Some((at + 1, State::Next))
                }
                (State::Next | State::FirstValue, b']')
                    if depth > floor && objects & (1u128 << (depth - 1)) == 0 =>
                {
                    depth -= 1;
                    Some((at + 1, State::Next))
                }
                (State::Value | State::FirstValue, _) => plain_scalar(window, at, byte),
                _ => None,
            };
            let Some((behind, then)) = next else { break };
            at = behind;
            state = then;
        }
        self.state = state;
        self.depth = depth;
        self.objects = objects;
        at
    }
}

/// The end of a string that ends in this window.
#[inline]
fn plain_string(window: &[u8], at: usize) -> Option<usize> {
    let stop = scan::string_end(window, at + 1);
    (window.get(stop) == Some(&b'"')).then_some(stop + 1)
}

/// A literal or an integer, with the byte behind it in this window.
#[inline]
fn plain_scalar(window: &[u8], at: usize, first: u8) -> Option<(usize, State)> {
    let rest = window.get(at..)?;
    let length = match first {
        b't' if rest.starts_with(b"true") => 4,
        b'f' if rest.starts_with(b"false") => 5,
        b'n' if rest.starts_with(b"null") => 4,
        b'1'..=b'9' => rest.iter().position(|byte| !byte.is_ascii_digit())?,
        _ => return None,
    };
    matches!(rest.get(length)?, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
        .then_some((at + length, State::Next))
}
