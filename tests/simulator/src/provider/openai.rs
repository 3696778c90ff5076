//! OpenAI: chat completions and responses. developers.openai.com, prompt caching, read 2026-09-20,
//! and its Python library 3.51.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, ChatVoice, ResponsesVoice, chat_counts, responses_counts};
use crate::json::Json;
use crate::prompt::{Prompt, Source, Ttl};
use crate::provider::{
    Cache, Fields, Invalidators, Knobs, Mode, Names, Place, Places, Rules, Said, Saying, Surface,
    Take, Texts, Voice, Writes,
};
use crate::refusal::{Breach, Path, Refusal};

pub(super) const RULES: Rules = Rules {
    surfaces: &[CHAT, RESPONSES],
    refuse,
    headers: |request_id| vec![("x-request-id", request_id.to_owned())],
    request_id_prefix: "req_",
};

pub(super) const CHAT: Surface = Surface {
    fields: Fields::Closed(&CHAT_NAMES),
    knobs,
    check: |source| {
        key(source)?;
        options(source, &["30m"])?;
        retention(source)
    },
    texts: Texts::Same,
    invalidators: Invalidators {
        tools: &[
            "reasoning_effort",
            "verbosity",
            "response_format",
            "service_tier",
            "parallel_tool_calls",
        ],
        ..Invalidators::NONE
    },
    scope: |source| source.string(&["prompt_cache_key"]),
    cache,
    ..Surface::new(Voice::Chat(ChatVoice { usage: chat_usage, ..ChatVoice::PLAIN }))
};

pub(super) const RESPONSES: Surface = Surface {
    fields: Fields::Closed(&RESPONSES_NAMES),
    check: |source| {
        key(source)?;
        options(source, &["30m", "12h"])?;
        retention(source)
    },
    invalidators: Invalidators {
        tools: &["reasoning", "text", "service_tier", "parallel_tool_calls"],
        ..Invalidators::NONE
    },
    ..Surface { voice: Voice::Responses(ResponsesVoice { usage: responses_usage }), ..CHAT }
};

pub(super) fn knobs(model: &str) -> Knobs {
    let version = version(model);
    let shared = Knobs { cache_key: Take::Honoured, ..Knobs::REFUSED };
    if version >= EXPLICIT {
        Knobs {
            cache_options: Take::Honoured,
            breakpoints: Places {
                honoured: &[Place::Text, Place::EmptyText, Place::Part],
                elsewhere: Take::Refused,
            },
            cache_retention: if version >= (6, 0) { Take::Refused } else { Take::Ignored },
            ..shared
        }
    } else {
        // Which models take it is not listed in full: taken to be those whose pages offer 24h.
        let kept = version >= (5, 0) || version == (4, 1);
        Knobs { cache_retention: if kept { Take::Honoured } else { Take::Refused }, ..shared }
    }
}

pub(super) fn cache(source: &Source<'_>, prompt: &Prompt) -> Cache {
    if !breaks(&source.model) {
        let day =
            source.body.get("prompt_cache_retention").is_some_and(|value| value.raw() == "\"24h\"");
        // In memory it is 5 to 10 minutes; as long as nothing is said, it is kept in memory.
        let life = Duration::from_secs(if day { 24 * 3600 } else { 600 });
        return Cache::Steps { minimum: MINIMUM, step: 128, life, writes: Writes::Free };
    }
    let option =
        |name: &str| source.body.get("prompt_cache_options")?.get(name).and_then(Json::text);
    let ttl = match option("ttl").as_deref() {
        Some("12h") => Ttl::TwelveHours,
        _ => Ttl::ThirtyMinutes,
    };
    match option("mode").as_deref() {
        Some("explicit") if !prompt.is_marked() => Cache::Off,
        Some("explicit") => Cache::Breakpoints { mode: Mode::Explicit, ttl, minimum: MINIMUM },
        _ => Cache::Breakpoints { mode: Mode::Implicit, ttl, minimum: MINIMUM },
    }
}

const MINIMUM: u64 = 1024;

/// From this version on, a request can say where the cache ends, and writes are billed.
const EXPLICIT: (u32, u32) = (5, 6);

pub(super) fn breaks(model: &str) -> bool {
    version(model) >= EXPLICIT
}

/// Of a GPT; other models are older than any.
pub(super) fn version(model: &str) -> (u32, u32) {
    let Some((_, name)) = model.split_once("gpt-") else { return (0, 0) };
    let numbers = name
        .split(|other: char| !other.is_ascii_digit() && other != '.')
        .next()
        .unwrap_or_default();
    let (major, minor) = numbers.split_once('.').unwrap_or((numbers, "0"));
    (major.parse().unwrap_or(0), minor.parse().unwrap_or(0))
}

pub(super) fn key(source: &Source<'_>) -> Result<(), Refusal> {
    let Some(value) = source.body.get("prompt_cache_key") else { return Ok(()) };
    let path = Path::new("prompt_cache_key");
    let Some(text) = value.text() else {
        return Err(Refusal::new(path, Breach::Wrong("a string")));
    };
    let length = text.chars().count();
    if length > 64 {
        let words = format!(
            "Invalid 'prompt_cache_key': string too long. Expected a string with maximum length 64, but got a string with length {length} instead."
        );
        return Err(Refusal::new(path, Breach::Rule(words)));
    }
    Ok(())
}

pub(super) fn options(source: &Source<'_>, ttls: &[&str]) -> Result<(), Refusal> {
    let Some(options) = source.body.get("prompt_cache_options") else { return Ok(()) };
    if !breaks(&source.model) {
        return Ok(());
    }
    let path = Path::new("prompt_cache_options");
    let Some(members) = options.members() else {
        return Err(Refusal::new(path, Breach::Wrong("an object")));
    };
    for (name, value) in members.iter() {
        let text = value.text();
        let text = text.as_deref();
        let right = match name {
            "mode" => matches!(text, Some("implicit" | "explicit")),
            "ttl" => text.is_some_and(|text| ttls.contains(&text)),
            // Only of responses, whose longer list of ttls tells it.
            "prewarm" | "comparison_response_id" if ttls.contains(&"12h") => true,
            _ => return Err(Refusal::new(path.name(name), Breach::Extra)),
        };
        if !right && !value.is_null() {
            let words =
                format!("Invalid value for '{}': {}.", path.name(name).bracketed(), value.raw());
            return Err(Refusal::new(path.name(name), Breach::Rule(words)));
        }
    }
    Ok(())
}

pub(super) fn retention(source: &Source<'_>) -> Result<(), Refusal> {
    let Some(value) = source.body.get("prompt_cache_retention") else { return Ok(()) };
    let path = Path::new("prompt_cache_retention");
    match value.text().as_deref() {
        Some("24h") => Ok(()),
        Some("in_memory") if version(&source.model) != (5, 5) => Ok(()),
        _ => {
            let words = format!("Invalid value for 'prompt_cache_retention': {}.", value.raw());
            Err(Refusal::new(path, Breach::Rule(words)))
        }
    }
}

pub(super) fn chat_usage(answer: &Answer<'_>) -> Value {
    let mut usage = chat_counts(&answer.usage, details(answer));
    usage["completion_tokens_details"] = json!({ "reasoning_tokens": answer.usage.reasoning });
    usage
}

pub(super) fn responses_usage(answer: &Answer<'_>) -> Value {
    let usage = &answer.usage;
    let mut details = details(answer);
    if usage.write > 0 {
        details["cache_write_tokens_details"] = json!({
            "ttl_30m_tokens": usage.write_30m,
            "ttl_12h_tokens": usage.write_12h,
        });
    }
    responses_counts(usage, details)
}

fn details(answer: &Answer<'_>) -> Value {
    let mut details = json!({ "cached_tokens": answer.usage.read });
    if breaks(&answer.source.model) {
        details["cache_write_tokens"] = json!(answer.usage.write);
    }
    details
}

pub(super) fn refuse(refusal: &Refusal, _: &Saying<'_>) -> Said {
    let path = refusal.path.bracketed();
    let status = refusal.status();
    let (message, code) = match &refusal.breach {
        Breach::NotJson(_) => {
            ("We could not parse the JSON body of your request.".to_owned(), None)
        }
        Breach::Missing if path == "model" => {
            ("you must provide a model parameter".to_owned(), None)
        }
        Breach::Missing => {
            (format!("Missing required parameter: '{path}'."), Some("missing_required_parameter"))
        }
        Breach::Wrong(expected) => {
            (format!("Invalid type for '{path}': expected {expected}."), Some("invalid_type"))
        }
        Breach::Extra => (format!("Unknown parameter: '{path}'."), Some("unknown_parameter")),
        Breach::Unsupported => (format!("{path} is not supported on this model"), None),
        Breach::Rule(words) if path == "previous_response_id" => {
            (words.clone(), Some("previous_response_not_found"))
        }
        Breach::Rule(words) => (words.clone(), None),
        Breach::NotFound(id) => (format!("No such object: '{id}'."), None),
        Breach::NoRoute => ("Invalid URL".to_owned(), None),
        Breach::Failing(429) => {
            ("Rate limit reached for requests".to_owned(), Some("rate_limit_exceeded"))
        }
        Breach::Failing(401) => ("Incorrect API key provided.".to_owned(), Some("invalid_api_key")),
        Breach::Failing(503) => {
            ("The engine is currently overloaded, please try again later".to_owned(), None)
        }
        Breach::Failing(400..500) => ("The request could not be served.".to_owned(), None),
        Breach::Failing(_) => (
            "The server had an error while processing your request. Sorry about that!".to_owned(),
            None,
        ),
    };
    let kind = match status {
        429 => "requests",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    let param = (!path.is_empty()).then_some(path);
    let error = json!({ "message": message, "type": kind, "param": param, "code": code });
    Said { status, body: json!({ "error": error }) }
}

/// The members of a chat body, less those of the table of cache members and the model.
pub(super) const CHAT_TOP: &[&str] = &[
    "messages",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "max_tokens",
    "max_completion_tokens",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "n",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "response_format",
    "reasoning_effort",
    "verbosity",
    "modalities",
    "audio",
    "prediction",
    "metadata",
    "store",
    "user",
    "safety_identifier",
    "service_tier",
    "web_search_options",
];

pub(super) const CHAT_MESSAGE: &[&str] = &[
    "role",
    "content",
    "name",
    "tool_calls",
    "tool_call_id",
    "refusal",
    "audio",
    "function_call",
    "annotations",
];

pub(super) const CHAT_NAMES: Names = Names {
    top: &[CHAT_TOP],
    message: CHAT_MESSAGE,
    blocks: &[
        ("text", &["type", "text"]),
        ("image_url", &["type", "image_url"]),
        ("input_audio", &["type", "input_audio"]),
        ("file", &["type", "file"]),
        ("refusal", &["type", "refusal"]),
    ],
    tool: &["type", "function", "custom"],
};

const RESPONSES_NAMES: Names = Names {
    top: &[&[
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_tool_calls",
        "max_output_tokens",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
        "top_logprobs",
        "text",
        "reasoning",
        "include",
        "store",
        "background",
        "conversation",
        "previous_response_id",
        "prompt",
        "truncation",
        "metadata",
        "user",
        "safety_identifier",
        "service_tier",
        "context_management",
        // Sent by Codex.
        "client_metadata",
    ]],
    message: &[],
    blocks: &[
        ("message", &["type", "role", "content", "id", "status", "phase"]),
        ("input_text", &["type", "text"]),
        ("output_text", &["type", "text", "annotations", "logprobs"]),
        ("input_image", &["type", "image_url", "file_id", "detail"]),
        ("input_file", &["type", "file_id", "file_data", "file_url", "filename", "detail"]),
    ],
    tool: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_names() {
        let known = [
            ("gpt-5.6", (5, 6)),
            ("openai/gpt-5.6-mini", (5, 6)),
            ("gpt-4o", (4, 0)),
            ("gpt-4.1-2025-04-14", (4, 1)),
            ("gpt-5-codex", (5, 0)),
            ("gpt-6.1-sol", (6, 1)),
            ("o4-mini", (0, 0)),
        ];
        for (model, numbers) in known {
            assert_eq!(version(model), numbers, "{model}");
        }
    }
}
