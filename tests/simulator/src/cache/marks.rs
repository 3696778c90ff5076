//! Entries that stand where marks stand: Claude and those who took its way.

use std::time::Duration;

use crate::cache::{End, Look, Store, Write};
use crate::prompt::Ttl;
use crate::provider::Excess;

#[derive(Clone, Copy)]
pub(super) struct Law {
    /// A shorter prefix is neither written nor an error.
    pub(super) minimum: u64,
    pub(super) excess: Excess,
}

pub(super) fn look(store: &mut Store, law: Law, ends: &[End], now: Duration) -> Look {
    let marks = marks(law, ends);
    let read = marks.iter().filter_map(|mark| hit(store, ends, *mark, now)).max();
    // All that was read is in use, shorter entries on the way included.
    for end in &ends[..read.map_or(0, |read| read + 1)] {
        store.refresh(end.digest, now);
    }
    let mut look = Look::default();
    look.usage.read = read.map_or(0, |read| ends[read].tokens);
    let written =
        |mark: &&usize| read.is_none_or(|read| **mark > read) && ends[**mark].tokens >= law.minimum;
    let mut billed = look.usage.read;
    // The longest classes come first, so each class is billed up to the last mark that has it.
    for &mark in marks.iter().filter(written) {
        let end = ends[mark];
        let ttl = end.mark.unwrap_or(Ttl::FiveMinutes);
        look.usage.add_write(ttl, end.tokens - billed);
        billed = end.tokens;
        look.writes.push(Write { digest: end.digest, life: ttl.duration() });
    }
    look
}

/// The positions of the marks that count.
fn marks(law: Law, ends: &[End]) -> Vec<usize> {
    let marked = ends.iter().enumerate().filter(|(_, end)| end.mark.is_some());
    let mut marks: Vec<_> = marked.map(|(position, _)| position).collect();
    if law.excess == Excess::Dropped {
        marks.drain(..marks.len().saturating_sub(MOST_MARKS));
    }
    marks
}

/// The nearest entry at or before a mark.
fn hit(store: &Store, ends: &[End], mark: usize, now: Duration) -> Option<usize> {
    let nearest = mark.saturating_sub(LOOK_BACK - 1);
    (nearest..=mark).rev().find(|position| store.has(ends[*position].digest, now))
}

pub(crate) const MOST_MARKS: usize = 4;

/// Positions that are tried for each mark, itself included. A run of tool calls may be one position
/// to the real service; that is not documented, so each counts here. platform.claude.com, prompt
/// caching, read 2026-08-22.
const LOOK_BACK: usize = 20;
