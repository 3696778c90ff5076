//! Answers: counted and written back alike in any pieces, and passed on as they come.

use serde::de::IgnoredAny;

use super::{pieces, text};
use crate::plugin::Dialect;
use crate::plugin::answer::{self, Heard, Purpose, Usage};
use crate::random::Random;

/// How much of a usage the plugin holds back, in bytes, and how much it may add to one.
const MOST_HELD: usize = 16_384 + 256;

/// A stream leaves the same however it is cut, and nothing of it is lost or held for long.
pub fn stream(dialect: Dialect, usage: Usage, purpose: Purpose, body: &[u8], random: &mut Random) {
    let whole = answer::stream(dialect, usage, purpose, &[body]);
    let cut = answer::stream(dialect, usage, purpose, &pieces(body, random));
    assert_eq!(cut, whole, "usage ignores chunking");
    let passed = answer::stream(dialect, usage, Purpose::Read, &[body]);
    assert_eq!(passed.sent_on, body, "what is only read passes as it came");
    assert_eq!(passed.counts, whole.counts, "what is read is the same");
    counts_add_up(&whole);
    // A usage object is some 60 bytes at least, and gets as many at most.
    assert!(whole.sent_on.len() <= 3 * body.len() + MOST_HELD, "{}", text(&whole.sent_on));
}

/// A stream that is rewritten holds a bounded part of what came.
pub fn stream_is_passed_on(dialect: Dialect, usage: Usage, body: &[u8]) {
    let mut came = 0;
    let mut left = 0;
    answer::stream_observed(dialect, usage, Purpose::Rewrite, body.chunks(997), |chunk, sent| {
        came += chunk;
        left += sent;
        assert!(came <= left + MOST_HELD, "{} bytes are held", came - left);
    });
}

/// An answer is counted and written back the same however it is cut.
pub fn answer(dialect: Dialect, usage: Usage, body: &[u8], random: &mut Random) {
    let whole = answer::json(dialect, usage, &[body]);
    let cut = answer::json(dialect, usage, &pieces(body, random));
    assert_eq!(cut, whole, "usage ignores chunking");
    counts_add_up(&whole);
    let is_json = |bytes: &[u8]| serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    if whole.sent_on != body {
        assert!(is_json(body) && is_json(&whole.sent_on), "{}", text(&whole.sent_on));
        assert!(whole.sent_on.len() <= body.len() + MOST_HELD, "{}", text(&whole.sent_on));
    }
}

fn counts_add_up(heard: &Heard) {
    let counts = &heard.counts;
    let parts = [counts.uncached, counts.read, counts.write];
    let sum = parts.into_iter().flatten().try_fold(0, u64::checked_add);
    if let (Some(input), Some(sum)) = (counts.input, sum) {
        assert_eq!(input, sum, "the parts of the input add up: {counts:?}");
    }
}
