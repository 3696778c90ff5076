//! Entries at the breakpoints of GPT-5.6 and later: one at the end of the prompt unless switched
//! off, others where parts ask. developers.openai.com, prompt caching, read 2026-09-20.

use std::time::Duration;

use crate::cache::{End, Look, Store, Write};
use crate::prompt::Ttl;
use crate::provider::Mode;

#[derive(Clone, Copy)]
pub(super) struct Law {
    pub(super) mode: Mode,
    /// Of the implicit breakpoint.
    pub(super) ttl: Ttl,
    pub(super) minimum: u64,
}

pub(super) fn look(store: &mut Store, law: Law, ends: &[End], now: Duration) -> Look {
    let explicit: Vec<_> =
        (0..ends.len()).filter(|position| ends[*position].mark.is_some()).collect();
    // The service finds its own breakpoints again wherever they were; explicit ones only where they
    // are still sent.
    let readable: Vec<_> = match law.mode {
        Mode::Implicit => (0..ends.len()).collect(),
        Mode::Explicit => explicit.clone(),
    };
    let latest = readable.iter().rev().take(MOST_READ);
    let read = latest.copied().find(|position| store.has(ends[*position].digest, now));

    let written = match law.mode {
        Mode::Implicit => MOST_WRITTEN - 1,
        Mode::Explicit => MOST_WRITTEN,
    };
    let mut writes: Vec<_> = explicit.iter().rev().take(written).rev().copied().collect();
    let last = ends.len().checked_sub(1).filter(|_| law.mode == Mode::Implicit);
    writes.extend(last.filter(|last| writes.last() != Some(last)));

    let mut look = Look::default();
    look.usage.read = read.map_or(0, |read| ends[read].tokens);
    for end in &ends[..read.map_or(0, |read| read + 1)] {
        store.refresh(end.digest, now);
    }
    let mut billed = look.usage.read;
    for position in writes {
        let end = ends[position];
        if read.is_none_or(|read| position > read) && end.tokens >= law.minimum {
            // A mark of Claude's that a relay took for a breakpoint does not bring its lifetime.
            let own = end.mark.filter(|ttl| matches!(ttl, Ttl::ThirtyMinutes | Ttl::TwelveHours));
            let ttl = own.unwrap_or(law.ttl);
            look.usage.add_write(ttl, end.tokens - billed);
            billed = end.tokens;
            look.writes.push(Write { digest: end.digest, life: ttl.duration() });
        }
    }
    look
}

/// The implicit breakpoint is one of them.
const MOST_WRITTEN: usize = 4;

/// OpenAI's pages say 50 or 80; the smaller number is the stricter one.
const MOST_READ: usize = 50;
