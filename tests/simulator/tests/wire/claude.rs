//! Claude's endpoints: what they refuse, and in which words.

use serde_json::{Value, json};
use simulator::{Provider, Simulator, Usage};

use crate::support::{Answer, post, send, start, usage};

pub(crate) const CLAUDE: [Provider; 5] = [
    Provider::Anthropic,
    Provider::Bedrock,
    Provider::BedrockMantle,
    Provider::Vertex,
    Provider::Foundry,
];

pub(crate) fn mark() -> Value {
    json!({ "type": "ephemeral" })
}

pub(crate) fn hour() -> Value {
    json!({ "type": "ephemeral", "ttl": "1h" })
}

pub(crate) fn block(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

pub(crate) fn marked(text: &str, mark: Value) -> Value {
    json!({ "type": "text", "text": text, "cache_control": mark })
}

pub(crate) fn user(content: Value) -> Value {
    json!({ "role": "user", "content": content })
}

/// Opus 5 caches from 512 tokens on.
pub(crate) fn body(messages: Value) -> Value {
    json!({ "model": "claude-opus-5", "max_tokens": 64, "messages": messages })
}

pub(crate) fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

pub(crate) fn ask(simulator: &Simulator, account: &str, body: &Value) -> Answer {
    post(simulator, account, "/v1/messages", body)
}

pub(crate) fn refusal(provider: Provider, body: &Value) -> String {
    let simulator = start(&[provider]);
    let answer = ask(&simulator, provider.name(), body);
    assert_eq!(answer.status, 400, "{provider}: {}", answer.text());
    answer.message()
}

pub(crate) fn ok(simulator: &Simulator, account: &str, body: &Value) -> Usage {
    let answer = ask(simulator, account, body);
    assert_eq!(answer.status, 200, "{account}: {}", answer.text());
    usage(simulator, account)
}

#[test]
fn a_mark_on_thinking_is_refused_everywhere() {
    let thinking =
        json!({ "type": "thinking", "thinking": "…", "signature": "s", "cache_control": mark() });
    let body = body(
        json!([user(json!("a")), { "role": "assistant", "content": [thinking] }, user(json!("b"))]),
    );
    for provider in CLAUDE {
        let words = "messages.1.content.0.thinking.cache_control: Extra inputs are not permitted";
        assert_eq!(refusal(provider, &body), words);
    }
}

#[test]
fn a_mark_on_the_message_is_refused_even_if_it_is_null() {
    for value in [mark(), Value::Null] {
        let body = body(json!([{ "role": "user", "content": "a", "cache_control": value }]));
        let words = "messages.0.cache_control: Extra inputs are not permitted";
        assert_eq!(refusal(Provider::Anthropic, &body), words);
    }
}

#[test]
fn five_marks_are_one_too_many_wherever_they_stand() {
    let words = "A maximum of 4 blocks with cache_control may be provided. Found 5.";
    let tool =
        json!({ "name": "a", "input_schema": { "type": "object" }, "cache_control": mark() });
    let system = json!([marked("s1", mark()), marked("s2", mark())]);
    let messages = json!([user(json!([marked("u1", mark()), marked("u2", mark())]))]);
    let five = with(with(body(messages), "tools", json!([tool])), "system", system.clone());
    assert_eq!(refusal(Provider::Anthropic, &five), words);

    let four = with(
        body(json!([user(json!([marked("u1", mark()), marked("u2", mark())]))])),
        "system",
        system,
    );
    let simulator = start(&[Provider::Anthropic]);
    ok(&simulator, "anthropic", &four);
    // The one at the top stands for the last block, which has one already.
    ok(&simulator, "anthropic", &with(four.clone(), "cache_control", mark()));
    let mut more = four;
    more["messages"][0]["content"].as_array_mut().unwrap().push(block("u3"));
    assert_eq!(refusal(Provider::Anthropic, &with(more, "cache_control", mark())), words);
}

#[test]
fn an_hour_never_comes_after_five_minutes() {
    let content =
        json!([block("a"), block("b"), block("c"), marked("d", mark()), marked("e", hour())]);
    let words = "messages.0.content.4.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.";
    assert_eq!(refusal(Provider::Anthropic, &body(json!([user(content)]))), words);

    // The order is that of processing, not that of the bytes.
    let body = with(
        body(json!([user(json!([marked("u", mark())]))])),
        "system",
        json!([marked("s", hour())]),
    );
    ok(&start(&[Provider::Anthropic]), "anthropic", &body);
}

#[test]
fn a_mark_on_empty_text_is_refused() {
    for empty in ["", " \n"] {
        let body = body(json!([user(json!([block("a"), marked(empty, mark())]))]));
        let words = "messages.0.content.1.text: cache_control cannot be set for empty text blocks";
        assert_eq!(refusal(Provider::Anthropic, &body), words);
    }
}

#[test]
fn a_mark_inside_a_tool_result_is_refused() {
    let result =
        json!({ "type": "tool_result", "tool_use_id": "t", "content": [marked("r", mark())] });
    let words = "messages.0.content.0.tool_result.content.0.cache_control: cache_control may not be specified within `tool_result.content`. Instead, place it directly on `tool_result`";
    assert_eq!(refusal(Provider::Anthropic, &body(json!([user(json!([result]))]))), words);
}

#[test]
fn scope_needs_its_beta_header() {
    let scoped = json!({ "type": "ephemeral", "scope": "global" });
    let body =
        with(body(json!([user(json!("a"))])), "system", json!([block("x"), marked("s", scoped)]));
    let words = "system.1.cache_control.ephemeral.scope: Extra inputs are not permitted";
    for provider in CLAUDE {
        assert_eq!(refusal(provider, &body), words);
    }
    let beta = [("anthropic-beta", "a-2026-01-01, prompt-caching-scope-2026-01-05")];
    let simulator = start(&CLAUDE);
    for (account, status) in
        [("anthropic", 200), ("foundry", 200), ("bedrock", 400), ("vertex", 400)]
    {
        let address = simulator.address(account);
        let answer =
            send(address, "POST", "/v1/messages", &beta, body.to_string().as_bytes()).unwrap();
        assert_eq!(answer.status, status, "{account}");
    }
}

#[test]
fn the_other_members_of_a_mark_are_checked() {
    let refused = |mark: Value| {
        refusal(
            Provider::Anthropic,
            &with(body(json!([user(json!("a"))])), "system", json!([marked("s", mark)])),
        )
    };
    let words = "system.0.cache_control.ephemeral.ttl: Input should be '5m' or '1h'";
    assert_eq!(refused(json!({ "type": "ephemeral", "ttl": "2h" })), words);
    assert!(refused(json!({})).contains("Unable to extract tag"));
    assert!(refused(json!({ "type": "forever" })).contains("expected tags: 'ephemeral'"));
    assert_eq!(
        refused(json!("ephemeral")),
        "system.0.cache_control: Input should be a valid dictionary"
    );
}

#[test]
fn bedrock_knows_no_top_level_mark_and_old_models_there_no_ttl() {
    let simple = body(json!([user(json!("a"))]));
    let top = with(simple.clone(), "cache_control", mark());
    assert_eq!(refusal(Provider::Bedrock, &top), "cache_control: Extra inputs are not permitted");
    for provider in
        [Provider::BedrockMantle, Provider::Vertex, Provider::Foundry, Provider::Anthropic]
    {
        ok(&start(&[provider]), provider.name(), &top);
    }

    let tool =
        json!({ "name": "a", "input_schema": { "type": "object" }, "cache_control": hour() });
    let old = with(
        with(simple, "tools", json!([tool])),
        "model",
        json!("us.anthropic.claude-sonnet-4-20250514-v1:0"),
    );
    let simulator = start(&[Provider::Bedrock]);
    let answer = ask(&simulator, "bedrock", &old);
    let words = json!({ "message": "tools.0.custom.cache_control.ephemeral.ttl: Extra inputs are not permitted" });
    assert_eq!(answer.json(), words);
    ok(&simulator, "bedrock", &with(old, "model", json!("us.anthropic.claude-sonnet-4-5-v1:0")));
}

#[test]
fn members_of_openai_are_refused_in_the_envelope_of_each() {
    for name in ["prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"] {
        let body = with(body(json!([user(json!("a"))])), name, json!("x"));
        for provider in
            [Provider::Anthropic, Provider::Bedrock, Provider::Vertex, Provider::Foundry]
        {
            assert_eq!(refusal(provider, &body), format!("{name}: Extra inputs are not permitted"));
        }
    }
    let part =
        json!({ "type": "text", "text": "a", "prompt_cache_breakpoint": { "mode": "explicit" } });
    let words = "messages.0.content.0.text.prompt_cache_breakpoint: Extra inputs are not permitted";
    assert_eq!(refusal(Provider::Anthropic, &body(json!([user(json!([part]))]))), words);

    let simulator = start(&[Provider::Vertex]);
    let answer = ask(
        &simulator,
        "vertex",
        &with(body(json!([user(json!("a"))])), "prompt_cache_key", json!("k")),
    );
    let json = answer.json();
    assert_eq!(json["type"], "error");
    assert_eq!(json["error"]["type"], "invalid_request_error");
    assert!(json["request_id"].as_str().unwrap().starts_with("req_vrtx_"));
}

#[test]
fn plainly_invalid_requests_are_refused() {
    let simulator = start(&[Provider::Anthropic]);
    let cases = [
        (
            r#"{"model":"claude-opus-5","max_tokens":1,"messages":[]}"#,
            "messages: at least one message is required",
        ),
        (r#"{"model":"claude-opus-5","max_tokens":1}"#, "messages: Field required"),
        (
            r#"{"model":"claude-opus-5","max_tokens":1,"messages":{}}"#,
            "messages: Input should be a valid list",
        ),
        (r#"{"max_tokens":1,"messages":[{"role":"user","content":"a"}]}"#, "model: Field required"),
        (
            r#"{"model":"claude-opus-5","messages":[{"role":"user","content":"a"}]}"#,
            "max_tokens: Field required",
        ),
        (
            r#"{"model":"claude-opus-5","max_tokens":1,"messages":[{"role":"user"}]}"#,
            "messages.0.content: Field required",
        ),
        (
            r#"{"model":"claude-opus-5","max_tokens":1,"top":1,"messages":[{"role":"user","content":"a"}]}"#,
            "top: Extra inputs are not permitted",
        ),
    ];
    for (body, words) in cases {
        let answer =
            send(simulator.address("anthropic"), "POST", "/v1/messages", &[], body.as_bytes())
                .unwrap();
        assert_eq!((answer.status, answer.message()), (400, words.to_owned()));
    }
    let answer = send(simulator.address("anthropic"), "POST", "/v1/messages", &[], b"{").unwrap();
    assert!(answer.message().starts_with("The request body is not valid JSON"));
    let answer = send(simulator.address("anthropic"), "POST", "/v1/nothing", &[], b"{}").unwrap();
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (404, &json!("not_found_error")));
}
