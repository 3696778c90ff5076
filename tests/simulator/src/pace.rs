//! How fast and how much an account answers.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Events in which a stream tells its text.
    pub events: usize,
    /// Time between two of these.
    pub gap: Duration,
    /// Length of the text; the request's limit of output tokens wins.
    pub answer_bytes: usize,
    /// Time before the answer begins.
    pub delay: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { events: 4, gap: Duration::ZERO, answer_bytes: 80, delay: Duration::ZERO }
    }
}
