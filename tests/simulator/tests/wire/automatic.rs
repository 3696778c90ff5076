//! The caches that ask nothing of the client, and the explicit ones outside Claude.

use std::io::Read;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Fault, Pace, Provider, Simulator, Usage};

use crate::support::{Answer, begin, post, send, start, text, usage};

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";

fn body(path: &str, model: &str, words: &str) -> Value {
    let messages = json!([{ "role": "user", "content": words }]);
    match path {
        RESPONSES => json!({ "model": model, "input": messages }),
        _ => json!({ "model": model, "messages": messages, "max_tokens": 64 }),
    }
}

fn ask(simulator: &Simulator, account: &str, path: &str, body: &Value) -> Usage {
    let answer = post(simulator, account, path, body);
    assert_eq!(answer.status, 200, "{account}: {}", answer.text());
    usage(simulator, account)
}

fn marked(words: &str) -> Value {
    json!({ "type": "text", "text": words, "cache_control": { "type": "ephemeral" } })
}

#[test]
fn the_longest_known_prefix_is_read_in_whole_steps() {
    let simulator = start(&Provider::ALL);
    // Minimum, step, and seconds that an entry lives.
    let caches = [
        ("azure_openai", CHAT, "gpt-4.1", 1024, 128, 600),
        ("gemini", CHAT, "gemini-2.5-pro", 2048, 128, 300),
        ("gemini", CHAT, "gemini-3-pro", 4096, 128, 300),
        ("xai", CHAT, "grok-4.6", 16, 16, 600),
        ("xai", RESPONSES, "grok-4.6", 16, 16, 600),
        ("mistral", CHAT, "mistral-large", 64, 64, 600),
        ("groq", CHAT, "openai/gpt-oss-120b", 128, 128, 7200),
        ("moonshot", CHAT, "kimi-k2.5", 256, 256, 300),
        ("qwen", CHAT, "qwen3-coder", 1024, 128, 300),
        ("zai", CHAT, "glm-5.3", 64, 64, 600),
        ("minimax", CHAT, "MiniMax-M2.5", 512, 64, 300),
        ("minimax", MESSAGES, "MiniMax-M2.5", 512, 64, 300),
        ("fireworks", CHAT, "kimi-k2p6", 64, 64, 600),
        ("together", CHAT, "Kimi-K2.6", 64, 64, 600),
        ("openrouter", CHAT, "openai/gpt-4.1", 1024, 128, 600),
        ("routerhub", CHAT, "openai/gpt-4.1", 1024, 128, 600),
        ("vllm", CHAT, "Qwen3-8B", 16, 16, 86_400),
        ("vllm", MESSAGES, "Qwen3-8B", 16, 16, 86_400),
        ("sglang", RESPONSES, "Qwen3-8B", 16, 16, 86_400),
    ];
    for (account, path, model, minimum, step, life) in caches {
        simulator.forget();
        let name = format!("{account} {path} {model}");
        let read = |words: &str| ask(&simulator, account, path, &body(path, model, words)).read;
        let short = text("short", minimum as usize - 1);
        assert_eq!((read(&short), read(&short)), (0, 0), "{name}: below the minimum");
        let long = text("long", minimum as usize + 7);
        assert_eq!((read(&long), read(&long)), (0, (minimum + 7) / step * step), "{name}");
        let longer = long + &text("more", 3 * step as usize);
        assert_eq!(read(&longer), (minimum + 7) / step * step, "{name}: the common prefix");
        assert_eq!(read(&text("other", minimum as usize + 7)), 0, "{name}: another prefix");
        simulator.advance(Duration::from_secs(life - 1));
        assert!(read(&longer) > 0, "{name}: alive");
        simulator.advance(Duration::from_secs(life - 1));
        assert!(read(&longer) > 0, "{name}: kept by its use");
        simulator.advance(Duration::from_secs(life));
        assert_eq!(read(&longer), 0, "{name}: expired");
    }
}

#[test]
fn some_models_have_no_cache() {
    let simulator = start(&[Provider::Groq, Provider::RouterHub, Provider::Qwen]);
    for (account, path, model) in [
        ("groq", CHAT, "llama-3.3-70b"),
        ("routerhub", CHAT, "anthropic/claude-sonnet-4"),
        ("qwen", RESPONSES, "qwen3-coder"),
    ] {
        let body = body(path, model, &text("a", 5000));
        ask(&simulator, account, path, &body);
        let usage = ask(&simulator, account, path, &body);
        assert_eq!((usage.read, usage.write), (0, 0), "{account}");
    }
    let headers = [("x-dashscope-session-cache", "enable")];
    let body = body(RESPONSES, "qwen3-coder", &text("a", 5000)).to_string();
    for read in [0, 4992] {
        send(simulator.address("qwen"), "POST", RESPONSES, &headers, body.as_bytes()).unwrap();
        assert_eq!(usage(&simulator, "qwen").read, read);
    }
}

#[test]
fn keys_and_headers_lead_to_caches_of_their_own() {
    let simulator = start(&Provider::ALL);
    for (account, path, member) in [
        ("openai", CHAT, "prompt_cache_key"),
        ("xai", RESPONSES, "prompt_cache_key"),
        ("mistral", CHAT, "prompt_cache_key"),
        ("moonshot", CHAT, "prompt_cache_key"),
        ("fireworks", CHAT, "prompt_cache_key"),
        ("fireworks", CHAT, "prompt_cache_isolation_key"),
        ("deepseek", CHAT, "user_id"),
        ("vllm", CHAT, "cache_salt"),
        ("sglang", CHAT, "extra_key"),
    ] {
        simulator.forget();
        let read = |value: &str| {
            let mut body = body(path, "some-model", &text("a", 2048));
            body[member] = json!(value);
            ask(&simulator, account, path, &body).read
        };
        assert_eq!((read("a"), read("b"), read("a")), (0, 0, 2048), "{account} {member}");
    }
    for (account, header) in [("xai", "x-grok-conv-id"), ("fireworks", "x-session-affinity")] {
        simulator.forget();
        let read = |value: &str| {
            let body = body(CHAT, "some-model", &text("a", 2048)).to_string();
            send(simulator.address(account), "POST", CHAT, &[(header, value)], body.as_bytes())
                .unwrap();
            usage(&simulator, account).read
        };
        assert_eq!((read("a"), read("b"), read("a")), (0, 0, 2048), "{account} {header}");
    }
}

#[test]
fn the_credential_sets_nothing_apart() {
    let simulator = start(&[Provider::Groq]);
    let read = |key: &str| {
        let body = body(CHAT, "gpt-oss-20b", &text("a", 2048)).to_string();
        send(simulator.address("groq"), "POST", CHAT, &[("authorization", key)], body.as_bytes())
            .unwrap();
        usage(&simulator, "groq").read
    };
    assert_eq!((read("Bearer a"), read("Bearer b")), (0, 2048));
}

#[test]
fn deepseek_reads_whole_units_only() {
    let simulator = start(&[Provider::DeepSeek]);
    let shared = text("shared", 640);
    let read = |rest: &str| {
        ask(&simulator, "deepseek", CHAT, &body(CHAT, "deepseek-v4", &(shared.clone() + rest))).read
    };
    let [b, c, d] = ["b", "c", "d"].map(|name| text(name, 128));
    assert_eq!(read(&b), 0);
    assert_eq!(read(&b), 768, "the end of an input is a unit");
    assert_eq!(read(&c), 0, "what two inputs share is not yet one");
    assert_eq!(read(&d), 640, "now it is");
}

#[test]
fn qwen_writes_when_its_answer_has_ended() {
    let simulator = start(&[Provider::Qwen]);
    let mut body = json!({ "model": "qwen3-coder", "messages": [{ "role": "user", "content": [marked(&text("a", 1500))] }] });
    body["stream"] = json!(true);
    simulator.fail_times("qwen", Fault::CutStream, 1);
    assert!(
        send(simulator.address("qwen"), "POST", CHAT, &[], body.to_string().as_bytes()).is_err()
    );
    let usage = ask(&simulator, "qwen", CHAT, &body);
    assert_eq!((usage.read, usage.write), (0, 1500), "the first answer never ended");
    assert_eq!(ask(&simulator, "qwen", CHAT, &body).read, 1500);

    // While an answer goes on, another request does not see what it writes.
    simulator.forget();
    simulator.pace("qwen", Pace { gap: Duration::from_secs(60), ..Pace::default() });
    let mut going_on = begin(&simulator, "qwen", CHAT, &body);
    going_on.read_exact(&mut [0]).unwrap();
    simulator.pace("qwen", Pace::default());
    let usage = ask(&simulator, "qwen", CHAT, &body);
    assert_eq!((usage.read, usage.write), (0, 1500));
}

#[test]
fn qwen_counts_the_last_four_marks_and_looks_back_twenty_blocks() {
    let simulator = start(&[Provider::Qwen]);
    let ask = |parts: Vec<Value>| {
        let body =
            json!({ "model": "qwen3-coder", "messages": [{ "role": "user", "content": parts }] });
        ask(&simulator, "qwen", CHAT, &body)
    };
    let parts: Vec<_> =
        (0..5).map(|number| marked(&text(&format!("part{number}"), 1100))).collect();
    assert_eq!(ask(parts.clone()).write, 5500);
    assert_eq!(ask(parts[..1].to_vec()).read, 0, "the first mark was one too many");
    let filled = |count: usize| {
        let mut all = parts.clone();
        all.extend(
            (0..count).map(|number| json!({ "type": "text", "text": format!("block {number}") })),
        );
        all.push(marked("end"));
        all
    };
    // Only the last mark is within reach of the blocks after it; the earlier ones are found for
    // themselves.
    assert_eq!(ask(filled(30)).read, 5500);
    let mut unmarked = filled(30);
    for part in &mut unmarked[..5] {
        part.as_object_mut().unwrap().remove("cache_control");
    }
    unmarked.insert(20, json!({ "type": "text", "text": "another" }));
    assert_eq!(ask(unmarked).read, 0, "more than twenty blocks back");
}

#[test]
fn moonshot_bills_writes_of_its_newest_models_and_tells_their_class() {
    let simulator = start(&[Provider::Moonshot]);
    let post = |model: &str, options: Value| -> Answer {
        let mut body = body(CHAT, model, &text("a", 1000));
        body["prompt_cache_options"] = options;
        post(&simulator, "moonshot", CHAT, &body)
    };
    let hour = json!({ "mode": "implicit", "ttl": "1h" });
    let cold = post("kimi-k3", hour.clone());
    assert_eq!(cold.header("msh-usage-cache-write-tokens-1h"), Some("768"));
    assert_eq!(cold.header("msh-usage-cache-write-tokens-5m"), Some("0"));
    let details = json!({ "cached_tokens": 0, "cache_write_tokens": 768 });
    assert_eq!(cold.json()["usage"]["prompt_tokens_details"], details);
    simulator.advance(Duration::from_secs(3000));
    let warm = post("kimi-k3", json!({ "mode": "implicit" })).json()["usage"].clone();
    assert_eq!((&warm["cached_tokens"], &warm["prompt_tokens"]), (&json!(768), &json!(1000)));
    simulator.advance(Duration::from_secs(3000));
    assert_eq!(
        post("kimi-k3", hour).json()["usage"]["cached_tokens"],
        768,
        "its lifetime is that of the first write"
    );

    let old = post("kimi-k2.5", json!({ "mode": "implicit" }));
    assert_eq!(old.header("msh-usage-cache-write-tokens-5m"), None);
    assert!(old.json()["usage"].get("prompt_tokens_details").is_none());
    assert_eq!(post("kimi-k3", json!({ "mode": "explicit" })).status, 400);
}

#[test]
fn moonshot_knows_marks_at_the_top_only_and_reads_without() {
    let simulator = start(&[Provider::Moonshot]);
    let ask = |top: Value, content: Value| {
        let messages = json!([{ "role": "user", "content": content }]);
        let body = json!({ "model": "kimi-k3", "max_tokens": 9, "messages": messages, "cache_control": top });
        let usage = ask(&simulator, "moonshot", MESSAGES, &body);
        (usage.read, usage.write, usage.write_1h)
    };
    let words = text("a", 1000);
    assert_eq!(ask(Value::Null, json!([marked(&words)])), (0, 0, 0));
    assert_eq!(ask(json!({ "type": "ephemeral", "ttl": "1h" }), json!(words)), (0, 768, 768));
    assert_eq!(ask(Value::Null, json!([marked(&words)])), (768, 0, 0));
}

#[test]
fn minimax_is_active_where_marks_are_and_else_passive() {
    let simulator = start(&[Provider::MiniMax]);
    let ask = |content: Value| {
        let messages = json!([{ "role": "user", "content": content }]);
        let body = json!({ "model": "MiniMax-M2.5", "max_tokens": 9, "messages": messages });
        let usage = ask(&simulator, "minimax", MESSAGES, &body);
        (usage.read, usage.write)
    };
    let words = text("a", 700);
    assert_eq!((ask(json!(words)), ask(json!(words))), ((0, 0), (640, 0)));
    assert_eq!((ask(json!([marked(&words)])), ask(json!([marked(&words)]))), ((0, 700), (700, 0)));
}

#[test]
fn vllm_strips_the_billing_block_and_sglang_does_not() {
    let simulator = start(&[Provider::Vllm, Provider::Sglang]);
    for (account, read) in [("vllm", 1008), ("sglang", 0)] {
        for turn in 0..2 {
            let billing = json!({ "type": "text", "text": format!("x-anthropic-billing-header: cch={turn};") });
            let rules = json!({ "type": "text", "text": text("rules", 1000) });
            let mut body = body(MESSAGES, "Qwen3-8B", &text("question", 10));
            body["system"] = json!([billing, rules]);
            let usage = ask(&simulator, account, MESSAGES, &body);
            assert_eq!(usage.read, read * turn, "{account}");
        }
    }
}
