//! What answers tell, in the fields and the convention of each provider, against what the cache
//! really did; and whether a stream tells the same as a plain answer.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulator::{Provider, Simulator, Usage};

use crate::support::{post, start, text};

/// The counts that a wire tells; what it does not tell is missing.
#[derive(Debug, Default, PartialEq)]
struct Told {
    id: Option<String>,
    input: Option<u64>,
    read: Option<u64>,
    write: Option<u64>,
    output: Option<u64>,
}

fn number(json: &Value, pointers: &[&str]) -> Option<u64> {
    pointers.iter().find_map(|pointer| json.pointer(pointer)?.as_u64())
}

/// Reads one answer, whole or as events, by the rules of its provider; the last number of each kind
/// counts.
fn told(provider: Provider, events: &[Value]) -> Told {
    let mut fields: BTreeMap<String, Value> = BTreeMap::new();
    let mut id = None;
    for event in events {
        let usages =
            ["/usage", "/message/usage", "/response/usage", "/x_groq/usage", "/choices/0/usage"];
        for usage in usages.iter().filter_map(|pointer| event.pointer(pointer)?.as_object()) {
            if event["type"] != "vertex_event" {
                fields.extend(usage.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
        }
        let ids = ["/id", "/message/id", "/response/id"];
        let found = ids.iter().find_map(|pointer| event.pointer(pointer)?.as_str());
        id = id.or(found.map(str::to_owned));
    }
    let usage = json!(fields);
    let sum = |counts: [Option<u64>; 3]| Some(counts.into_iter().flatten().sum());
    let anthropic =
        usage.get("cache_read_input_tokens").is_some() && usage.get("prompt_tokens").is_none();
    if anthropic {
        let uncached = number(&usage, &["/input_tokens"]);
        let read = number(&usage, &["/cache_read_input_tokens"]);
        let write = number(&usage, &["/cache_creation_input_tokens"]);
        let output = number(&usage, &["/output_tokens"]);
        return Told { id, input: sum([uncached, read, write]), read, write, output };
    }
    let read = number(
        &usage,
        &[
            "/prompt_cache_hit_tokens",
            "/prompt_tokens_details/cached_tokens",
            "/input_tokens_details/cached_tokens",
            "/cached_tokens",
        ],
    );
    let write = number(
        &usage,
        &[
            "/prompt_tokens_details/cache_write_tokens",
            "/input_tokens_details/cache_write_tokens",
            "/prompt_tokens_details/caching_tokens",
            "/prompt_tokens_details/cache_creation_input_tokens",
            "/prompt_tokens_details/cache_creation_tokens",
        ],
    );
    let input = number(&usage, &["/prompt_tokens", "/input_tokens"]);
    let total = number(&usage, &["/total_tokens"]);
    let reasoning = number(&usage, &["/completion_tokens_details/reasoning_tokens"]).unwrap_or(0);
    let output = number(&usage, &["/completion_tokens", "/output_tokens"]);
    let output = match provider {
        Provider::Gemini => total.zip(input).map(|(total, input)| total - input),
        Provider::Xai if usage.get("completion_tokens").is_some() => {
            output.map(|output| output + reasoning)
        }
        _ => output,
    };
    Told { id, input, read, write, output }
}

/// The dialects of a provider, each with models that differ.
fn dialects(provider: Provider) -> Vec<(&'static str, &'static str)> {
    use Provider::*;
    const M: &str = "/v1/messages";
    const C: &str = "/v1/chat/completions";
    const R: &str = "/v1/responses";
    match provider {
        Anthropic | Bedrock | BedrockMantle | Vertex | Foundry => vec![(M, "claude-opus-5")],
        OpenAi | AzureOpenAi => {
            vec![(C, "gpt-5.6"), (R, "gpt-5.6"), (C, "gpt-4.1"), (R, "gpt-4.1")]
        }
        Gemini => vec![(C, "gemini-2.5-pro")],
        DeepSeek => vec![(C, "deepseek-v4"), (M, "deepseek-v4")],
        Xai => vec![(C, "grok-4.6"), (R, "grok-4.6")],
        Mistral => vec![(C, "mistral-large"), (R, "mistral-large")],
        Groq => vec![(C, "openai/gpt-oss-120b")],
        Cerebras => vec![(C, "gpt-oss-120b")],
        Moonshot => vec![(C, "kimi-k3"), (C, "kimi-k2.5"), (M, "kimi-k3")],
        Qwen => vec![(C, "qwen3-coder"), (M, "qwen3-coder")],
        Zai => vec![(C, "glm-5.3")],
        MiniMax => vec![(M, "MiniMax-M2.5"), (C, "MiniMax-M2.5")],
        Fireworks => vec![(C, "kimi-k2p6"), (M, "kimi-k2p6")],
        Together => vec![(C, "Kimi-K2.6")],
        OpenRouter | LiteLlm => vec![(C, "claude-opus-5"), (M, "claude-opus-5"), (R, "gpt-4.1")],
        Requesty | Knox => vec![(C, "claude-opus-5")],
        RouterHub => vec![(M, "claude-opus-5"), (C, "gpt-4.1")],
        Concentrate => vec![(R, "claude-opus-5")],
        Ephone => vec![(M, "claude-opus-5"), (C, "gpt-5.6"), (R, "gpt-5.6")],
        Vllm | Sglang => vec![(M, "Qwen3-8B"), (C, "Qwen3-8B"), (R, "Qwen3-8B")],
    }
}

/// A request that is marked where its provider wants that.
fn body(provider: Provider, path: &str, model: &str, last: &str) -> Value {
    use Provider::*;
    let marks = match provider {
        Concentrate => "message",
        Moonshot => "top",
        Anthropic | Bedrock | BedrockMantle | Vertex | Foundry | Qwen | Requesty | OpenRouter
        | LiteLlm | Knox | RouterHub | Ephone | MiniMax
            if !model.contains("gpt") =>
        {
            "part"
        }
        _ => "none",
    };
    let kind = if path == "/v1/responses" { "input_text" } else { "text" };
    let mut part = json!({ "type": kind, "text": text("rules", 3000) });
    let mut message = json!({ "role": "user" });
    match marks {
        "part" => part["cache_control"] = json!({ "type": "ephemeral" }),
        "message" => message["cache_control"] = json!({ "type": "ephemeral" }),
        _ => {}
    }
    message["content"] = json!([part]);
    let messages =
        json!([message, { "role": "user", "content": [{ "type": kind, "text": last }] }]);
    let mut body = match path {
        "/v1/responses" => {
            json!({ "model": model, "input": messages, "reasoning": { "effort": "low" } })
        }
        "/v1/messages" => json!({ "model": model, "max_tokens": 64, "messages": messages }),
        _ => json!({ "model": model, "messages": messages, "reasoning_effort": "low" }),
    };
    if marks == "top" {
        body["cache_control"] = json!({ "type": "ephemeral" });
    }
    body
}

fn check(simulator: &Simulator, provider: Provider, told: &Told, name: &str) -> Usage {
    let exchange = simulator.received(provider.name()).pop().unwrap();
    let usage = exchange.usage.unwrap();
    assert_eq!(usage.input, usage.uncached + usage.read + usage.write, "{name}");
    assert_eq!(
        usage.write,
        usage.write_5m + usage.write_30m + usage.write_1h + usage.write_12h,
        "{name}"
    );
    assert_eq!(told.id, exchange.response_id, "{name}");
    assert_eq!((told.input, told.output), (Some(usage.input), Some(usage.output)), "{name}");
    assert_eq!(told.read, Some(usage.read), "{name}");
    if let Some(write) = told.write {
        assert_eq!(write, usage.write, "{name}");
    }
    usage
}

#[test]
fn every_answer_tells_what_the_cache_did() {
    for provider in Provider::ALL {
        for (path, model) in dialects(provider) {
            let name = format!("{provider} {path} {model}");
            let simulator = start(&[provider]);
            let plain = |last: &str| {
                let answer =
                    post(&simulator, provider.name(), path, &body(provider, path, model, last));
                assert_eq!(answer.status, 200, "{name}: {}", answer.text());
                told(provider, &[answer.json()])
            };
            let stream = |last: &str| {
                let mut body = body(provider, path, model, last);
                body["stream"] = json!(true);
                if path.ends_with("completions") {
                    body["stream_options"] = json!({ "include_usage": true });
                }
                let answer = post(&simulator, provider.name(), path, &body);
                assert_eq!(answer.status, 200, "{name}: {}", answer.text());
                told(provider, &answer.events())
            };
            // The same twice, since some keep only what they saw a second time, and then another
            // last message.
            let run = |ask: &dyn Fn(&str) -> Told| {
                simulator.forget();
                ["a", "b", "c"].map(|last| {
                    let told = ask(last);
                    (check(&simulator, provider, &told, &name), Told { id: None, ..told })
                })
            };
            let (plain, stream) = (run(&plain), run(&stream));
            assert_eq!(plain, stream, "{name}: plain and stream");
            assert_eq!(plain[0].0.read, 0, "{name}: cold");
            assert!(plain[2].0.read >= 2048 || model == "gpt-5.6", "{name}: warm, {:?}", plain[2]);
        }
    }
}

#[test]
fn streams_tell_unasked_only_where_the_provider_does() {
    let simulator = start(&Provider::ALL);
    let messages = json!([{ "role": "user", "content": "hi" }]);
    for (account, pointer) in [
        ("openai", None),
        ("deepseek", None),
        ("qwen", None),
        ("vllm", None),
        ("mistral", Some("/usage")),
        ("xai", Some("/usage")),
        ("zai", Some("/usage")),
        ("groq", Some("/x_groq/usage")),
        ("moonshot", Some("/choices/0/usage")),
        ("openrouter", Some("/usage")),
    ] {
        let body = json!({ "model": "m", "stream": true, "messages": messages });
        let answer = post(&simulator, account, "/v1/chat/completions", &body);
        let events = answer.events();
        let all = ["/usage", "/x_groq/usage", "/choices/0/usage"];
        let found = all.iter().copied().find(|pointer| {
            events.iter().any(|event| event.pointer(pointer).is_some_and(Value::is_object))
        });
        assert_eq!(found, pointer, "{account}");
        let comment = answer.text().starts_with(": OPENROUTER PROCESSING\n\n");
        assert_eq!(comment, account == "openrouter");
    }
}

#[test]
fn translators_tell_it_at_the_end_of_a_stream_of_messages() {
    let simulator = start(&[Provider::LiteLlm]);
    let mut body = body(Provider::LiteLlm, "/v1/messages", "claude-opus-5", "a");
    body["stream"] = json!(true);
    let events = post(&simulator, "litellm", "/v1/messages", &body).events();
    assert_eq!(events[0]["message"]["usage"], json!({ "input_tokens": 0, "output_tokens": 0 }));
    let delta = events.iter().find(|event| event["type"] == "message_delta").unwrap();
    let usage = json!({
        "input_tokens": 1,
        "cache_creation_input_tokens": 3000,
        "cache_read_input_tokens": 0,
        "output_tokens": 20,
    });
    assert_eq!(delta["usage"], usage);
}

#[test]
fn engines_tell_it_on_each_chunk_if_asked() {
    let simulator = start(&[Provider::Vllm]);
    let options = json!({ "include_usage": true, "continuous_usage_stats": true });
    let messages = json!([{ "role": "user", "content": "hi" }]);
    let body =
        json!({ "model": "m", "stream": true, "stream_options": options, "messages": messages });
    let events = post(&simulator, "vllm", "/v1/chat/completions", &body).events();
    assert!(events.iter().all(|event| event["usage"]["prompt_tokens"] == 1));
}

#[test]
fn answers_have_the_shapes_of_their_providers() {
    let simulator = start(&Provider::ALL);
    let ask = |account: &str, path: &str, model: &str| {
        let provider: Provider = account.parse().unwrap();
        let answer = post(&simulator, account, path, &body(provider, path, model, "a"));
        (answer.json(), answer.headers)
    };
    let chat = |account: &str, model: &str| ask(account, "/v1/chat/completions", model).0;
    let messages = |account: &str, model: &str| ask(account, "/v1/messages", model).0;

    assert_eq!(chat("groq", "gpt-oss-20b")["x_groq"]["id"].as_str().unwrap()[..4], *"req_");
    assert!(chat("zai", "glm-5.3")["request_id"].is_string());
    assert!(chat("mistral", "m")["id"].as_str().unwrap().starts_with("cmpl-"));
    assert!(chat("openrouter", "m")["id"].as_str().unwrap().starts_with("gen-"));
    assert!(chat("together", "m")["usage"]["prompt_tokens_details"].is_null());
    let usage = chat("xai", "grok-4.6")["usage"].clone();
    let sum =
        usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(
        usage["total_tokens"],
        sum + usage["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap()
    );
    let usage = chat("deepseek", "m")["usage"].clone();
    let sum = usage["prompt_cache_hit_tokens"].as_u64().unwrap()
        + usage["prompt_cache_miss_tokens"].as_u64().unwrap();
    assert_eq!(usage["prompt_tokens"], sum);
    assert_eq!(chat("qwen", "m")["usage"]["prompt_tokens_details"]["cache_type"], "ephemeral");
    assert!(messages("minimax", "m")["usage"].get("cache_creation").is_none());
    assert!(messages("sglang", "m")["usage"].get("cache_creation_input_tokens").is_none());
    assert_eq!(messages("vllm", "m")["usage"]["cache_creation_input_tokens"], 0);
    // Its example of a write has no split, that of a read has one.
    assert!(messages("routerhub", "claude-opus-5")["usage"].get("cache_creation").is_none());
    assert!(messages("routerhub", "claude-opus-5")["usage"].get("cache_creation").is_some());
    let (_, headers) = ask("fireworks", "/v1/chat/completions", "m");
    assert!(
        headers.iter().any(|(name, value)| name == "fireworks-prompt-tokens" && value == "3001")
    );
    let (_, headers) = ask("ephone", "/v1/messages", "claude-opus-5");
    assert!(headers.iter().any(|(name, _)| name == "x-rixapi-request-id"));
}
