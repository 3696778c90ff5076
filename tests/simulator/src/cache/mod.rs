//! The prefix cache of one account. Entries are keyed by a chained digest of everything before
//! their end, so equal keys mean equal prefixes; what is read and written follows the provider's
//! [`Cache`] alone. It knows no wire format.

mod breakpoints;
mod marks;
mod steps;

use std::collections::HashMap;
use std::time::Duration;

use xxhash_rust::xxh3::Xxh3;

use crate::exchange::Usage;
use crate::prompt::{Piece, Prompt, Ttl};
use crate::provider::Cache;

pub(crate) use marks::MOST_MARKS;

/// What may share entries: nothing is found across two of these.
pub(crate) struct Scope<'a> {
    pub(crate) endpoint: usize,
    pub(crate) model: &'a str,
    pub(crate) key: Option<&'a str>,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    entries: HashMap<u128, Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    life: Duration,
    until: Duration,
}

/// What a request did in the cache, before its answer began.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) usage: Usage,
    pub(crate) writes: Vec<Write>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Write {
    digest: u128,
    life: Duration,
}

/// The end of a piece, in a chain of them.
#[derive(Clone, Copy, Debug)]
struct End {
    digest: u128,
    /// Of everything up to here.
    tokens: u64,
    mark: Option<Ttl>,
}

impl Store {
    /// Finds what can be read, and keeps that alive, as of `now`: the time at which the request
    /// came.
    pub(crate) fn look(
        &mut self,
        cache: Cache,
        scope: &Scope<'_>,
        prompt: &Prompt,
        now: Duration,
    ) -> Look {
        let mut look = match cache {
            Cache::Marks { minimum, excess, .. } => {
                marks::look(self, marks::Law { minimum, excess }, &ends(scope, prompt), now)
            }
            Cache::Breakpoints { mode, ttl, minimum } => {
                let law = breakpoints::Law { mode, ttl, minimum };
                breakpoints::look(self, law, &ends(scope, prompt), now)
            }
            Cache::Steps { minimum, step, life, writes } => {
                let law = steps::Law { minimum, step, life };
                steps::longest(self, law, writes, &boundaries(scope, prompt, step), now)
            }
            Cache::Units { step, life } => {
                let law = steps::Law { minimum: step, step, life };
                steps::units(self, law, &boundaries(scope, prompt, step), now)
            }
            Cache::Off => Look::default(),
        };
        let usage = &mut look.usage;
        usage.input = prompt.tokens();
        usage.write = usage.write_5m + usage.write_30m + usage.write_1h + usage.write_12h;
        usage.uncached = usage.input - usage.read - usage.write;
        look
    }

    /// Makes what a request wrote readable. Its life runs from `started`, when the request came.
    pub(crate) fn write(&mut self, writes: &[Write], started: Duration) {
        for write in writes {
            let entry = Entry { life: write.life, until: started + write.life };
            self.entries.insert(write.digest, entry);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    fn has(&self, digest: u128, now: Duration) -> bool {
        self.entries.get(&digest).is_some_and(|entry| now < entry.until)
    }

    /// Keeps an entry that is used for another of its lives.
    fn refresh(&mut self, digest: u128, now: Duration) {
        if let Some(entry) = self.entries.get_mut(&digest).filter(|entry| now < entry.until) {
            entry.until = now + entry.life;
        }
    }
}

impl Usage {
    fn add_write(&mut self, ttl: Ttl, tokens: u64) {
        *match ttl {
            Ttl::FiveMinutes => &mut self.write_5m,
            Ttl::ThirtyMinutes => &mut self.write_30m,
            Ttl::OneHour => &mut self.write_1h,
            Ttl::TwelveHours => &mut self.write_12h,
        } += tokens;
    }
}

fn chain(scope: &Scope<'_>) -> Xxh3 {
    let mut chain = Xxh3::new();
    let key = scope.key.map_or("-".to_owned(), |key| format!("+{key}"));
    for part in [&scope.endpoint.to_string(), scope.model, &key] {
        chain.update(&part.len().to_le_bytes());
        chain.update(part.as_bytes());
    }
    chain
}

/// Announces a piece, so that the same bytes cut or attributed differently are another prefix.
fn seal(chain: &mut Xxh3, piece: &Piece) {
    chain.update(&piece.seal.len().to_le_bytes());
    chain.update(piece.seal.as_bytes());
}

fn ends(scope: &Scope<'_>, prompt: &Prompt) -> Vec<End> {
    let mut chain = chain(scope);
    let mut tokens = 0;
    let mut end = |piece: &Piece| {
        seal(&mut chain, piece);
        chain.update(&piece.bytes.len().to_le_bytes());
        chain.update(&piece.bytes);
        tokens += piece.tokens();
        End { digest: chain.digest128(), tokens, mark: piece.mark }
    };
    prompt.pieces.iter().map(&mut end).collect()
}

/// A digest for every `step` tokens from the start of the prompt; a rest shorter than that has
/// none.
fn boundaries(scope: &Scope<'_>, prompt: &Prompt, step: u64) -> Vec<u128> {
    let mut chain = chain(scope);
    let mut digests = Vec::new();
    let mut tokens = 0;
    for piece in &prompt.pieces {
        seal(&mut chain, piece);
        for token in piece.bytes.chunks(4) {
            chain.update(token);
            tokens += 1;
            if tokens % step == 0 {
                digests.push(chain.digest128());
            }
        }
    }
    digests
}
