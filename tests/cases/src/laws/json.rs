//! The reader of JSON accepts what serde_json accepts, whatever is looked into.
//!
//! Two differences are meant: bytes from 0x80 on pass without a check that they are UTF-8, which is
//! the way of serde_json too for what it ignores, and a byte-order mark is passed over. serde_json
//! skips a value that it ignores at any depth; the reader stops at 128 brackets.

use serde::de::IgnoredAny;

use super::pieces;
use crate::plugin::text::{Look, accepts};
use crate::random::Random;

pub const LOOKS: [Look; 3] = [Look::Everywhere, Look::Nowhere, Look::HereAndThere];

const MAX_DEPTH: usize = 128;

/// Judges a text in both ways; an error says who accepts it.
pub fn agree(text: &[u8], random: &mut Random) -> Result<(), String> {
    let bare = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let expected = serde_json::from_slice::<IgnoredAny>(bare).is_ok() && depth(bare) <= MAX_DEPTH;
    for look in LOOKS {
        for windows in [vec![text], pieces(text, random)] {
            let got = accepts(&windows, look);
            if got != expected {
                let text = String::from_utf8_lossy(text);
                return Err(format!("serde_json says {expected}, the reader {got}: {text:?}"));
            }
        }
    }
    Ok(())
}

/// The deepest nesting of a text that is JSON.
fn depth(text: &[u8]) -> usize {
    let (mut deepest, mut depth, mut inside, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b'{' | b'[' if !inside => depth += 1,
            b'}' | b']' if !inside => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
