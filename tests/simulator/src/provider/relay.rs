//! What relays have in common: they serve models of many makers, each with its own cache, and
//! mostly speak Claude's and OpenAI's dialects side by side.

use std::time::Duration;

use crate::prompt::{Prompt, Source};
use crate::provider::{
    Cache, Knobs, Place, Places, Said, Saying, Take, Writes, claude, deepseek, gemini, openai,
};
use crate::refusal::Refusal;
use crate::route::Dialect;

/// Marks of Claude in chat, in the parts of messages; what is unknown is ignored.
pub(super) const PARTS: Knobs = Knobs {
    marks: Places { honoured: &[Place::Text, Place::Part, Place::Said], elsewhere: Take::Ignored },
    ..Knobs::IGNORED
};

/// In Claude's dialect: what concerns a mark is handed on and judged as Anthropic does, the rest is
/// ignored.
pub(super) fn messages(model: &str) -> Knobs {
    match family(model) {
        Family::Claude => Knobs {
            cache_key: Take::Ignored,
            cache_options: Take::Ignored,
            breakpoints: Places::IGNORED,
            cache_retention: Take::Ignored,
            ..claude::KNOBS
        },
        _ => Knobs::IGNORED,
    }
}

/// The cache of the maker of a model.
pub(super) fn cache(source: &Source<'_>, prompt: &Prompt) -> Cache {
    match family(&source.model) {
        Family::Claude => claude::cache(source, prompt),
        Family::Gpt => openai::cache(source, prompt),
        Family::Gemini => gemini::cache(&source.model),
        Family::DeepSeek => deepseek::CACHE,
        Family::Other => AUTOMATIC,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Claude,
    Gpt,
    Gemini,
    DeepSeek,
    Other,
}

pub(super) fn family(model: &str) -> Family {
    let known = [
        ("claude", Family::Claude),
        // Open weights, served by others and in their way.
        ("gpt-oss", Family::Other),
        ("gpt-", Family::Gpt),
        ("gemini", Family::Gemini),
        ("deepseek", Family::DeepSeek),
    ];
    known.iter().find(|(name, _)| model.contains(name)).map_or(Family::Other, |(_, family)| *family)
}

/// Of makers who say that they cache, and no more.
pub(super) const AUTOMATIC: Cache =
    Cache::Steps { minimum: 64, step: 64, life: Duration::from_secs(600), writes: Writes::Free };

/// In the envelope of the dialect that was spoken.
pub(super) fn refuse(refusal: &Refusal, saying: &Saying<'_>) -> Said {
    match saying.dialect {
        Some(Dialect::Messages) => claude::refuse(refusal, saying),
        _ => openai::refuse(refusal, saying),
    }
}
