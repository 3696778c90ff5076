//! Bodies and answers beyond the limits.

use bytes::Bytes;
use e2e::{Bootstrap, Gateway, Reply, Scripted};
use serde_json::{Value, json};

use crate::{CHAT, skips};

const LIMITS: &str = r#""limits": {"request_body_bytes": 100000, "response_body_bytes": 100000}"#;

async fn limited(reply: Reply) -> (Gateway, Scripted) {
    let provider = Scripted::start(reply).await;
    let bootstrap = Bootstrap::explaining().configure(LIMITS);
    let bootstrap = bootstrap.upstream("openai-a", r#"{"provider": "openai"}"#);
    (Gateway::scripted(bootstrap, &provider).await, provider)
}

const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;

/// A prompt of exactly so many bytes.
fn prompt(bytes: usize) -> Bytes {
    let frame = r#"{"model":"m","messages":[{"role":"user","content":""}]}"#;
    frame.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - frame.len()))).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_limit_streams_through() {
    let (gateway, provider) = limited(Reply::json("{}")).await;
    // The last one is more than Envoy buffers in all.
    for bytes in [100_000, 100_001, 1_000_000, 20_000_000] {
        let body = prompt(bytes);
        let told = gateway.post(CHAT, &Value::Null).body(body.clone());
        assert_eq!(told.await.status, 200);
        assert!(provider.last().body == body, "{bytes} bytes, their number told");
        // Trailers keep the number from being told.
        let untold = gateway.http2().post(CHAT, &Value::Null).body(body.clone());
        assert_eq!(untold.trailer("x-end", "1").await.status, 200);
        let received = provider.last();
        assert!(received.body == body, "{bytes} bytes, their number not told");
        assert_eq!(received.headers.contains_key("content-length"), bytes == 100_000);
    }
    assert_eq!(skips(&gateway).await, [("body_too_large".to_owned(), 6)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_beyond_the_limit_streams_through() {
    let usage = r#"{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":4,"cache_creation_input_tokens":5}}"#;
    let frame =
        |bytes: usize| format!(r#"{{"id":"x","text":"{}","usage":{usage}}}"#, "x".repeat(bytes));
    let provider = Scripted::start(Reply::json("{}")).await;
    let qwen =
        Bootstrap::explaining().configure(LIMITS).upstream("openai-a", r#"{"provider": "qwen"}"#);
    let gateway = Gateway::scripted(qwen, &provider).await;
    for reply in [Reply::json(frame(99_000)), Reply::json(frame(99_000)).chunked()] {
        provider.say(reply);
        let answer = gateway.post(CHAT, &json!({"model": "m", "messages": []})).await;
        assert_eq!(answer.json()["usage"]["prompt_tokens_details"]["caching_tokens"], 5);
    }
    for bytes in [101_000, 2_000_000, 20_000_000] {
        for reply in [Reply::json(frame(bytes)), Reply::json(frame(bytes)).chunked()] {
            provider.say(reply);
            let answer = gateway.post(CHAT, &json!({"model": "m", "messages": []})).await;
            assert!(answer.body == frame(bytes), "{bytes} bytes came as {}", answer.body.len());
        }
    }
    assert_eq!(skips(&gateway).await, [("answer_too_large".to_owned(), 6)]);
    // What cannot be rewritten is counted all the same.
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_tokens_total", &[("kind", "read")]), 8 * 4);
}

/// The shipped limits, as the shipped routes let Envoy buffer.
#[tokio::test(flavor = "multi_thread")]
async fn messages_around_the_shipped_limits_pass() {
    let provider = Scripted::start(Reply::json("{}")).await;
    let bootstrap = Bootstrap::shipped().upstream("openai-a", r#"{"provider": "openai"}"#);
    let gateway = Gateway::scripted(bootstrap, &provider).await;
    let limit = 8 << 20;
    for bytes in
        [1_100_000, limit - 1, limit, limit + 1, limit + 70_000, 15_000_000, 17_000_000, 30_000_000]
    {
        let body = prompt(bytes);
        for (http2, chunked) in [(false, false), (true, false), (true, true)] {
            let client = if http2 { gateway.http2() } else { gateway.client() };
            let call = client.post(CHAT, &Value::Null).body(body.clone());
            let call = if chunked { call.trailer("x-end", "1") } else { call };
            let reply = Reply::json(body.clone());
            provider.say(if chunked { reply.chunked() } else { reply });
            let answer = call.await;
            assert_eq!(answer.status, 200, "{bytes} bytes");
            assert!(provider.last().body == body, "{bytes} bytes, asked");
            assert!(answer.body == body, "{bytes} bytes, answered as {}", answer.body.len());
            provider.forget();
        }
    }
    let stats = gateway.envoy.stats().await;
    assert_eq!((stats.skips("body_too_large"), stats.skips("answer_too_large")), (15, 15));
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_any_length_pass() {
    let provider = Scripted::start(Reply::json("{}")).await;
    let gateway = Gateway::scripted(Bootstrap::explaining(), &provider).await;
    let long = "x".repeat(1_000_000);
    for path in ["/v1/messages", CHAT, "/v1/responses"] {
        let mut body = json!({"messages": [], "input": long, "session_id": long, "previous_response_id": long});
        body["model"] = json!(long);
        body[&long] = json!(1);
        let answer = gateway.post(path, &body).header("x-session-id", &long[..20_000]).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(provider.last().body.len() >= body.to_string().len());
        let id = format!(r#"{{"id":"{long}","usage":{{"prompt_tokens":1}}}}"#);
        for reply in [Reply::json(id.clone()), Reply::events(format!("data: {id}\n\n"))] {
            provider.say(reply);
            // The client asks for usage itself, so that no event is taken out.
            let stream = json!({"model": "m", "messages": [], "input": "hi", "stream": true, "stream_options": {"include_usage": true}});
            let answer = gateway.post(path, &stream).await;
            assert!(answer.text().contains(&long), "{path}");
        }
        provider.say(Reply::json("{}"));
    }
    assert!(!gateway.envoy.log().contains("critical"));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_blocks_than_are_kept_pass() {
    let provider = Scripted::start(Reply::json("{}")).await;
    let gateway = Gateway::scripted(Bootstrap::explaining(), &provider).await;
    for (blocks, marked) in [(60_000, true), (70_000, false)] {
        let blocks = vec![json!({"type": "text", "text": "x"}); blocks];
        let body = json!({"model": "m", "messages": [{"role": "user", "content": blocks}]});
        let sent = body.to_string();
        assert_eq!(gateway.post("/v1/messages", &body).await.status, 200);
        let received = provider.last().body;
        assert_eq!(received != sent, marked);
        let unmarked = String::from_utf8_lossy(&received).replace(MARK, "");
        assert!(unmarked == sent, "but for the mark it is what was sent");
    }
    assert_eq!(skips(&gateway).await, [("too_many".to_owned(), 1)]);
}
