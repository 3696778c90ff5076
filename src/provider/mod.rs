//! What each provider accepts, how long it keeps what it caches, and how it counts.
//!
//! A [`Profile`] is data, one file per provider, always in the same order: accepts, lifetimes,
//! usage, notes; each fact with its source and the date it was read. `~` in a source means "took it
//! without an error"; what is not known is treated as rejected. How a body becomes acceptable is
//! decided in [`shape`](crate::shape), how counts are read in [`usage`](crate::usage).
//!
//! A provider is added as `cerebras` was: its file and its line in [`PROFILES`] here; an answer and
//! a stream in `tests/golden/responses/cerebras`, its model in `requests/inputs/every.json` beside
//! them; a row in the README. What is missing, the tests name.

mod anthropic;
mod azure_openai;
mod bedrock;
mod bedrock_mantle;
mod cerebras;
mod claude;
mod concentrate;
mod deepseek;
mod ephone;
mod fireworks;
mod foundry;
mod gemini;
mod gpt;
mod groq;
mod knox;
mod litellm;
mod minimax;
mod mistral;
mod moonshot;
mod openai;
mod openrouter;
mod qwen;
mod requesty;
mod routerhub;
mod sglang;
mod together;
mod vertex;
mod vllm;
mod xai;
mod zai;

use crate::dialect::{Dialect, MarkKind};
use crate::prompt::Ttl;

/// Every provider, in the order in which the configuration names them.
pub static PROFILES: [&Profile; 28] = [
    &anthropic::PROFILE,
    &bedrock::PROFILE,
    &bedrock_mantle::PROFILE,
    &vertex::PROFILE,
    &foundry::PROFILE,
    &openai::PROFILE,
    &azure_openai::PROFILE,
    &gemini::PROFILE,
    &deepseek::PROFILE,
    &xai::PROFILE,
    &mistral::PROFILE,
    &groq::PROFILE,
    &cerebras::PROFILE,
    &moonshot::PROFILE,
    &qwen::PROFILE,
    &zai::PROFILE,
    &minimax::PROFILE,
    &fireworks::PROFILE,
    &together::PROFILE,
    &openrouter::PROFILE,
    &requesty::PROFILE,
    &routerhub::PROFILE,
    &concentrate::PROFILE,
    &knox::PROFILE,
    &ephone::PROFILE,
    &litellm::PROFILE,
    &vllm::PROFILE,
    &sglang::PROFILE,
];

/// The rules of one provider.
#[derive(Debug)]
pub struct Profile {
    /// Its name in the configuration.
    pub name: &'static str,
    /// The dialects that it speaks, each with what it accepts there.
    pub dialects: &'static [(Dialect, Accepts)],
    /// What differs for a model.
    pub for_model: fn(&str, Accepts) -> Accepts,
    /// The shortest prefix that it caches, in tokens, by model.
    pub min_tokens: fn(&str) -> u32,
    /// How long it keeps what it caches without being asked for another lifetime, in seconds, by
    /// model.
    pub lifetime_seconds: fn(&str) -> u32,
    pub usage: Usage,
}

impl Profile {
    /// The profile of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name).copied()
    }

    /// What it accepts of a dialect and model; none where it does not speak the dialect.
    pub fn accepts(&self, dialect: Dialect, model: &str) -> Option<Accepts> {
        let (_, accepts) = self.dialects.iter().find(|(spoken, _)| *spoken == dialect)?;
        Some((self.for_model)(model, *accepts))
    }
}

/// What a provider accepts in a request of one dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepts {
    pub marks: Marks,
    /// A mark on the whole request.
    pub top_level_mark: bool,
    /// `ttl: "1h"` in a mark; without it, no `ttl` at all.
    pub ttl_1h: bool,
    /// `scope` in a mark, with the beta header for it.
    pub scope: bool,
    /// `prompt_cache_key`.
    pub cache_key: bool,
    /// `prompt_cache_retention`.
    pub cache_retention: bool,
    /// `prompt_cache_options`.
    pub cache_options: bool,
    /// Lifetimes that those, and breakpoints, may name.
    pub cache_ttls: &'static [Ttl],
    /// `stream_options.include_usage`.
    pub usage_option: bool,
    /// What makes follow-ups reach the same cache inside the account.
    pub key: Key,
}

/// Which marks a provider takes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// None: a request with one is refused, or nobody knows.
    Rejected,
    /// They change nothing, so they stay as they are.
    Ignored,
    /// `cache_control` on every block and tool that Anthropic documents.
    Blocks,
    /// `cache_control` on content parts, not on tools.
    Parts,
    /// `cache_control` on text parts and tools.
    TextAndTools,
    /// `cache_control` on text parts.
    Text,
    /// `cache_control` on messages of a responses input.
    Items,
    /// `cache_control` on the whole request only.
    Top,
    /// `prompt_cache_breakpoint` on the parts of messages that an assistant did not write.
    Breakpoints,
}

impl Marks {
    /// Whether a mark makes the provider cache.
    pub fn count(self) -> bool {
        !matches!(self, Self::Rejected | Self::Ignored)
    }

    /// Which member makes such a mark.
    pub(crate) fn kind(self) -> MarkKind {
        match self {
            Self::Breakpoints => MarkKind::Breakpoint,
            _ => MarkKind::CacheControl,
        }
    }
}

/// What makes follow-ups reach the same cache inside an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    None,
    /// The body's `prompt_cache_key`.
    Field,
    /// A request header of this name.
    Header(&'static str),
}

impl Accepts {
    /// Nothing about caching at all.
    pub(crate) const NOTHING: Self = Self {
        marks: Marks::Rejected,
        top_level_mark: false,
        ttl_1h: false,
        scope: false,
        cache_key: false,
        cache_retention: false,
        cache_options: false,
        cache_ttls: &Ttl::ALL,
        usage_option: false,
        key: Key::None,
    };

    /// Whatever the client sends: a relay that shapes by itself, or a server that ignores it.
    const ANYTHING: Self = Self {
        marks: Marks::Ignored,
        top_level_mark: true,
        ttl_1h: true,
        scope: true,
        cache_key: true,
        cache_retention: true,
        cache_options: true,
        cache_ttls: &Ttl::ALL,
        usage_option: true,
        key: Key::None,
    };
}

/// How a provider counts tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// The dialect's own convention: messages exclusive, chat and responses inclusive.
    Standard,
    /// A relay's: inclusive or exclusive as the numbers themselves tell.
    Relay,
    /// As standard, with the reasoning of chat answers outside of the completion.
    ReasoningApart,
    /// As standard, with the completion of chat answers as what the total leaves.
    CompletionFromTotal,
}

/// The model's own rules are the provider's.
fn same_for_every_model(_: &str, accepts: Accepts) -> Accepts {
    accepts
}

#[cfg(test)]
mod tests;
