//! Reading the usage of an answer and writing it back.

use core::fmt;

use serde_json::{Value, json};
use warmpath::dialect::Dialect;
use warmpath::provider::Profile;
use warmpath::usage::{Body, Stream};
pub use warmpath::usage::{Counts, Purpose};

use super::prompt::apply;

/// The convention of a provider.
pub type Usage = warmpath::provider::Usage;

/// The convention of the provider of this name.
pub fn usage_of(provider: &str) -> Usage {
    Profile::named(provider).unwrap_or_else(|| panic!("{provider} is no provider")).usage
}

/// What an answer said, and what the client got.
#[derive(Clone, PartialEq)]
pub struct Heard {
    pub counts: Counts,
    pub ids: Vec<String>,
    pub sent_on: Vec<u8>,
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent_on = String::from_utf8_lossy(&self.sent_on);
        write!(f, "{:?}, ids {:?}: {sent_on:?}", self.counts, self.ids)
    }
}

/// An answer in one piece of JSON, that comes in these windows.
pub fn json(dialect: Dialect, usage: Usage, windows: &[&[u8]]) -> Heard {
    let mut body = Body::default();
    windows.iter().for_each(|window| body.push(window));
    let (answer, edit) = body.finish(dialect, usage);
    let edits: Vec<_> = edit.into_iter().collect();
    Heard {
        counts: answer.raw.counts(dialect, usage),
        ids: texts(&answer.ids),
        sent_on: apply(&[&windows.concat()], &edits).expect("the edit is one of this body"),
    }
}

/// A stream of events, that comes in these chunks.
pub fn stream(dialect: Dialect, usage: Usage, purpose: Purpose, chunks: &[&[u8]]) -> Heard {
    stream_observed(dialect, usage, purpose, chunks.iter().copied(), |_, _| ())
}

/// The same; `observe` is told how many bytes came, and how many left, after each chunk.
pub fn stream_observed<'c>(
    dialect: Dialect,
    usage: Usage,
    purpose: Purpose,
    chunks: impl Iterator<Item = &'c [u8]>,
    mut observe: impl FnMut(usize, usize),
) -> Heard {
    let mut stream = Stream::new(dialect, usage, purpose);
    let mut sent_on = Vec::new();
    for chunk in chunks {
        let before = sent_on.len();
        match stream.push(chunk) {
            Some(bytes) => sent_on.extend(bytes),
            None => sent_on.extend_from_slice(chunk),
        }
        observe(chunk.len(), sent_on.len() - before);
    }
    sent_on.extend(stream.finish());
    Heard { counts: stream.raw().counts(dialect, usage), ids: texts(stream.ids()), sent_on }
}

fn texts(ids: &[Vec<u8>]) -> Vec<String> {
    ids.iter().map(|id| String::from_utf8_lossy(id).into_owned()).collect()
}

/// The counts by name; what the wire does not tell is `null`.
pub fn told(counts: &Counts) -> Value {
    let Counts { input, uncached, read, write, write_5m, write_1h, output, reasoning } = counts;
    json!({
        "input": input, "uncached": uncached, "read": read, "write": write,
        "write_5m": write_5m, "write_1h": write_1h, "output": output, "reasoning": reasoning,
    })
}
