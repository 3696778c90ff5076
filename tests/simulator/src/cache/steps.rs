//! Caches that need nothing of the client: a prompt is cut into equal steps of tokens, and its
//! longest known head is read.

use std::time::Duration;

use crate::cache::{Look, Store, Write};
use crate::provider::Writes;

#[derive(Clone, Copy)]
pub(super) struct Law {
    pub(super) minimum: u64,
    pub(super) step: u64,
    pub(super) life: Duration,
}

/// Every step of every prompt can be found again. `boundaries[n]` is the end of step `n + 1`.
pub(super) fn longest(
    store: &mut Store,
    law: Law,
    writes: Writes,
    boundaries: &[u128],
    now: Duration,
) -> Look {
    let mut look = Look::default();
    let known = boundaries.iter().take_while(|digest| store.has(**digest, now)).count();
    for digest in &boundaries[..known] {
        store.refresh(*digest, now);
    }
    let length =
        |steps: usize| Some(steps as u64 * law.step).filter(|tokens| *tokens >= law.minimum);
    look.usage.read = length(known).unwrap_or(0);
    // A prompt below the minimum leaves nothing behind.
    let Some(total) = length(boundaries.len()) else { return look };
    let life = match writes {
        Writes::Off => return look,
        Writes::Free => law.life,
        Writes::Billed(ttl) => {
            look.usage.add_write(ttl, total - look.usage.read);
            ttl.duration()
        }
    };
    look.writes =
        boundaries[known..].iter().map(|digest| Write { digest: *digest, life }).collect();
    look
}

/// Only the end of a prompt can be found again, and what two prompts were seen to have in common:
/// the second of them still misses. Ends of answers and fixed intervals, which the real service
/// keeps too, are left out: their sizes are not documented.
pub(super) fn units(store: &mut Store, law: Law, boundaries: &[u128], now: Duration) -> Look {
    let mut look = Look::default();
    let read = boundaries.iter().rposition(|digest| store.has(unit(*digest), now));
    let common = boundaries.iter().rposition(|digest| store.has(*digest, now));
    look.usage.read = read.map_or(0, |step| (step as u64 + 1) * law.step);
    for digest in boundaries {
        store.refresh(unit(*digest), now);
    }
    let seen = boundaries.iter().copied();
    let units = [boundaries.len().checked_sub(1), common];
    let units = units.into_iter().flatten().map(|step| unit(boundaries[step]));
    look.writes = seen.chain(units).map(|digest| Write { digest, life: law.life }).collect();
    look
}

/// The key of a prefix that can be read, beside the one that says only that it was seen.
fn unit(digest: u128) -> u128 {
    !digest
}
