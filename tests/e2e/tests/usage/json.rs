//! Answers that are one JSON text.

use e2e::scripted::Reply;
use serde_json::json;

use crate::{CHAT, MESSAGES, RESPONSES, chat, counting_as};

/// A usage object between members that must keep their bytes.
fn around(usage: &str) -> String {
    format!(
        "{{ \"id\":\"x\",\"n\":1E3, \"text\":\"\\u0041\\/\",\"usage\" :{usage},\n\"usage2\":{{\"cached_tokens\":7}} }}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_of_every_convention_are_written_in_the_clients() {
    for (provider, path, given, expected) in [
        // What is right already keeps every byte.
        (
            "openai",
            CHAT,
            r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":40}}"#,
            "",
        ),
        (
            "openai",
            CHAT,
            r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":20}}"#,
            r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":20,"caching_tokens":20}}"#,
        ),
        (
            "requesty",
            CHAT,
            r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":40,"caching_tokens":20}}"#,
            r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":40,"caching_tokens":20,"cache_write_tokens":20}}"#,
        ),
        (
            "qwen",
            CHAT,
            r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":0,"cache_creation_input_tokens":20}}"#,
            r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":0,"cache_creation_input_tokens":20,"cache_write_tokens":20,"caching_tokens":20}}"#,
        ),
        (
            "deepseek",
            CHAT,
            r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_cache_hit_tokens":40,"prompt_cache_miss_tokens":50}"#,
            r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_cache_hit_tokens":40,"prompt_cache_miss_tokens":50,"prompt_tokens_details":{"cached_tokens":40}}"#,
        ),
        // What the wire does not tell is not invented.
        ("mistral", CHAT, r#"{"prompt_tokens":90,"completion_tokens":3,"total_tokens":93}"#, ""),
        (
            "openai",
            CHAT,
            r#"{"prompt_tokens":null,"completion_tokens":3,"prompt_tokens_details":null}"#,
            "",
        ),
        ("openai", CHAT, "null", ""),
        ("openai", CHAT, "[]", ""),
        ("openai", CHAT, "{}", ""),
        (
            "openai",
            RESPONSES,
            r#"{"input_tokens":90,"output_tokens":3,"input_tokens_details":{"cached_tokens":40,"cache_write_tokens":20}}"#,
            r#"{"input_tokens":90,"output_tokens":3,"input_tokens_details":{"cached_tokens":40,"cache_write_tokens":20,"caching_tokens":20}}"#,
        ),
    ] {
        let (gateway, scripted) = counting_as(provider).await;
        let expected = around(if expected.is_empty() { given } else { expected });
        for reply in [Reply::json(around(given)), Reply::json(around(given)).chunked()] {
            scripted.say(reply);
            let answer =
                gateway.post(path, &json!({"model": "m", "messages": [], "input": "hi"})).await;
            assert_eq!(answer.text(), expected, "{provider}");
            let length = answer.header("content-length");
            assert!(length.is_none_or(|length| length == expected.len().to_string()), "{length:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_for_messages_keep_their_bytes() {
    let (gateway, scripted) = counting_as("openai").await;
    let usage = r#"{"input_tokens": 5,"cache_read_input_tokens":1E2,"cache_creation_input_tokens":7,"cache_creation":{"ephemeral_5m_input_tokens":7}, "output_tokens":2}"#;
    let json = format!(r#" {{"type":"message","id":"msg_1","usage":{usage} }}"#);
    let events = format!(
        "event: message_start\r\ndata: {{\"type\":\"message_start\",\"message\":{{\"id\":\"msg_1\",\"usage\":{usage}}}}}\r\n\r\n: ping\n\nevent: message_delta\ndata:{{\"usage\":{{\"output_tokens\":9}}}}\n\nevent: message_stop\ndata: {{}}\n\n"
    );
    for (reply, expected) in
        [(Reply::json(json.clone()), json), (Reply::events(events.clone()).in_pieces(11), events)]
    {
        scripted.say(reply);
        assert_eq!(gateway.post(MESSAGES, &chat()).await.text(), expected);
    }
    let stats = gateway.envoy.stats().await;
    let tokens = |kind| stats.sum("warmpath_tokens_total", &[("kind", kind)]);
    assert_eq!(["input", "write_5m", "write_1h", "output"].map(tokens), [10, 14, 0, 11]);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_pass_byte_for_byte_and_count_no_tokens() {
    let (gateway, scripted) = counting_as("qwen").await;
    let body = around(
        r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_tokens_details":{"cache_creation_input_tokens":20}}"#,
    );
    for status in [400, 401, 404, 413, 418, 451] {
        for kind in ["application/json", "text/event-stream", "text/html"] {
            for path in [MESSAGES, CHAT, RESPONSES] {
                scripted.say(
                    Reply::new(status, body.clone())
                        .header("content-type", kind)
                        .header("x-odd", "1"),
                );
                let answer =
                    gateway.post(path, &json!({"model": "m", "messages": [], "input": "hi"})).await;
                assert_eq!((answer.status, answer.text()), (status, body.clone()));
                assert_eq!(answer.header("x-odd"), Some("1"));
                assert_eq!(answer.header("x-warmpath-request-id"), None);
            }
        }
    }
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_tokens_total", &[]), 0);
    assert_eq!(stats.sum("warmpath_exchanges_total", &[]), 6 * 3 * 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_no_json_pass() {
    let (gateway, scripted) = counting_as("qwen").await;
    for (kind, body) in [
        ("application/json", "{\"usage\":{\"prompt_tokens\":9"),
        ("application/json", "<html>"),
        (
            "application/json",
            "{\"usage\":{\"prompt_tokens\":9,\"prompt_tokens_details\":{\"cache_creation_input_tokens\":5}}}}}",
        ),
        (
            "text/html",
            "{\"usage\":{\"prompt_tokens\":9,\"prompt_tokens_details\":{\"cache_creation_input_tokens\":5}}}",
        ),
        (
            "text/event-stream",
            "data: {\"usage\":{\"prompt_tokens\":9\n\ndata\n\r\r\n:\n\ndata: [DONE]",
        ),
    ] {
        for chunked in [false, true] {
            let reply = Reply::new(200, body).header("content-type", kind);
            scripted.say(if chunked { reply.chunked() } else { reply });
            assert_eq!(gateway.post(CHAT, &chat()).await.text(), body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rewriting_answers_keep_their_bytes_and_are_counted() {
    let scripted = e2e::Scripted::start(Reply::json("{}")).await;
    let reading = e2e::Bootstrap::shipped()
        .configure(r#""usage": {"rewrite": false}"#)
        .upstream("openai-a", r#"{"provider": "qwen"}"#);
    let gateway = e2e::Gateway::scripted(reading, &scripted).await;
    let usage = r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":40,"cache_creation_input_tokens":20}}"#;
    let events =
        format!("data: {{\"id\":\"x\",\"choices\":[],\"usage\":{usage}}}\n\ndata: [DONE]\n\n");
    for (reply, body, expected) in [
        (Reply::json(around(usage)), chat(), around(usage)),
        (Reply::events(events.clone()), crate::stream(Some(true)), events.clone()),
        (Reply::events(events.clone()), crate::stream(None), "data: [DONE]\n\n".to_owned()),
    ] {
        scripted.say(reply);
        assert_eq!(gateway.post(CHAT, &body).await.text(), expected);
    }
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_tokens_total", &[("kind", "read")]), 3 * 40);
}
