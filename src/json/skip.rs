//! The fast way over a value that nobody wants to look into, such as a tool's schema.
//!
//! It takes the same steps as the lexer's general loop, with its state in registers and strings,
//! literals and integers in one go, and stops in front of whatever is not plain (a fraction, the
//! window's end, an error): the general loop then takes that step.

use super::{Lexer, MAX_DEPTH, State, scan};

/// The open brackets, and how many of them may be closed here.
struct Open {
    depth: u32,
    /// As in the lexer.
    objects: u128,
    /// The bracket at this depth is not closed here.
    floor: u32,
}

impl Open {
    #[inline(always)]
    fn push(&mut self, object: bool) {
        self.objects = self.objects << 1 | u128::from(object);
        self.depth += 1;
    }

    #[inline(always)]
    fn pop(&mut self) {
        self.objects >>= 1;
        self.depth -= 1;
    }

    #[inline(always)]
    fn in_object(&self) -> bool {
        self.objects & 1 != 0
    }

    /// Whether `byte` closes the innermost bracket, and that may happen here.
    #[inline(always)]
    fn closes(&self, byte: u8) -> bool {
        byte == if self.in_object() { b'}' } else { b']' } && self.depth > self.floor
    }
}

impl Lexer {
    /// Goes on from `at` inside a container that was not entered. Returns where it stopped: in
    /// front of a step for the general loop, which may be the bracket that ends the value.
    pub(super) fn skip(&mut self, window: &[u8], mut at: usize) -> usize {
        let mut open = Open { depth: self.depth, objects: self.objects, floor: self.entered + 1 };
        self.state = steps(window, &mut at, self.state, &mut open);
        self.depth = open.depth;
        self.objects = open.objects;
        at
    }
}

/// Takes steps from `at` on, as many as are plain; returns the state in front of the next.
#[inline(always)]
fn steps(window: &[u8], at: &mut usize, mut state: State, open: &mut Open) -> State {
    loop {
        // A member or an element, in the order in which its parts come: whatever of them is already
        // behind is passed over once.
        if matches!(state, State::Key | State::FirstKey) {
            match byte(window, at) {
                Some(b'"') => match plain_string(window, *at) {
                    Some(end) => *at = end,
                    None => return state,
                },
                Some(byte) if state == State::FirstKey && open.closes(byte) => {
                    *at += 1;
                    open.pop();
                    state = State::Next;
                }
                _ => return state,
            }
            if state != State::Next {
                state = State::Colon;
            }
        }
        if state == State::Colon {
            match byte(window, at) {
                Some(b':') => *at += 1,
                _ => return state,
            }
            state = State::Value;
        }
        if matches!(state, State::Value | State::FirstValue) {
            match byte(window, at) {
                Some(b'"') => match plain_string(window, *at) {
                    Some(end) => *at = end,
                    None => return state,
                },
                Some(byte @ (b'{' | b'[')) if open.depth < MAX_DEPTH => {
                    *at += 1;
                    open.push(byte == b'{');
                    state = if open.in_object() { State::FirstKey } else { State::FirstValue };
                    continue;
                }
                Some(byte) if state == State::FirstValue && open.closes(byte) => {
                    *at += 1;
                    open.pop();
                }
                Some(first) => match plain_scalar(window, *at, first) {
                    Some(end) => *at = end,
                    None => return state,
                },
                None => return state,
            }
        }
        loop {
            match byte(window, at) {
                Some(b',') => {
                    *at += 1;
                    state = if open.in_object() { State::Key } else { State::Value };
                    break;
                }
                Some(byte) if open.closes(byte) => {
                    *at += 1;
                    open.pop();
                }
                _ => return State::Next,
            }
        }
    }
}

/// The next byte that is no white space.
#[inline(always)]
fn byte(window: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        match window.get(*at) {
            Some(b' ' | b'\n' | b'\r' | b'\t') => *at += 1,
            other => return other.copied(),
        }
    }
}

/// The end of a string that ends in this window.
#[inline(always)]
fn plain_string(window: &[u8], at: usize) -> Option<usize> {
    let stop = scan::string_end(window, at + 1);
    (window.get(stop) == Some(&b'"')).then_some(stop + 1)
}

/// The end of a literal or an integer, with the byte behind it in this window.
#[inline]
fn plain_scalar(window: &[u8], at: usize, first: u8) -> Option<usize> {
    let rest = window.get(at..)?;
    let length = match first {
        b't' if rest.starts_with(b"true") => 4,
        b'f' if rest.starts_with(b"false") => 5,
        b'n' if rest.starts_with(b"null") => 4,
        b'1'..=b'9' => rest.iter().position(|byte| !byte.is_ascii_digit())?,
        _ => return None,
    };
    matches!(rest.get(length)?, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
        .then_some(at + length)
}
