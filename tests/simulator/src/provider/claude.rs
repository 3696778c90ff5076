//! What every endpoint of Claude has in common: its schema, its errors, its usage and its cache.
//! What differs between them is in the files of the surfaces. platform.claude.com, read 2026-08-22
//! unless said otherwise.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::prompt::{Prompt, Source};
use crate::provider::{
    Cache, Excess, Invalidators, Knobs, Names, Place, Places, Ready, Said, Saying, Scope, Take,
    Ttls,
};
use crate::refusal::{Breach, Refusal};

/// Anthropic's own row: everything of Claude's, nothing of OpenAI's.
pub(super) const KNOBS: Knobs = Knobs {
    marks: Places {
        honoured: &[Place::Tool, Place::System, Place::Text, Place::Part],
        elsewhere: Take::Refused,
    },
    top_level_mark: Take::Honoured,
    ttl: Ttls::Both,
    scope: Scope::WithBeta,
    cache_key: Take::Refused,
    cache_options: Take::Refused,
    breakpoints: Places::REFUSED,
    cache_retention: Take::Refused,
};

/// The members of a body, less those of the table of cache members and the model.
pub(super) const TOP: &[&str] = &[
    "messages",
    "system",
    "tools",
    "tool_choice",
    "max_tokens",
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "metadata",
    "thinking",
    "output_config",
    "output_format",
    "context_management",
    "container",
    "mcp_servers",
    "service_tier",
    "inference_geo",
    "speed",
    "diagnostics",
    "fallbacks",
];

pub(super) const MESSAGE: &[&str] = &["role", "content"];

/// The types whose members are well known; of the many others only the cache members are looked at.
pub(super) const BLOCKS: &[(&str, &[&str])] = &[
    ("text", &["type", "text", "citations"]),
    ("image", &["type", "source"]),
    ("document", &["type", "source", "title", "context", "citations"]),
    ("search_result", &["type", "source", "title", "content", "citations"]),
    ("thinking", &["type", "thinking", "signature"]),
    ("redacted_thinking", &["type", "data"]),
    ("tool_use", &["type", "id", "name", "input", "caller"]),
    ("tool_result", &["type", "tool_use_id", "content", "is_error"]),
];

pub(super) const NAMES: Names = Names { top: &[TOP], message: MESSAGE, blocks: BLOCKS, tool: &[] };

/// Tools and system survive a change of these, messages do not. Left out: toggles inside tools and
/// documents, and images.
pub(super) const INVALIDATORS: Invalidators = Invalidators {
    tools: &[],
    system: &["speed"],
    messages: &["tool_choice", "thinking", "output_config"],
};

pub(super) fn cache(source: &Source<'_>, _: &Prompt) -> Cache {
    let minimum = minimum(&source.model);
    Cache::Marks { minimum, excess: Excess::Refused, ready: Ready::AnswerBegun }
}

/// Tokens below which a prefix is not written.
pub(super) fn minimum(model: &str) -> u64 {
    let name = name(model);
    let known = MINIMA.iter().find(|(prefix, _)| name.starts_with(prefix));
    known.map_or(1024, |(_, tokens)| *tokens)
}

/// The longer of two names comes first. Other tables disagree about Opus 4.8 and 4.7, Sonnet 4.6
/// and Fable 5.
const MINIMA: &[(&str, u64)] = &[
    ("opus-4-8", 1024),
    ("opus-4-7", 2048),
    ("opus-4-6", 4096),
    ("opus-4-5", 4096),
    ("opus-4", 1024),
    ("opus-5", 512),
    ("sonnet-5-5", 512),
    ("sonnet-5", 1024),
    ("sonnet-4", 1024),
    ("haiku-5-5", 512),
    ("haiku-4-5", 4096),
    ("haiku-3-5", 2048),
    ("3-5-haiku", 2048),
    ("fable-5", 512),
    ("mythos-preview", 2048),
    ("mythos-5", 512),
];

/// Major and minor version of a model by the name that any of the surfaces has for it.
pub(super) fn version(model: &str) -> (u32, u32) {
    let name = name(model);
    let parts = name.split(['-', '@', ':']);
    // A longer number is a date.
    let numbers = parts.filter(|part| part.len() <= 2).filter_map(|part| part.parse().ok());
    let mut numbers = numbers.fuse();
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn name(model: &str) -> String {
    let name = model.rsplit_once("claude-").map_or(model, |(_, name)| name);
    name.replace('.', "-").to_lowercase()
}

/// Counts that exclude what was read and written.
pub(super) fn usage(answer: &Answer<'_>) -> Value {
    let usage = &answer.usage;
    let mut json = json!({
        "input_tokens": usage.uncached,
        "cache_creation_input_tokens": usage.write,
        "cache_read_input_tokens": usage.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.write_5m,
            "ephemeral_1h_input_tokens": usage.write_1h,
        },
        "output_tokens": usage.output,
        "service_tier": "standard",
    });
    if usage.reasoning > 0 {
        json["output_tokens_details"] = json!({ "thinking_tokens": usage.reasoning });
    }
    json
}

pub(super) fn refuse(refusal: &Refusal, saying: &Saying<'_>) -> Said {
    let status = refusal.status();
    let error = json!({ "type": kind(status), "message": words(refusal) });
    Said {
        status,
        body: json!({ "type": "error", "error": error, "request_id": saying.request_id }),
    }
}

/// As pydantic words what it finds, and Anthropic's rules what they find after that.
pub(super) fn words(refusal: &Refusal) -> String {
    let path = refusal.path.dotted();
    let words = match &refusal.breach {
        Breach::NotJson(error) => return format!("The request body is not valid JSON: {error}"),
        Breach::Missing => "Field required".to_owned(),
        Breach::Wrong(expected) => format!("Input should be {expected}"),
        Breach::Extra | Breach::Unsupported => "Extra inputs are not permitted".to_owned(),
        Breach::Rule(words) => words.clone(),
        Breach::NotFound(id) => return format!("{id} was not found."),
        Breach::NoRoute => return "Not Found".to_owned(),
        Breach::Failing(429) => {
            return "This request would exceed your account's rate limit.".to_owned();
        }
        Breach::Failing(503 | 529) => return "Overloaded".to_owned(),
        Breach::Failing(500..) => return "Internal server error".to_owned(),
        Breach::Failing(_) => return "The request could not be served.".to_owned(),
    };
    if path.is_empty() { words } else { format!("{path}: {words}") }
}

fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        503 | 529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_known_by_the_names_of_all_surfaces() {
        let known = [
            ("claude-opus-5", 512, (5, 0)),
            ("us.anthropic.claude-opus-4-6-v1:0", 4096, (4, 6)),
            ("anthropic/claude-sonnet-4.5", 1024, (4, 5)),
            ("claude-opus-4-1-20250805", 1024, (4, 1)),
            ("claude-sonnet-4@20250514", 1024, (4, 0)),
            ("claude-3-5-haiku-20241022", 2048, (3, 5)),
            ("claude-haiku-4-5", 4096, (4, 5)),
            ("claude-mythos-5-1", 512, (5, 1)),
        ];
        for (model, tokens, numbers) in known {
            assert_eq!((minimum(model), version(model)), (tokens, numbers), "{model}");
        }
    }
}
