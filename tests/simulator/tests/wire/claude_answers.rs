//! What Claude's endpoints answer, plain and in streams.

use serde_json::json;
use simulator::Provider;

use crate::claude::{CLAUDE, ask, block, body, mark, marked, ok, user, with};
use crate::support::{post, start, text};

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
