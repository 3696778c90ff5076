//! What happened in a play: every turn, where it went, and when an upstream was off.

use std::ops::Range;

use simulator::Usage;

use crate::totals::Totals;

/// A play from its first turn to its last.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// In the order in which they were taken.
    pub turns: Vec<Turn>,
    pub outages: Vec<Outage>,
}

/// One turn of a conversation.
#[derive(Clone, Debug)]
pub struct Turn {
    pub conversation: &'static str,
    /// Which one of its conversation, from 1.
    pub number: usize,
    pub outcome: Outcome,
}

#[derive(Clone, Debug)]
pub enum Outcome {
    Served { went_to: String, why: String, usage: Usage },
    Failed { status: u16 },
}

/// An upstream that was switched off.
#[derive(Clone, Debug)]
pub struct Outage {
    pub upstream: String,
    /// The turns that were taken meanwhile, as indices.
    pub turns: Range<usize>,
}

impl Played {
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for turn in &self.turns {
            match &turn.outcome {
                Outcome::Served { usage, .. } => totals.add(usage),
                Outcome::Failed { .. } => totals.failed_requests += 1,
            }
        }
        totals
    }
}
