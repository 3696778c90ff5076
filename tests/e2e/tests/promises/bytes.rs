//! Requests: what has no reason to change stays as it is.

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway, Reply, Scripted};
use http::Method;
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;

/// An answer that would be read and rewritten if it were one to a prompt.
const USAGE: &str = r#"{"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":4}}}"#;

/// Sends the same through plain Envoy and with the plugin, and compares what the provider and the client got.
async fn is_untouched(requests: &[(Method, &str, &str)]) {
    let reply = Reply::json(USAGE).header("date", "Sat, 21 Nov 2026 00:00:00 GMT");
    let reply = reply.header("x-odd", b"\xff").header("x-request-id", "req_1").header("x-odd", "2");
    let provider = Scripted::start(reply).await;
    let plain = Gateway::scripted(Bootstrap::shipped().without_plugin(), &provider).await;
    let warm = Gateway::scripted(Bootstrap::explaining(), &provider).await;
    let prompt = br#"{"model":"m","cache_control":{"type":"ephemeral"},"messages":[{"role":"user","content":"\xff"}]}"#;
    for (method, path, kind) in requests {
        let mut seen = Vec::new();
        for gateway in [&plain, &warm] {
            let call = gateway.client().call(method.clone(), path).header("host", "gateway");
            let call = call.header("accept-encoding", "gzip, br").header("x-request-id", "trace-1");
            let call = call.header("x-odd", b"\xff\xfe").header("x-odd", "2");
            let body: &'static [u8] = if kind.is_empty() { b"" } else { prompt };
            let answer = call.header("content-type", kind).body(body).await;
            seen.push((provider.last(), answer.status, answer.headers, answer.body));
        }
        assert_eq!(seen[1], seen[0], "{method} {path} {kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_traffic_is_untouched() {
    is_untouched(&[
        (Method::POST, "/v1/messages/count_tokens", "application/json"),
        (Method::POST, "/v1/embeddings", "application/json"),
        (Method::POST, "/v1/messages/batches?x=/v1/messages", "application/json"),
        (Method::PUT, "/v1/messages", "application/json"),
        (Method::DELETE, "/v1/models/m", "application/json"),
        (Method::GET, "/v1/messages", ""),
        (Method::GET, CHAT, "application/json"),
        (Method::OPTIONS, CHAT, ""),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_content_types_are_untouched() {
    is_untouched(&[
        (Method::POST, "/v1/messages", "text/plain"),
        (Method::POST, "/v1/responses", "application/jsonl"),
        (Method::POST, CHAT, "multipart/form-data; boundary=x"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shaping_is_idempotent() {
    let gateway = Gateway::start(Bootstrap::shipped().steered()).await;
    let mut marked = Conversation::new(Dialect::Messages, 1).marking();
    marked.body["cache_control"] = json!({"type": "ephemeral", "ttl": "1h"});
    let mut chat = Conversation::new(Dialect::Chat, 1).streaming();
    chat.body["stream_options"] = json!({});
    let plain = Conversation::new(Dialect::Messages, 2);
    for (mut conversation, upstream) in
        [(marked, "bedrock-us"), (plain, "anthropic-a"), (chat, "openai-a")]
    {
        conversation.ask(3_000);
        let mut bodies = Vec::new();
        for _ in 0..2 {
            gateway.send(&conversation).header("upstream", upstream).await;
            let shaped = gateway.providers.received(upstream).pop().expect("a request").body;
            conversation.body = serde_json::from_slice(&shaped).expect("JSON");
            bodies.push(shaped);
        }
        assert_eq!(bodies[1], bodies[0], "{upstream}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn client_marks_win() {
    let gateway = Gateway::warm().await;
    let mut conversation = Conversation::new(Dialect::Messages, 1).marking();
    for _ in 0..3 {
        let answer = gateway.turn(&mut conversation, 2_000).await;
        let (_, exchange) = gateway.exchange(&answer);
        let marks = String::from_utf8_lossy(&exchange.body).matches("cache_control").count();
        assert_eq!(marks, 2, "those of the client and no others");
    }
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_edits_total", &[]), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn untouched_parts_keep_their_bytes() {
    let provider = Scripted::start(Reply::json("{}")).await;
    let any = Bootstrap::shipped().upstream(
        "anthropic-a",
        r#"{"provider": "anthropic", "marks": "inject", "min_tokens": 0}"#,
    );
    let gateway = Gateway::scripted(any.steered(), &provider).await;
    // ‹› is where a mark goes; all else stays.
    let odd = [
        "{\"messages\" :\t[ {\"content\":[{\"text\":\"a\\u0041\\/\\ud83d\\ude00 \u{1f600}\",\"type\":\"text\"\n‹›} ] ,\"role\":\"user\"}\r\n],\"model\":\"m\"}",
        r#"{"model":"m","n":1E3,"big":1234567890123456789012345678901234567890,"f":-0.0,"e":1e-400,"messages":[{"role":"user","content":[{"type":"text","text":"x"‹›}]}],"z":null}"#,
        r#"{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"x"‹›}]}],"model":"m","tools":[{"name":"t","input_schema":{"cache_control":{"b":1,"a":1,"a":2}}‹›}],"system":[{"type":"text","text":"s"‹›}]}"#,
        "  \r\n{\"model\":\"m\",\"\":{\"\":[]},\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"\\\"\\\\\"‹›}]}]}\n\n ",
        "\u{feff}{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a BOM\"‹›}]}]}",
    ];
    for body in odd {
        let sent = body.replace("‹›", "");
        let call = gateway.post("/v1/messages", &Value::Null).header("upstream", "anthropic-a");
        call.body(sent).await;
        let received = provider.last();
        assert_eq!(String::from_utf8_lossy(&received.body), body.replace("‹›", MARK));
        assert_eq!(received.headers["content-length"], received.body.len().to_string());
    }
}
