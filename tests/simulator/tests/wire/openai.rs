//! OpenAI: what it refuses, in which words, and what its two kinds of cache do.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Provider, Simulator, Usage};

use crate::support::{Answer, post, send, start, text, usage};

fn chat(simulator: &Simulator, body: &Value) -> Answer {
    post(simulator, "openai", "/v1/chat/completions", body)
}

fn body(model: &str, messages: Value) -> Value {
    json!({ "model": model, "messages": messages })
}

fn user(content: Value) -> Value {
    json!({ "role": "user", "content": content })
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn explicit() -> Value {
    json!({ "mode": "explicit" })
}

fn part(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn broken(text: &str) -> Value {
    json!({ "type": "text", "text": text, "prompt_cache_breakpoint": explicit() })
}

fn error(answer: &Answer) -> Value {
    assert_eq!(answer.status, 400, "{}", answer.text());
    answer.json()["error"].clone()
}

fn ok(simulator: &Simulator, body: &Value) -> Usage {
    let answer = chat(simulator, body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    usage(simulator, "openai")
}

#[test]
fn marks_of_claude_are_unknown_everywhere() {
    let simulator = start(&[Provider::OpenAi]);
    let mark = json!({ "type": "ephemeral" });
    let tool = json!({ "type": "function", "function": { "name": "f" }, "cache_control": mark });
    let part = json!({ "type": "text", "text": "a", "cache_control": mark });
    let simple = body("gpt-5.6", json!([user(json!("a"))]));
    let cases = [
        (with(simple.clone(), "cache_control", mark.clone()), "cache_control"),
        (with(simple.clone(), "tools", json!([tool])), "tools[0].cache_control"),
        (body("gpt-5.6", json!([user(json!([part]))])), "messages[0].content[0].cache_control"),
        (
            body("gpt-5.6", json!([{ "role": "user", "content": "a", "cache_control": null }])),
            "messages[0].cache_control",
        ),
        (with(simple, "foo", json!(1)), "foo"),
    ];
    for (body, path) in cases {
        let error = error(&chat(&simulator, &body));
        assert_eq!(
            error,
            json!({
                "message": format!("Unknown parameter: '{path}'."),
                "type": "invalid_request_error",
                "param": path,
                "code": "unknown_parameter",
            })
        );
    }
    let input = json!([{ "role": "user", "content": [{ "type": "input_text", "text": "a", "cache_control": mark }] }]);
    let answer =
        post(&simulator, "openai", "/v1/responses", &json!({ "model": "gpt-5.6", "input": input }));
    assert_eq!(error(&answer)["param"], "input[0].content[0].cache_control");
}

#[test]
fn breakpoints_and_options_are_for_newer_models_and_their_places() {
    let simulator = start(&[Provider::OpenAi]);
    let options = json!({ "mode": "explicit", "ttl": "30m" });
    let good = with(
        body("gpt-5.6", json!([user(json!([broken("a")]))])),
        "prompt_cache_options",
        options.clone(),
    );
    ok(&simulator, &good);
    let old = with(body("gpt-5.1", json!([user(json!("a"))])), "prompt_cache_options", options);
    assert_eq!(
        error(&chat(&simulator, &old))["message"],
        "Unknown parameter: 'prompt_cache_options'."
    );
    let old = body("gpt-5.1", json!([user(json!([broken("a")]))]));
    assert_eq!(
        error(&chat(&simulator, &old))["param"],
        "messages[0].content[0].prompt_cache_breakpoint"
    );
    let said = body(
        "gpt-5.6",
        json!([{ "role": "assistant", "content": [broken("a")] }, user(json!("b"))]),
    );
    assert_eq!(
        error(&chat(&simulator, &said))["param"],
        "messages[0].content[0].prompt_cache_breakpoint"
    );
    let tool = json!({ "type": "function", "function": { "name": "f" }, "prompt_cache_breakpoint": explicit() });
    let tools = with(body("gpt-5.6", json!([user(json!("b"))])), "tools", json!([tool]));
    assert_eq!(error(&chat(&simulator, &tools))["param"], "tools[0].prompt_cache_breakpoint");
    let day = with(
        body("gpt-5.6", json!([user(json!("b"))])),
        "prompt_cache_options",
        json!({ "ttl": "12h" }),
    );
    assert_eq!(error(&chat(&simulator, &day))["param"], "prompt_cache_options.ttl");
    let day = json!({ "model": "gpt-5.6", "input": "b", "prompt_cache_options": { "ttl": "12h" } });
    assert_eq!(post(&simulator, "openai", "/v1/responses", &day).status, 200);
}

#[test]
fn retention_and_key_depend_on_the_model_and_their_values() {
    let simulator = start(&[Provider::OpenAi]);
    let retention = |model: &str, value: &str| {
        chat(
            &simulator,
            &with(body(model, json!([user(json!("a"))])), "prompt_cache_retention", json!(value)),
        )
    };
    for (model, value, status) in [
        ("gpt-5.1", "24h", 200),
        ("gpt-4.1", "in_memory", 200),
        ("gpt-5.1", "in-memory", 400),
        ("gpt-5.5", "in_memory", 400),
        ("gpt-5.6", "24h", 200),
        ("gpt-4o", "24h", 400),
        ("gpt-6", "24h", 400),
    ] {
        assert_eq!(retention(model, value).status, status, "{model} {value}");
    }
    let error = retention("gpt-4o", "24h").json()["error"].clone();
    assert_eq!(error["message"], "prompt_cache_retention is not supported on this model");
    let key = |length: usize| {
        chat(
            &simulator,
            &with(
                body("gpt-5.6", json!([user(json!("a"))])),
                "prompt_cache_key",
                json!("k".repeat(length)),
            ),
        )
    };
    assert_eq!((key(64).status, key(65).status), (200, 400));
}

#[test]
fn plainly_invalid_requests_are_refused() {
    let simulator = start(&[Provider::OpenAi]);
    for (body, words) in [
        (r#"{"messages":[{"role":"user","content":"a"}]}"#, "you must provide a model parameter"),
        (r#"{"model":"gpt-5.6"}"#, "Missing required parameter: 'messages'."),
        (
            r#"{"model":"gpt-5.6","messages":"a"}"#,
            "Invalid type for 'messages': expected a valid list.",
        ),
        ("{", "We could not parse the JSON body of your request."),
        ("[]", "Invalid type for '': expected an object."),
    ] {
        let answer =
            send(simulator.address("openai"), "POST", "/v1/chat/completions", &[], body.as_bytes())
                .unwrap();
        assert_eq!((answer.status, answer.message()), (400, words.to_owned()));
    }
    let answer = post(&simulator, "openai", "/v1/messages", &json!({}));
    assert_eq!(answer.status, 404);
}

#[test]
fn the_old_cache_reads_in_steps() {
    let simulator = start(&[Provider::OpenAi]);
    let ask = |text: String| {
        let usage = ok(&simulator, &body("gpt-4.1", json!([user(json!(text))])));
        (usage.read, usage.write)
    };
    assert_eq!(ask(text("a", 1023)), (0, 0));
    assert_eq!(ask(text("a", 1023)), (0, 0), "below the minimum");
    assert_eq!(ask(text("b", 2006)), (0, 0));
    assert_eq!(ask(text("b", 2006)), (1920, 0));
    let longer = text("b", 2006) + &text("c", 500);
    assert_eq!(ask(longer.clone()), (1920, 0));
    assert_eq!(ask(longer), (2432, 0));
    simulator.advance(Duration::from_secs(601));
    assert_eq!(ask(text("b", 2006)), (0, 0), "expired");

    let kept = |key: &str| {
        let body = with(
            body("gpt-4.1", json!([user(json!(text("d", 1100)))])),
            "prompt_cache_retention",
            json!("24h"),
        );
        ok(&simulator, &with(body, "prompt_cache_key", json!(key))).read
    };
    assert_eq!(kept("k"), 0);
    simulator.advance(Duration::from_secs(23 * 3600));
    assert_eq!((kept("k"), kept("other")), (1024, 0), "a key leads elsewhere");
}

#[test]
fn the_new_cache_writes_the_whole_prompt_and_bills_it() {
    let simulator = start(&[Provider::OpenAi]);
    let first = user(json!(text("a", 1200)));
    let cold = chat(&simulator, &body("gpt-5.6", json!([first]))).json()["usage"].clone();
    assert_eq!(cold["prompt_tokens"], 1200);
    assert_eq!(
        cold["prompt_tokens_details"],
        json!({ "cached_tokens": 0, "cache_write_tokens": 1200 })
    );
    let said = json!({ "role": "assistant", "content": text("said", 20) });
    let next = body("gpt-5.6", json!([first, said, user(json!(text("b", 30)))]));
    let warm = ok(&simulator, &next);
    assert_eq!((warm.read, warm.write, warm.write_30m, warm.uncached), (1200, 50, 50, 0));
    // Where nothing is asked for, nothing is told about writes of older models.
    let old = chat(&simulator, &body("gpt-5.5", json!([user(json!("a"))]))).json();
    assert_eq!(old["usage"]["prompt_tokens_details"], json!({ "cached_tokens": 0 }));
    simulator.advance(Duration::from_secs(1801));
    assert_eq!(ok(&simulator, &next).read, 0);
}

#[test]
fn explicit_breakpoints_are_the_only_ones_if_so_asked() {
    let simulator = start(&[Provider::OpenAi]);
    let mode = json!({ "mode": "explicit" });
    let ask = |first: Value, last: &str| {
        let body = body("gpt-5.6", json!([user(json!([first, part(last)]))]));
        let usage = ok(&simulator, &with(body, "prompt_cache_options", mode.clone()));
        (usage.read, usage.write, usage.uncached)
    };
    let rules = text("rules", 1100);
    assert_eq!(ask(broken(&rules), &text("a", 10)), (0, 1100, 10));
    assert_eq!(ask(broken(&rules), &text("b", 10)), (1100, 0, 10));
    assert_eq!(ask(part(&rules), &text("b", 10)), (0, 0, 1110), "no breakpoint, no cache");
}

#[test]
fn the_latest_breakpoints_are_written() {
    let parts: Vec<_> =
        (0..6).map(|number| broken(&text(&format!("part{number}"), 1100))).collect();
    // The last three of them, and the end of the prompt, which is the last of them.
    for (length, read) in [(1, 0), (3, 0), (4, 4400), (6, 6600)] {
        let simulator = start(&[Provider::OpenAi]);
        ok(&simulator, &body("gpt-5.6", json!([user(json!(parts))])));
        let mut fewer = parts[..length].to_vec();
        fewer.push(part("other"));
        let fewer = body("gpt-5.6", json!([user(json!(fewer))]));
        let usage = ok(&simulator, &with(fewer, "prompt_cache_options", explicit()));
        assert_eq!(usage.read, read, "{length} parts");
    }
}

#[test]
fn a_stream_tells_its_usage_only_if_asked() {
    let simulator = start(&[Provider::OpenAi]);
    let mut asking = body("gpt-5.6", json!([user(json!(text("a", 1200)))]));
    let plain = chat(&simulator, &asking).json();
    simulator.forget();
    asking["stream"] = json!(true);
    let stream = chat(&simulator, &asking);
    assert!(stream.text().ends_with("data: [DONE]\n\n"));
    assert!(stream.events().iter().all(|event| event.get("usage").is_none()));
    simulator.forget();
    asking["stream_options"] = json!({ "include_usage": true });
    let events = chat(&simulator, &asking).events();
    let (last, rest) = events.split_last().unwrap();
    assert_eq!((&last["choices"], &last["usage"]), (&json!([]), &plain["usage"]));
    assert!(rest.iter().all(|event| event["usage"].is_null() && event["id"] == last["id"]));
    let texts = rest.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
    assert_eq!(json!(texts.collect::<String>()), plain["choices"][0]["message"]["content"]);
    assert_eq!(rest.last().unwrap()["choices"][0]["finish_reason"], "stop");
}

#[test]
fn responses_agree_with_their_streams() {
    let simulator = start(&[Provider::OpenAi]);
    let mut body = json!({ "model": "gpt-5.6", "instructions": text("rules", 1200), "input": [user(json!("hi"))] });
    let plain = post(&simulator, "openai", "/v1/responses", &body).json();
    assert_eq!(plain["usage"]["input_tokens_details"]["cache_write_tokens"], 1201);
    assert_eq!(
        plain["usage"]["input_tokens_details"]["cache_write_tokens_details"]["ttl_30m_tokens"],
        1201
    );
    simulator.forget();
    body["stream"] = json!(true);
    let events = post(&simulator, "openai", "/v1/responses", &body).events();
    let last = &events.last().unwrap()["response"];
    assert_eq!((&last["usage"], &last["status"]), (&plain["usage"], &json!("completed")));
    assert_eq!(last["output"][0]["content"], plain["output"][0]["content"]);
    assert!(events[0]["response"]["usage"].is_null());
    assert_eq!(events[0]["response"]["id"], last["id"]);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    let deltas = events.iter().filter(|event| event["type"] == "response.output_text.delta");
    let text: String = deltas.filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(json!(text), plain["output"][0]["content"][0]["text"]);
}

#[test]
fn an_empty_prompt_is_none_to_cache() {
    let simulator = start(&[Provider::OpenAi]);
    for model in ["gpt-5.6", "gpt-4.1"] {
        let answer =
            post(&simulator, "openai", "/v1/responses", &json!({ "model": model, "input": [] }));
        assert_eq!(answer.json()["usage"]["input_tokens"], 0);
    }
}

#[test]
fn ids_of_input_items_are_no_part_of_the_prompt() {
    let simulator = start(&[Provider::OpenAi]);
    let ask = |id: &str| {
        let item = json!({ "type": "message", "id": id, "role": "user", "content": [{ "type": "input_text", "text": text("a", 1200) }] });
        post(
            &simulator,
            "openai",
            "/v1/responses",
            &json!({ "model": "gpt-5.5", "input": [item] }),
        );
        usage(&simulator, "openai").read
    };
    assert_eq!((ask("msg_1"), ask("msg_2")), (0, 1152));
}

#[test]
fn a_function_is_called_when_the_user_says_so() {
    let simulator = start(&[Provider::OpenAi]);
    let cue = r#"use the tool exec with {"cmd":"ls é"}"#;
    let answer = chat(&simulator, &body("gpt-5.6", json!([user(json!(cue))]))).json();
    let call = answer["choices"][0]["message"]["tool_calls"][0].clone();
    assert_eq!(call["function"], json!({ "name": "exec", "arguments": r#"{"cmd":"ls é"}"# }));
    let result = json!({ "role": "tool", "tool_call_id": call["id"], "content": "a" });
    let next = json!([user(json!(cue)), { "role": "assistant", "tool_calls": [call] }, result]);
    assert_eq!(
        chat(&simulator, &body("gpt-5.6", next)).json()["choices"][0]["finish_reason"],
        "stop"
    );
    let streamed = with(body("gpt-5.6", json!([user(json!(cue))])), "stream", json!(true));
    let events = chat(&simulator, &streamed).events();
    let arguments = events.iter().filter_map(|event| {
        event.pointer("/choices/0/delta/tool_calls/0/function/arguments")?.as_str()
    });
    assert_eq!(arguments.collect::<String>(), r#"{"cmd":"ls é"}"#);

    let asked = json!({ "model": "gpt-5.6", "input": [user(json!(cue))] });
    let answer = post(&simulator, "openai", "/v1/responses", &asked).json();
    let call = answer["output"][0].clone();
    assert_eq!(call["type"], "function_call");
    let output =
        json!({ "type": "function_call_output", "call_id": call["call_id"], "output": "a" });
    let asked = json!({ "model": "gpt-5.6", "input": [user(json!(cue)), call, output] });
    let answer = post(&simulator, "openai", "/v1/responses", &asked).json();
    assert_eq!(answer["output"][0]["type"], "message");
}
