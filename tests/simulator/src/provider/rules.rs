//! The form in which the file of a provider states its rules: what it takes, ignores or refuses,
//! and how its cache works.

use std::time::Duration;

use serde_json::Value;

use crate::answer::{Answer, ChatVoice, Event, MessagesVoice, ResponsesVoice};
use crate::prompt::{Prompt, Source, Ttl};
use crate::refusal::Refusal;
use crate::route::Dialect;

/// A provider: the endpoints that ask a model, and how it says no.
pub(crate) struct Rules {
    pub(crate) surfaces: &'static [Surface],
    pub(crate) refuse: fn(&Refusal, &Saying<'_>) -> Said,
    /// Headers of every answer, made from the id of the request.
    pub(crate) headers: fn(request_id: &str) -> Vec<(&'static str, String)>,
    pub(crate) request_id_prefix: &'static str,
}

/// What an error body may name beside the refusal itself.
pub(crate) struct Saying<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) model: &'a str,
    /// Of the endpoint, where the path named one.
    pub(crate) dialect: Option<Dialect>,
}

/// An error as it is sent.
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// One endpoint of a provider.
pub(crate) struct Surface {
    pub(crate) voice: Voice,
    pub(crate) fields: Fields,
    pub(crate) knobs: fn(model: &str) -> Knobs,
    /// Rules beyond those that `fields` and `knobs` can state.
    pub(crate) check: fn(&Source<'_>) -> Result<(), Refusal>,
    pub(crate) texts: Texts,
    pub(crate) invalidators: Invalidators,
    /// What sets requests of one account and model apart.
    pub(crate) scope: fn(&Source<'_>) -> Option<String>,
    pub(crate) cache: fn(&Source<'_>, &Prompt) -> Cache,
    /// A system block with Claude Code's billing line, if it is the first: part of the prompt
    /// (`Honoured`) or not (`Ignored`).
    pub(crate) billing_block: Take,
    /// Headers that tell of the usage.
    pub(crate) headers: fn(&Answer<'_>) -> Vec<(&'static str, String)>,
}

impl Surface {
    /// An endpoint that ignores what it does not know and caches nothing: a file states what
    /// differs.
    pub(crate) const fn new(voice: Voice) -> Self {
        Self {
            voice,
            fields: Fields::Open,
            knobs: |_| Knobs::IGNORED,
            check: |_| Ok(()),
            texts: Texts::Same,
            invalidators: Invalidators::NONE,
            scope: |_| None,
            cache: |_, _| Cache::Off,
            billing_block: Take::Honoured,
            headers: |_| Vec::new(),
        }
    }
}

/// The dialect of an endpoint, and how this provider speaks it.
pub(crate) enum Voice {
    Messages(MessagesVoice),
    Chat(ChatVoice),
    Responses(ResponsesVoice),
}

impl Voice {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Messages(_) => Dialect::Messages,
            Self::Chat(_) => Dialect::Chat,
            Self::Responses(_) => Dialect::Responses,
        }
    }

    /// The answer as one JSON text, and its id.
    pub(crate) fn json(&self, answer: &Answer<'_>) -> (String, Value) {
        match self {
            Self::Messages(voice) => (voice.id(answer), voice.json(answer)),
            Self::Chat(voice) => (voice.id(answer), voice.json(answer)),
            Self::Responses(voice) => (voice.id(answer), voice.json(answer)),
        }
    }

    pub(crate) fn events(&self, answer: &Answer<'_>) -> Vec<Event> {
        match self {
            Self::Messages(voice) => voice.events(answer),
            Self::Chat(voice) => voice.events(answer),
            Self::Responses(voice) => voice.events(answer),
        }
    }
}

/// What is done with a request member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    Honoured,
    Ignored,
    Refused,
}

/// One row of the table of cache members.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Knobs {
    /// `cache_control` below the top level.
    pub(crate) marks: Places,
    /// `cache_control` at the top of the body.
    pub(crate) top_level_mark: Take,
    pub(crate) ttl: Ttls,
    pub(crate) scope: Scope,
    pub(crate) cache_key: Take,
    pub(crate) cache_options: Take,
    /// `prompt_cache_breakpoint`.
    pub(crate) breakpoints: Places,
    pub(crate) cache_retention: Take,
}

impl Knobs {
    pub(crate) const REFUSED: Self = Self {
        marks: Places::REFUSED,
        top_level_mark: Take::Refused,
        ttl: Ttls::Unknown,
        scope: Scope::Refused,
        cache_key: Take::Refused,
        cache_options: Take::Refused,
        breakpoints: Places::REFUSED,
        cache_retention: Take::Refused,
    };

    pub(crate) const IGNORED: Self = Self {
        marks: Places::IGNORED,
        top_level_mark: Take::Ignored,
        ttl: Ttls::Both,
        scope: Scope::Ignored,
        cache_key: Take::Ignored,
        cache_options: Take::Ignored,
        breakpoints: Places::IGNORED,
        cache_retention: Take::Ignored,
    };
}

/// Where a mark counts, and what is done with one that stands elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) honoured: &'static [Place],
    pub(crate) elsewhere: Take,
}

impl Places {
    pub(crate) const REFUSED: Self = Self { honoured: &[], elsewhere: Take::Refused };
    pub(crate) const IGNORED: Self = Self { honoured: &[], elsewhere: Take::Ignored };

    pub(crate) fn take(&self, place: Place) -> Take {
        if self.honoured.contains(&place) { Take::Honoured } else { self.elsewhere }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Tool,
    /// `tools[].function` of chat.
    Function,
    /// A block of `system` of messages.
    System,
    /// A text block or part with text in it.
    Text,
    /// Any other block or part that can be cached.
    Part,
    /// A part of an assistant turn of chat or responses.
    Said,
    EmptyText,
    Thinking,
    /// A block inside `tool_result.content`.
    Nested,
    /// The message itself, or an input item of responses.
    Message,
}

/// Which `ttl` a mark may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ttls {
    /// The member is not known at all.
    Unknown,
    FiveMinutes,
    Both,
}

/// What is done with `cache_control.scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Known beside the beta header `prompt-caching-scope-2026-01-05` only.
    WithBeta,
    Ignored,
    Refused,
}

/// Which members a body may have beside those of `Knobs`.
pub(crate) enum Fields {
    Open,
    Closed(&'static Names),
}

pub(crate) struct Names {
    pub(crate) top: &'static [&'static [&'static str]],
    /// Empty where a message is an item like others.
    pub(crate) message: &'static [&'static str],
    /// By the type of a block, part or input item; those of other types are not looked at.
    pub(crate) blocks: &'static [(&'static str, &'static [&'static str])],
    /// Empty where tools of many kinds exist.
    pub(crate) tool: &'static [&'static str],
}

/// Whether a string and an array of one text part are the same to the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Texts {
    Same,
    Distinct,
}

/// Members of the body that, when they change, lose the cache from a section on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Invalidators {
    pub(crate) tools: &'static [&'static str],
    pub(crate) system: &'static [&'static str],
    pub(crate) messages: &'static [&'static str],
}

impl Invalidators {
    pub(crate) const NONE: Self = Self { tools: &[], system: &[], messages: &[] };
}

/// How the prefixes of one request are kept and found again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cache {
    /// Entries where marks stand; found from a mark backwards.
    Marks { minimum: u64, excess: Excess, ready: Ready },
    /// Entries at OpenAI's implicit and explicit breakpoints.
    Breakpoints { mode: Mode, ttl: Ttl, minimum: u64 },
    /// The longest known prefix, in whole steps.
    Steps { minimum: u64, step: u64, life: Duration, writes: Writes },
    /// Only prefixes that ended a request, or that two requests were seen to share.
    Units { step: u64, life: Duration },
    /// Nothing is read or written.
    Off,
}

/// What is done with marks beyond the fourth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    Refused,
    /// Only the last four count.
    Dropped,
}

/// When an entry can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    AnswerBegun,
    AnswerFinished,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Implicit,
    Explicit,
}

/// What becomes of the tokens that a request adds to an automatic cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    Free,
    Billed(Ttl),
    /// Nothing is added: the request only reads.
    Off,
}
