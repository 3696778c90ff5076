//! The counts as the wire spells them, and what they mean.

use super::Counts;
use crate::dialect::Dialect;
use crate::provider;

/// Counts under the names of the wire; none where a name did not come, or came with `null`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Raw([Option<u64>; Slot::COUNT]);

/// What a name of the wire counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// `input_tokens`, `prompt_tokens` and their like.
    Input,
    Output,
    Total,
    /// `cache_read_input_tokens` and its like, beside the input.
    Read,
    /// `cache_creation_input_tokens` and its like, beside the input.
    Write,
    /// `cached_tokens` in the details of the input.
    Cached,
    /// `cache_write_tokens` and its like, in the details of the input.
    Written,
    /// `cached_tokens` or `num_cached_tokens`, beside the input.
    CachedBeside,
    /// DeepSeek's `prompt_cache_hit_tokens`.
    Hit,
    Write5m,
    Write1h,
    Reasoning,
    /// Gemini's `toolUsePromptTokenCount`, which its input leaves out.
    ToolInput,
    /// Gemini's `thoughtsTokenCount`, which its output leaves out.
    Thoughts,
}

impl Slot {
    const COUNT: usize = Self::Thoughts as usize + 1;

    /// What `name` counts at this level.
    pub(super) fn named(level: Level, name: &[u8]) -> Option<Self> {
        Some(match (level, name) {
            (
                Level::Usage,
                b"prompt_tokens" | b"input_tokens" | b"inputTokens" | b"inputTokenCount"
                | b"promptTokenCount",
            ) => Self::Input,
            (
                Level::Usage,
                b"completion_tokens"
                | b"output_tokens"
                | b"outputTokens"
                | b"outputTokenCount"
                | b"candidatesTokenCount",
            ) => Self::Output,
            (Level::Usage, b"total_tokens") => Self::Total,
            (
                Level::Usage,
                b"cache_read_input_tokens" | b"cacheReadInputTokens" | b"cacheReadInputTokenCount",
            ) => Self::Read,
            (
                Level::Usage,
                b"cache_creation_input_tokens"
                | b"cacheWriteInputTokens"
                | b"cacheWriteInputTokenCount",
            ) => Self::Write,
            (Level::Usage, b"cached_tokens" | b"num_cached_tokens") => Self::CachedBeside,
            (Level::Usage, b"cachedContentTokenCount") => Self::Cached,
            (Level::Usage, b"toolUsePromptTokenCount") => Self::ToolInput,
            (Level::Usage, b"thoughtsTokenCount") => Self::Thoughts,
            (Level::Usage, b"prompt_cache_hit_tokens") => Self::Hit,
            (Level::InputDetails, b"cached_tokens") => Self::Cached,
            (
                Level::InputDetails,
                b"cache_write_tokens"
                | b"caching_tokens"
                | b"cache_creation_input_tokens"
                | b"cache_creation_tokens",
            ) => Self::Written,
            (Level::OutputDetails, b"reasoning_tokens" | b"thinking_tokens") => Self::Reasoning,
            (Level::Creation, b"ephemeral_5m_input_tokens") => Self::Write5m,
            (Level::Creation, b"ephemeral_1h_input_tokens") => Self::Write1h,
            _ => return None,
        })
    }
}

/// Where in a usage object a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Usage,
    InputDetails,
    OutputDetails,
    /// `cache_creation`: the writes by lifetime.
    Creation,
}

impl Level {
    /// The level of the object `name` at this one.
    pub(super) fn inside(self, name: &[u8]) -> Option<Self> {
        match (self, name) {
            (
                Self::Usage,
                b"prompt_tokens_details" | b"prompt_token_details" | b"input_tokens_details",
            ) => Some(Self::InputDetails),
            (Self::Usage, b"completion_tokens_details" | b"output_tokens_details") => {
                Some(Self::OutputDetails)
            }
            (Self::Usage | Self::InputDetails, b"cache_creation") => Some(Self::Creation),
            _ => None,
        }
    }
}

impl Raw {
    fn get(&self, slot: Slot) -> Option<u64> {
        self.0.get(slot as usize).copied().flatten()
    }

    pub(super) fn set(&mut self, slot: Slot, count: u64) {
        if let Some(known) = self.0.get_mut(slot as usize) {
            *known = Some(count);
        }
    }

    /// Whether no count came.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes what a later usage of the same answer says; what that leaves out stays.
    pub fn update(&mut self, later: &Self) {
        for (known, later) in self.0.iter_mut().zip(&later.0) {
            *known = later.or(*known);
        }
    }

    /// What the counts mean, in an answer of this dialect from a provider with this convention.
    pub fn counts(&self, dialect: Dialect, usage: provider::Usage) -> Counts {
        match (dialect, usage) {
            (Dialect::Messages, _) => self.exclusive(),
            (Dialect::Chat | Dialect::Responses | Dialect::Objects, usage) => {
                self.inclusive(dialect, usage)
            }
        }
    }

    fn exclusive(&self) -> Counts {
        let input = self.get(Slot::Input).map(|uncached| {
            uncached
                .saturating_add(self.get(Slot::Read).unwrap_or(0))
                .saturating_add(self.get(Slot::Write).unwrap_or(0))
        });
        let (write_5m, write_1h) = self.split(self.get(Slot::Write));
        Counts {
            input,
            uncached: self.get(Slot::Input),
            read: self.get(Slot::Read),
            write: self.get(Slot::Write),
            write_5m,
            write_1h,
            output: self.get(Slot::Output),
            reasoning: self.get(Slot::Reasoning),
        }
    }

    /// The writes by lifetime, where the wire tells them and they fit the sum.
    fn split(&self, write: Option<u64>) -> (Option<u64>, Option<u64>) {
        match (write, self.get(Slot::Write5m), self.get(Slot::Write1h)) {
            (Some(0), ..) => (Some(0), Some(0)),
            (None, ..) | (_, None, None) | (_, Some(0), Some(0)) => (None, None),
            // A later event raised the sum alone: what is written late lives five minutes.
            (Some(write), _, hour) => {
                let hour = hour.unwrap_or(0).min(write);
                (Some(write - hour), Some(hour))
            }
        }
    }

    fn inclusive(&self, dialect: Dialect, usage: provider::Usage) -> Counts {
        let relay = usage == provider::Usage::Relay;
        let mut read = self
            .get(Slot::Hit)
            .or(self.get(Slot::Cached))
            .or(self.get(Slot::CachedBeside))
            .or(self.get(Slot::Read));
        let write = self.get(Slot::Written).or(self.get(Slot::Write));
        // Some relays show a write as cached as well; the exclusive name tells.
        if relay && self.get(Slot::Read) == Some(0) && read.is_some() && read == write {
            read = Some(0);
        }
        let known = read.unwrap_or(0).saturating_add(write.unwrap_or(0));
        let output = self.output_of(dialect, usage);
        let exclusive = self.get(Slot::Input).is_some_and(|input| {
            known > input
                || relay
                    && self.get(Slot::Total).is_some_and(|total| {
                        let parts = input.saturating_add(output.unwrap_or(0));
                        known > 0 && total != parts && total == parts.saturating_add(known)
                    })
        });
        let guarded = relay || usage == provider::Usage::ReasoningApart;
        let input = self.get(Slot::Input).map(|input| {
            let input = input.saturating_add(self.get(Slot::ToolInput).unwrap_or(0));
            if exclusive && guarded { input.saturating_add(known) } else { input }
        });
        // A provider that is no relay and tells more than all: all of it.
        let at_most = |count: Option<u64>, most: Option<u64>| match most {
            Some(most) => count.map(|count| count.min(most)),
            None => count,
        };
        let read = at_most(read, input);
        let rest = input.map(|input| input.saturating_sub(read.unwrap_or(0)));
        let write = at_most(write, rest);
        let uncached = rest.map(|rest| rest.saturating_sub(write.unwrap_or(0)));
        let (write_5m, write_1h) = self.split(write);
        let reasoning = self.get(Slot::Reasoning).or(self.get(Slot::Thoughts));
        Counts { input, uncached, read, write, write_5m, write_1h, output, reasoning }
    }

    fn output_of(&self, dialect: Dialect, usage: provider::Usage) -> Option<u64> {
        match usage {
            provider::Usage::ReasoningApart if dialect == Dialect::Chat => self
                .get(Slot::Output)
                .map(|output| output.saturating_add(self.get(Slot::Reasoning).unwrap_or(0))),
            provider::Usage::CompletionFromTotal if dialect == Dialect::Chat => {
                match (self.get(Slot::Total), self.get(Slot::Input)) {
                    (Some(total), Some(input)) => Some(total.saturating_sub(input)),
                    _ => self.get(Slot::Output),
                }
            }
            _ => self
                .get(Slot::Output)
                .map(|output| output.saturating_add(self.get(Slot::Thoughts).unwrap_or(0))),
        }
    }
}
