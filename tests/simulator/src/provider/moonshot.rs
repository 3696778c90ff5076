//! Moonshot's Kimi: chat, and Claude's dialect under `/anthropic`. platform.kimi.ai, context
//! caching, read in 2026.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{
    Answer, ChatVoice, Extras, MessagesVoice, StreamUsage, UsageAt, alphanumeric, chat_counts,
};
use crate::json::Json;
use crate::prompt::{Source, Ttl};
use crate::provider::{
    Cache, Knobs, Places, Rules, Surface, Take, Texts, Voice, Writes, claude, relay,
};
use crate::refusal::{Breach, Path, Refusal};

pub(super) const RULES: Rules = Rules {
    surfaces: &[
        Surface {
            knobs: |_| Knobs {
                cache_key: Take::Honoured,
                cache_options: Take::Honoured,
                breakpoints: Places::REFUSED,
                // What is done with marks and with retention is not documented.
                ..Knobs::IGNORED
            },
            check: options,
            texts: Texts::Distinct,
            scope: |source| source.string(&["prompt_cache_key"]),
            cache: |source, _| cache(&source.model, Some(ttl(source))),
            headers: written,
            ..Surface::new(Voice::Chat(ChatVoice {
                usage,
                stream_usage: StreamUsage::Choice,
                ..ChatVoice::PLAIN
            }))
        },
        Surface {
            knobs: |_| Knobs { top_level_mark: Take::Honoured, ..Knobs::IGNORED },
            // Without the mark at the top a request only reads.
            cache: |source, prompt| cache(&source.model, prompt.top_level),
            headers: written,
            ..Surface::new(Voice::Messages(MessagesVoice {
                id: |seed| format!("msg_{}", alphanumeric(seed)),
                usage: claude::usage,
                usage_at: UsageAt::Start,
                extras: Extras::Nothing,
            }))
        },
    ],
    refuse: relay::refuse,
    headers: |_| Vec::new(),
    request_id_prefix: "",
};

/// Steps of 256 were measured by users. A lifetime is fixed at the first write and renewed on use.
fn cache(model: &str, ttl: Option<Ttl>) -> Cache {
    let life = ttl.map_or(Duration::from_secs(300), Ttl::duration);
    let writes = match ttl {
        None => Writes::Off,
        Some(ttl) if bills_writes(model) => Writes::Billed(ttl),
        Some(_) => Writes::Free,
    };
    Cache::Steps { minimum: 256, step: 256, life, writes }
}

fn bills_writes(model: &str) -> bool {
    model.contains("kimi-k3")
}

fn ttl(source: &Source<'_>) -> Ttl {
    let ttl = source.body.get("prompt_cache_options").and_then(|options| options.get("ttl"));
    match ttl.map(Json::raw) {
        Some("\"1h\"") => Ttl::OneHour,
        _ => Ttl::FiveMinutes,
    }
}

fn options(source: &Source<'_>) -> Result<(), Refusal> {
    let Some(options) = source.body.get("prompt_cache_options") else { return Ok(()) };
    let path = Path::new("prompt_cache_options");
    let Some(members) = options.members() else {
        return Err(Refusal::new(path, Breach::Wrong("an object")));
    };
    for (name, value) in members.iter() {
        let right = match name {
            "mode" => value.text().as_deref() == Some("implicit"),
            "ttl" => matches!(value.text().as_deref(), Some("5m" | "1h")),
            _ => false,
        };
        if !right {
            return Err(Refusal::new(
                path.name(name),
                Breach::Wrong("mode 'implicit', ttl '5m' or '1h'"),
            ));
        }
    }
    Ok(())
}

/// The older models have one number, at the top.
fn usage(answer: &Answer<'_>) -> Value {
    let usage = &answer.usage;
    let mut json = chat_counts(usage, json!({ "cached_tokens": usage.read }));
    json["cached_tokens"] = json!(usage.read);
    if bills_writes(&answer.source.model) {
        json["prompt_tokens_details"]["cache_write_tokens"] = json!(usage.write);
    } else if let Some(members) = json.as_object_mut() {
        members.remove("prompt_tokens_details");
    }
    json
}

fn written(answer: &Answer<'_>) -> Vec<(&'static str, String)> {
    if !bills_writes(&answer.source.model) {
        return Vec::new();
    }
    vec![
        ("Msh-Usage-Cache-Write-Tokens-5m", answer.usage.write_5m.to_string()),
        ("Msh-Usage-Cache-Write-Tokens-1h", answer.usage.write_1h.to_string()),
    ]
}
