//! What each provider takes and refuses: the table of cache members once more, cell by cell; and
//! where relays honour marks.

use serde_json::{Value, json};
use simulator::Provider::{self, *};
use simulator::Simulator;

use crate::support::{post, send, start, text, usage};

const MESSAGES: &str = "/v1/messages";
pub(crate) const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

/// A request in the dialect of a path, and where its one block or part is.
pub(crate) fn simple(path: &str, model: &str) -> (Value, &'static str) {
    let kind = if path == RESPONSES { "input_text" } else { "text" };
    let messages = json!([{ "role": "user", "content": [{ "type": kind, "text": "hi" }] }]);
    match path {
        MESSAGES => (
            json!({ "model": model, "max_tokens": 9, "messages": messages }),
            "/messages/0/content/0",
        ),
        CHAT => (json!({ "model": model, "messages": messages }), "/messages/0/content/0"),
        _ => (json!({ "model": model, "input": messages }), "/input/0/content/0"),
    }
}

/// The statuses of a mark on a block, one at the top, one with `ttl` 1h; `prompt_cache_key`,
/// `prompt_cache_options`, `prompt_cache_breakpoint` on a part, and `prompt_cache_retention`.
type Row = (Provider, &'static str, &'static str, [u16; 7]);

const CLAUDE: &str = "claude-opus-4-8";
const OLD: &str = "us.anthropic.claude-opus-4-1-20250805-v1:0";

#[rustfmt::skip]
const TABLE: &[Row] = &[
    //                                           mark  top   1h   key  opts break retention
    (Anthropic,     MESSAGES,  CLAUDE,          [200, 200, 200, 400, 400, 400, 400]),
    (Bedrock,       MESSAGES,  CLAUDE,          [200, 400, 200, 400, 400, 400, 400]),
    (Bedrock,       MESSAGES,  OLD,             [200, 400, 400, 400, 400, 400, 400]),
    (BedrockMantle, MESSAGES,  CLAUDE,          [200, 200, 200, 200, 200, 200, 200]),
    (Vertex,        MESSAGES,  CLAUDE,          [200, 200, 200, 400, 400, 400, 400]),
    (Foundry,       MESSAGES,  CLAUDE,          [200, 200, 200, 400, 400, 400, 400]),
    (OpenAi,        CHAT,      "gpt-5.6",       [400, 400, 400, 200, 200, 200, 200]),
    (OpenAi,        CHAT,      "gpt-6.1-sol",   [400, 400, 400, 200, 200, 200, 400]),
    (OpenAi,        CHAT,      "gpt-5.1",       [400, 400, 400, 200, 400, 400, 200]),
    (OpenAi,        CHAT,      "gpt-4o",        [400, 400, 400, 200, 400, 400, 400]),
    (OpenAi,        RESPONSES, "gpt-5.6",       [400, 400, 400, 200, 200, 200, 200]),
    (OpenAi,        RESPONSES, "gpt-5.1",       [400, 400, 400, 200, 400, 400, 200]),
    (AzureOpenAi,   CHAT,      "gpt-5.6",       [400, 400, 400, 200, 200, 200, 200]),
    (AzureOpenAi,   CHAT,      "gpt-5.1",       [400, 400, 400, 200, 400, 400, 200]),
    (AzureOpenAi,   CHAT,      "DeepSeek-V3.2", [400, 400, 400, 400, 400, 400, 400]),
    (Gemini,        CHAT,      "gemini-3-pro",  [400, 400, 400, 400, 400, 400, 400]),
    (DeepSeek,      CHAT,      "deepseek-v4",   [200, 200, 200, 200, 200, 200, 200]),
    (DeepSeek,      MESSAGES,  "deepseek-v4",   [200, 200, 200, 200, 200, 200, 200]),
    (Xai,           CHAT,      "grok-4.6",      [200, 200, 200, 200, 200, 200, 200]),
    (Xai,           RESPONSES, "grok-4.6",      [200, 200, 200, 200, 200, 200, 200]),
    (Mistral,       CHAT,      "mistral-large", [422, 422, 422, 200, 422, 422, 200]),
    (Mistral,       RESPONSES, "mistral-large", [422, 422, 422, 200, 200, 200, 200]),
    (Groq,          CHAT,      "gpt-oss-120b",  [400, 400, 400, 400, 400, 400, 400]),
    (Cerebras,      CHAT,      "gpt-oss-120b",  [400, 400, 400, 200, 400, 400, 400]),
    (Moonshot,      CHAT,      "kimi-k3",       [200, 200, 200, 200, 200, 400, 200]),
    (Moonshot,      MESSAGES,  "kimi-k3",       [200, 200, 200, 200, 200, 200, 200]),
    (Qwen,          CHAT,      "qwen3-coder",   [200, 200, 400, 200, 200, 200, 200]),
    (Qwen,          MESSAGES,  "qwen3-coder",   [200, 200, 400, 200, 200, 200, 200]),
    (Qwen,          RESPONSES, "qwen3-coder",   [200, 200, 200, 200, 200, 200, 200]),
    (Zai,           CHAT,      "glm-5.3",       [200, 200, 200, 200, 200, 200, 200]),
    (MiniMax,       MESSAGES,  "MiniMax-M2.5",  [200, 200, 200, 200, 200, 200, 200]),
    (MiniMax,       CHAT,      "MiniMax-M2.5",  [200, 200, 200, 200, 200, 200, 200]),
    (Fireworks,     CHAT,      "kimi-k2p6",     [400, 400, 400, 200, 200, 200, 200]),
    (Fireworks,     MESSAGES,  "kimi-k2p6",     [200, 200, 200, 200, 200, 200, 200]),
    (Together,      CHAT,      "Kimi-K2.6",     [200, 200, 200, 200, 200, 200, 200]),
    (OpenRouter,    CHAT,      CLAUDE,          [200, 200, 200, 200, 200, 200, 200]),
    (OpenRouter,    MESSAGES,  CLAUDE,          [200, 200, 200, 200, 200, 200, 200]),
    (OpenRouter,    RESPONSES, CLAUDE,          [200, 200, 200, 200, 200, 200, 200]),
    (Requesty,      CHAT,      CLAUDE,          [200, 200, 200, 200, 200, 200, 200]),
    (RouterHub,     MESSAGES,  CLAUDE,          [200, 200, 200, 200, 200, 200, 200]),
    (RouterHub,     CHAT,      CLAUDE,          [200, 200, 200, 200, 200, 200, 200]),
    (Concentrate,   RESPONSES, CLAUDE,          [200, 200, 200, 200, 200, 200, 200]),
    (Knox,          CHAT,      CLAUDE,          [200, 200, 200, 200, 200, 200, 200]),
    (Ephone,        MESSAGES,  CLAUDE,          [200, 200, 200, 400, 400, 400, 400]),
    (Ephone,        CHAT,      "gpt-5.1",       [400, 400, 400, 200, 400, 400, 200]),
    (LiteLlm,       MESSAGES,  CLAUDE,          [200, 200, 200, 200, 200, 200, 200]),
    (LiteLlm,       CHAT,      CLAUDE,          [200, 200, 200, 200, 200, 200, 200]),
    (Vllm,          CHAT,      "Qwen3-8B",      [200, 200, 200, 200, 200, 200, 200]),
    (Vllm,          MESSAGES,  "Qwen3-8B",      [200, 200, 200, 200, 200, 200, 200]),
    (Sglang,        CHAT,      "Qwen3-8B",      [200, 200, 200, 200, 200, 200, 200]),
    (Sglang,        MESSAGES,  "Qwen3-8B",      [200, 200, 200, 200, 200, 200, 200]),
];

#[test]
fn each_member_is_taken_or_refused_as_the_table_says() {
    let simulator = start(&Provider::ALL);
    for (provider, path, model, statuses) in TABLE {
        let mark = json!({ "type": "ephemeral" });
        let hour = json!({ "type": "ephemeral", "ttl": "1h" });
        let (simple, part) = simple(path, model);
        let top = |name: &str, value: Value| {
            let mut body = simple.clone();
            body[name] = value;
            body
        };
        let on_part = |name: &str, value: Value| {
            let mut body = simple.clone();
            body.pointer_mut(part).unwrap()[name] = value;
            body
        };
        let bodies = [
            on_part("cache_control", mark.clone()),
            top("cache_control", mark),
            on_part("cache_control", hour),
            top("prompt_cache_key", json!("k")),
            top("prompt_cache_options", json!({ "mode": "implicit" })),
            on_part("prompt_cache_breakpoint", json!({ "mode": "explicit" })),
            top("prompt_cache_retention", json!("24h")),
        ];
        let got = bodies.map(|body| post(&simulator, provider.name(), path, &body).status);
        assert_eq!(got, *statuses, "{provider} {path} {model}");
        assert_eq!(
            post(&simulator, provider.name(), path, &simple).status,
            200,
            "{provider} {path}"
        );
    }
}

#[test]
fn each_provider_speaks_its_dialects_only() {
    let simulator = start(&Provider::ALL);
    for provider in Provider::ALL {
        for path in [MESSAGES, CHAT, RESPONSES] {
            let spoken = TABLE.iter().any(|row| (row.0, row.1) == (provider, path));
            // Those that the table of members has no need to list.
            let more = [
                (AzureOpenAi, RESPONSES),
                (RouterHub, RESPONSES),
                (Ephone, RESPONSES),
                (LiteLlm, RESPONSES),
                (Vllm, RESPONSES),
                (Sglang, RESPONSES),
            ];
            let spoken = spoken || more.contains(&(provider, path));
            let status = post(&simulator, provider.name(), path, &simple(path, "m").0).status;
            assert_eq!(status == 200, spoken, "{provider} {path}: {status}");
        }
    }
}

#[test]
fn plainly_invalid_requests_are_refused_everywhere() {
    let simulator = start(&Provider::ALL);
    for (provider, path, model, _) in TABLE {
        let (simple, _) = simple(path, model);
        let without = |name: &str| {
            let mut body = simple.clone();
            body.as_object_mut().unwrap().remove(name);
            body.to_string()
        };
        let messages = if *path == RESPONSES { "input" } else { "messages" };
        let mut wrong = simple.clone();
        wrong[messages] = json!(7);
        for body in [
            "{".to_owned(),
            "[]".to_owned(),
            without("model"),
            without(messages),
            wrong.to_string(),
        ] {
            let answer =
                send(simulator.address(provider.name()), "POST", path, &[], body.as_bytes())
                    .unwrap();
            let expected = if *provider == Mistral { 422 } else { 400 };
            assert_eq!(answer.status, expected, "{provider} {path} {body}: {}", answer.text());
        }
    }
}

/// Where values are in a body.
fn pointers(json: &Value, at: &str, found: &mut Vec<String>) {
    match json {
        Value::Object(members) => {
            for (name, value) in members {
                found.push(format!("{at}/{name}"));
                pointers(value, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                found.push(format!("{at}/{index}"));
                pointers(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_odd_value_gets_an_answer() {
    // One of each way to read a request and to cache it.
    let providers = [Anthropic, OpenAi, DeepSeek, Mistral, Moonshot, Qwen, OpenRouter, Vllm];
    let simulator = start(&providers);
    for (provider, path, model, [block, top, _, key, options, broken, _]) in TABLE {
        if !providers.contains(provider) {
            continue;
        }
        let mark = json!({ "type": "ephemeral", "ttl": "5m" });
        let (mut body, part) = simple(path, model);
        // What is refused anyway would hide the rest.
        let mut taken = |status: &u16, pointer: &str, name: &str, value: &Value| {
            if *status == 200 {
                body.pointer_mut(pointer).unwrap()[name] = value.clone();
            }
        };
        taken(block, part, "cache_control", &mark);
        taken(broken, part, "prompt_cache_breakpoint", &json!({ "mode": "explicit" }));
        taken(top, "", "cache_control", &mark);
        taken(key, "", "prompt_cache_key", &json!("k"));
        taken(options, "", "prompt_cache_options", &json!({ "mode": "implicit" }));
        let tool = match *path {
            MESSAGES => json!({ "name": "f" }),
            _ => json!({ "type": "function", "function": { "name": "f" } }),
        };
        body["tools"] = json!([tool]);
        assert_eq!(post(&simulator, provider.name(), path, &body).status, 200, "{provider} {path}");

        let mut found = Vec::new();
        pointers(&body, "", &mut found);
        for pointer in found {
            for odd in [Value::Null, json!(-7), json!(""), json!([]), json!({}), json!([[{}]])] {
                let mut body = body.clone();
                *body.pointer_mut(&pointer).unwrap() = odd;
                let status = post(&simulator, provider.name(), path, &body).status;
                assert!([200, 400, 422].contains(&status), "{provider} {path} {pointer}: {status}");
            }
        }
    }
}

fn marked(words: &str) -> Value {
    json!({ "type": "text", "text": words, "cache_control": { "type": "ephemeral" } })
}

/// What an account wrote for marks on these places of a chat request, one at a time.
fn written(simulator: &Simulator, account: &str, model: &str) -> [bool; 5] {
    let long = text("long", 5000);
    let mark = json!({ "type": "ephemeral" });
    let part = json!([{ "role": "user", "content": [marked(&long)] }]);
    let image = json!({ "type": "image_url", "image_url": { "url": long }, "cache_control": mark });
    let image = json!([{ "role": "user", "content": [image] }]);
    let message = json!([{ "role": "user", "content": long, "cache_control": mark }]);
    let plain = json!([{ "role": "user", "content": "a" }]);
    let tool = json!([{ "type": "function", "function": { "name": "f", "description": long }, "cache_control": mark }]);
    let top = json!([{ "role": "user", "content": long }]);
    let bodies = [
        json!({ "model": model, "messages": part }),
        json!({ "model": model, "messages": image }),
        json!({ "model": model, "messages": message }),
        json!({ "model": model, "messages": plain, "tools": tool }),
        json!({ "model": model, "messages": top, "cache_control": mark }),
    ];
    bodies.map(|body| {
        // A string equals a part of the same text.
        simulator.forget();
        assert_eq!(post(simulator, account, CHAT, &body).status, 200);
        usage(simulator, account).write >= 5000
    })
}

#[test]
fn relays_honour_marks_at_their_own_places() {
    let simulator = start(&Provider::ALL);
    //                    text part, other part, message, tool, top level
    for (account, places) in [
        ("openrouter", [true, false, false, true, true]),
        ("requesty", [true, true, false, false, false]),
        ("knox", [true, false, false, false, false]),
        ("litellm", [true, true, true, true, false]),
        ("routerhub", [false; 5]),
        ("qwen", [true, true, false, false, false]),
        ("ephone", [true, true, false, false, false]),
    ] {
        let model = if account == "qwen" { "qwen3-coder" } else { CLAUDE };
        assert_eq!(written(&simulator, account, model), places, "{account}");
    }
    let item = json!({ "role": "user", "content": text("long", 5000), "cache_control": { "type": "ephemeral" } });
    let body = json!({ "model": CLAUDE, "input": [item] });
    post(&simulator, "concentrate", RESPONSES, &body);
    assert_eq!(usage(&simulator, "concentrate").write, 5000);
}

#[test]
fn relays_hand_on_the_law_of_marks() {
    let simulator = start(&[OpenRouter, LiteLlm, Qwen]);
    let parts: Vec<_> = (0..5).map(|number| marked(&format!("part {number}"))).collect();
    let body =
        |model: &str| json!({ "model": model, "messages": [{ "role": "user", "content": parts }] });
    let words = "A maximum of 4 blocks with cache_control may be provided. Found 5.";
    for account in ["openrouter", "litellm"] {
        let answer = post(&simulator, account, CHAT, &body(CLAUDE));
        assert_eq!((answer.status, answer.message().as_str()), (400, words));
    }
    assert_eq!(post(&simulator, "qwen", CHAT, &body("qwen3-coder")).status, 200);
}

#[test]
fn a_breakpoint_is_a_mark_to_openrouter_and_the_reverse() {
    let simulator = start(&[OpenRouter]);
    let broken = json!({ "prompt_cache_breakpoint": { "mode": "explicit", "ttl": "12h" } });
    let marked = json!({ "cache_control": { "type": "ephemeral", "ttl": "1h" } });
    for (model, member, class) in [
        (CLAUDE, &broken, "5m"),
        (CLAUDE, &marked, "1h"),
        ("openai/gpt-5.6", &broken, "12h"),
        ("openai/gpt-5.6", &marked, "30m"),
    ] {
        simulator.forget();
        let mut part = json!({ "type": "text", "text": text("a", 5000) });
        part.as_object_mut().unwrap().extend(member.as_object().unwrap().clone());
        let body = json!({ "model": model, "messages": [{ "role": "user", "content": [part] }] });
        post(&simulator, "openrouter", CHAT, &body);
        let usage = usage(&simulator, "openrouter");
        let classes = [
            ("5m", usage.write_5m),
            ("30m", usage.write_30m),
            ("1h", usage.write_1h),
            ("12h", usage.write_12h),
        ];
        assert_eq!(classes.iter().find(|(_, tokens)| *tokens == 5000).unwrap().0, class, "{model}");
    }
}
