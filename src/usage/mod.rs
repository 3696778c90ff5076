//! Token counts of answers: read from every provider's wire, held in one convention, written back
//! in the client's dialect.
//!
//! Inside, `input = uncached + read + write`, and what the wire does not tell is none, never zero.
//! Where counts are is the reader's business, which convention they follow the profile's.
//! Nothing here decides what an answer teaches.

mod answer;
mod body;
mod raw;
mod stream;
mod write;

pub use answer::Answer;
pub use body::Body;
pub use raw::Raw;
pub use stream::{Purpose, Stream};
pub use write::writes as is_rewritten;

/// The counts of one answer, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of the prompt.
    pub input: Option<u64>,
    /// What was neither read from the cache nor written to it.
    pub uncached: Option<u64>,
    pub read: Option<u64>,
    pub write: Option<u64>,
    /// The part of the writes that lives five minutes.
    pub write_5m: Option<u64>,
    /// The part of the writes that lives an hour.
    pub write_1h: Option<u64>,
    /// All of the answer, reasoning included.
    pub output: Option<u64>,
    pub reasoning: Option<u64>,
}

impl Counts {
    /// Whether the provider says that it neither read this prompt from its cache nor wrote it.
    pub fn tells_of_no_cache(&self) -> bool {
        self.read.unwrap_or(0) == 0 && self.write == Some(0)
    }
}

#[cfg(test)]
mod tests;
