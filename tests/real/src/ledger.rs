//! What the accounts answered, in the order in which they did: where each turn of a conversation was served, and how much of
//! it was warm there.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use simulator::{Exchange, Simulator, Usage};

/// Shorter prompts are cached by none of the accounts that clients are tested with, such as the one by which Claude Code asks
/// for a title.
const SHORTEST_TOKENS: u64 = 1024;

/// Notes every question to a model that is answered from now on.
pub struct Ledger(Arc<Mutex<Vec<Noted>>>);

struct Noted {
    body: Vec<u8>,
    entry: Entry,
}

/// One answer.
#[derive(Clone)]
pub struct Entry {
    pub account: String,
    pub model: String,
    pub usage: Usage,
    /// The names of the request's headers.
    headers: Vec<String>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, model, usage: Usage { input, read, write, .. }, .. } = self;
        write!(formatter, "{model} at {account}: {input} tokens, {read} read, {write} written")
    }
}

impl Ledger {
    pub fn keep(providers: &Simulator) -> Self {
        let notes = Arc::<Mutex<Vec<Noted>>>::default();
        let keeper = notes.clone();
        providers.watch(move |account, exchange| {
            if let Some(entry) = entry(account, exchange) {
                let noted = Noted { body: exchange.body.clone(), entry };
                keeper.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
            }
        });
        Self(notes)
    }

    /// Returns the answers to requests that hold this word and are long enough for a cache.
    pub fn of(&self, word: &str) -> Vec<Entry> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = |noted: &&Noted| String::from_utf8_lossy(&noted.body).contains(word);
        let is_long = |noted: &&Noted| noted.entry.usage.input >= SHORTEST_TOKENS;
        notes.iter().filter(holds).filter(is_long).map(|noted| noted.entry.clone()).collect()
    }

    /// Returns how many answers there were.
    pub fn length(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Entry {
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|header| header == name)
    }

    /// Returns what later turns can read at this account: what was read and written, or all of it where writes are not told,
    /// in whole steps of automatic caches.
    fn cached(&self) -> u64 {
        const STEP: u64 = 128;
        match self.usage.read + self.usage.write {
            _ if self.usage.write > 0 => self.usage.read + self.usage.write,
            _ => self.usage.input / STEP * STEP,
        }
    }
}

fn entry(account: &str, exchange: &Exchange) -> Option<Entry> {
    let headers = exchange.headers.iter().map(|(name, _)| name.clone()).collect();
    let body: Value = serde_json::from_slice(&exchange.body).ok()?;
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    Some(Entry { account: account.into(), model, usage: exchange.usage?, headers })
}

/// Asserts that each of these was served where the one before was, and read there all that this had left in the cache; returns
/// that account.
///
/// # Panics
///
/// Where that is not so, with all of them.
pub fn assert_warm(entries: &[Entry]) -> String {
    assert!(entries.len() > 1, "not even two answers: {entries:#?}");
    for pair in entries.windows(2) {
        let [before, after] = pair else { continue };
        assert_eq!(before.account, after.account, "moved: {entries:#?}");
        let read = after.usage.read;
        assert!(read > 0 && read >= before.cached(), "{read} tokens were warm: {entries:#?}");
    }
    entries[0].account.clone()
}

/// Says in a line how many requests went where and which part of their input was read from the cache.
pub fn summary(entries: &[Entry]) -> String {
    let mut accounts: Vec<&str> = entries.iter().map(|entry| entry.account.as_str()).collect();
    accounts.dedup();
    let sum =
        |count: fn(&Usage) -> u64| -> u64 { entries.iter().map(|entry| count(&entry.usage)).sum() };
    let (input, read) = (sum(|usage| usage.input), sum(|usage| usage.read));
    let share = 100 * read / input.max(1);
    format!(
        "{} requests at {}, {input} tokens, {share} % of them warm",
        entries.len(),
        accounts.join(", then ")
    )
}
