//! Claude's endpoints: what they refuse, in which words, and what they answer.

use serde_json::{Value, json};
use simulator::{Provider, Simulator, Usage};

use crate::support::{Answer, post, send, start, text, usage};

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

#[test]
fn a_stream_tells_what_the_plain_answer_tells() {
    for provider in CLAUDE {
        let name = provider.name();
        let simulator = start(&[provider]);
        let mut body = with(
            body(json!([user(json!("hi"))])),
            "system",
            json!([marked(&text("r", 600), mark())]),
        );
        let plain = ask(&simulator, name, &body).json();
        simulator.forget();
        body["stream"] = json!(true);
        let stream = ask(&simulator, name, &body);
        assert_eq!(stream.header("content-type"), Some("text/event-stream; charset=utf-8"));
        let events = stream.events();
        let of = |kind: &str| events.iter().find(|event| event["type"] == kind).unwrap().clone();
        let start = of("message_start")["message"].clone();
        let delta = of("message_delta");
        for member in [
            "input_tokens",
            "cache_creation_input_tokens",
            "cache_read_input_tokens",
            "cache_creation",
        ] {
            assert_eq!(start["usage"][member], plain["usage"][member], "{provider}");
        }
        assert_eq!(delta["usage"]["output_tokens"], plain["usage"]["output_tokens"]);
        assert_eq!(delta["delta"]["stop_reason"], plain["stop_reason"]);
        let texts = events.iter().filter_map(|event| event["delta"]["text"].as_str());
        assert_eq!(json!(texts.collect::<String>()), plain["content"][0]["text"]);
        assert_eq!(json!(simulator.received(name)[0].response_id), start["id"]);
        let metrics = &of("message_stop")["amazon-bedrock-invocationMetrics"];
        match provider {
            Provider::Bedrock => assert_eq!(metrics["cacheWriteInputTokenCount"], 600),
            _ => assert!(metrics.is_null()),
        }
        assert_eq!(
            events.iter().any(|event| event["type"] == "vertex_event"),
            provider == Provider::Vertex
        );
        assert_eq!(
            events.iter().any(|event| event["type"] == "ping"),
            provider != Provider::Bedrock
        );
    }
}

#[test]
fn vertex_takes_the_model_from_the_path() {
    let simulator = start(&[Provider::Vertex]);
    let model = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-5";
    let body = json!({ "anthropic_version": "vertex-2023-10-16", "max_tokens": 9, "messages": [user(json!("a"))] });
    let plain = post(&simulator, "vertex", &format!("{model}:rawPredict"), &body).json();
    assert_eq!(plain["model"], "claude-opus-5");
    assert!(plain["id"].as_str().unwrap().starts_with("msg_vrtx_"));
    let streaming = with(body.clone(), "stream", json!(true));
    let stream = post(&simulator, "vertex", &format!("{model}:streamRawPredict"), &streaming);
    assert_eq!(stream.events()[1]["type"], "message_start");
    let named = with(body, "model", json!("claude-opus-5"));
    let answer = post(&simulator, "vertex", &format!("{model}:rawPredict"), &named);
    assert_eq!(answer.message(), "model: Extra inputs are not permitted");
}

#[test]
fn a_warming_request_writes_and_says_nothing() {
    let simulator = start(&[Provider::Anthropic]);
    let warm =
        with(body(json!([user(json!([marked(&text("a", 600), mark())]))])), "max_tokens", json!(0));
    let json = ask(&simulator, "anthropic", &warm).json();
    assert_eq!((&json["content"], &json["stop_reason"]), (&json!([]), &json!("max_tokens")));
    assert_eq!(json["usage"]["output_tokens"], 0);
    assert_eq!(ok(&simulator, "anthropic", &with(warm.clone(), "max_tokens", json!(9))).read, 600);
    assert_eq!(ask(&simulator, "anthropic", &with(warm, "stream", json!(true))).status, 400);
}

#[test]
fn thinking_is_part_of_the_output_and_told_apart() {
    let simulator = start(&[Provider::Anthropic]);
    let thinking = with(body(json!([user(json!("a"))])), "thinking", json!({ "type": "adaptive" }));
    let usage = ask(&simulator, "anthropic", &thinking).json()["usage"].clone();
    let thought = usage["output_tokens_details"]["thinking_tokens"].as_u64().unwrap();
    assert_eq!((thought, usage["output_tokens"].as_u64()), (32, Some(52)));
    let warming = ask(&simulator, "anthropic", &with(thinking, "max_tokens", json!(0))).json();
    assert_eq!(warming["usage"]["output_tokens"], 0);
}

#[test]
fn tokens_can_be_counted_without_asking() {
    let simulator = start(&[Provider::Anthropic]);
    let mut body = body(json!([user(json!([marked(&text("a", 600), mark())]))]));
    body.as_object_mut().unwrap().remove("max_tokens");
    let answer = post(&simulator, "anthropic", "/v1/messages/count_tokens?beta=true", &body);
    assert_eq!(answer.json(), json!({ "input_tokens": 600 }));
    assert_eq!(
        ok(&simulator, "anthropic", &with(body, "max_tokens", json!(9))).read,
        0,
        "nothing was written"
    );
}

#[test]
fn a_tool_is_called_when_the_user_says_so() {
    let simulator = start(&[Provider::Anthropic]);
    let cue = user(json!([
        block("<reminder>"),
        block(r#"use the tool Bash with {"command": "echo hi"}"#)
    ]));
    let late = json!({ "role": "system", "content": "a reminder" });
    let answer = ask(&simulator, "anthropic", &body(json!([cue.clone(), late]))).json();
    assert_eq!(answer["stop_reason"], "tool_use");
    let call = &answer["content"][0];
    assert_eq!((&call["name"], &call["input"]), (&json!("Bash"), &json!({ "command": "echo hi" })));
    let said = json!({ "role": "assistant", "content": answer["content"] });
    let result = json!({ "type": "tool_result", "tool_use_id": call["id"], "content": "hi" });
    let next = body(json!([cue.clone(), said, user(json!([result]))]));
    assert_eq!(ask(&simulator, "anthropic", &next).json()["stop_reason"], "end_turn");

    let streamed = with(body(json!([cue])), "stream", json!(true));
    let events = ask(&simulator, "anthropic", &streamed).events();
    let json: String =
        events.iter().filter_map(|event| event["delta"]["partial_json"].as_str()).collect();
    assert_eq!(json, r#"{"command": "echo hi"}"#);
}

#[test]
fn the_same_question_gets_the_same_answer_at_every_account() {
    let simulator = start(&CLAUDE);
    let question = body(json!([user(json!("hi"))]));
    let answers = CLAUDE.map(|provider| ask(&simulator, provider.name(), &question).json());
    for answer in &answers {
        assert_eq!(answer["content"], answers[0]["content"]);
    }
    let ids: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer["id"].to_string()).collect();
    assert_eq!(ids.len(), CLAUDE.len());
}
