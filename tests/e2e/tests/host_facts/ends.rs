//! How messages end: with trailers, in the middle, or without a body.

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway, Reply, Scripted, eventually};
use serde_json::json;
use simulator::Pace;

const CHAT: &str = "/v1/chat/completions";
const ANSWER: &str = r#"{"id":"x","usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":4,"cache_creation_input_tokens":5}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_end_with_trailers() {
    let provider = Scripted::start(Reply::json("{}")).await;
    let gateway = Gateway::scripted(Bootstrap::shipped().http2_to("openai-a"), &provider).await;
    for bytes in [100, 100_000] {
        let mut conversation = Conversation::new(Dialect::Chat, 1);
        conversation.ask(bytes);
        let body = conversation.body.to_string();
        let call = gateway.http2().post(CHAT, &conversation.body).trailer("x-checksum", "7");
        assert_eq!(call.await.status, 200);
        let received = provider.last();
        assert_eq!(received.trailers["x-checksum"], "7");
        let length = received.body.len();
        assert!(length > body.len(), "it was read, and a cache key was set");
        assert_eq!(received.headers["content-length"], length.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_may_end_with_trailers() {
    let json = Reply::json(ANSWER).trailer("x-checksum", "7");
    let events =
        Reply::events(format!("data: {ANSWER}\n\ndata: [DONE]\n\n")).trailer("x-checksum", "7");
    let qwen = Bootstrap::explaining().upstream("openai-a", r#"{"provider": "qwen"}"#);
    let provider = Scripted::start(json.clone()).await;
    let gateway = Gateway::scripted(qwen.http2_to("openai-a"), &provider).await;
    let body = json!({"model": "m", "messages": [], "stream": true, "stream_options": {"include_usage": true}});
    for reply in [json.clone(), json.in_pieces(10), events.clone(), events.in_pieces(10)] {
        provider.say(reply);
        let mut stream = gateway.http2().post(CHAT, &body).open().await.expect("an answer");
        let mut text = Vec::new();
        while let Some(bytes) = stream.next().await.expect("a whole answer") {
            text.extend_from_slice(&bytes);
        }
        assert!(String::from_utf8_lossy(&text).contains(r#""caching_tokens":5"#));
        assert_eq!(stream.trailers.get("x-checksum").expect("a trailer"), "7");
    }
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_tokens_total", &[("kind", "read")]), 4 * 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_body_is_passed_on() {
    let provider = Scripted::start(Reply::new(204, "")).await;
    let gateway = Gateway::scripted(Bootstrap::explaining(), &provider).await;
    for status in [200, 204, 304] {
        for kind in ["application/json", "text/event-stream"] {
            provider.say(Reply::new(status, "").chunked().header("content-type", kind));
            let answer = gateway.post(CHAT, &json!({"model": "m", "messages": []})).await;
            assert_eq!((answer.status, answer.body.len()), (status, 0));
        }
    }
    assert_eq!(gateway.envoy.stats().await.sum("warmpath_exchanges_total", &[]), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_of_a_stream_counts_when_its_client_goes_away() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    let hour = std::time::Duration::from_secs(3_600);
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us"] {
        gateway.providers.pace(upstream, Pace { gap: hour, ..Pace::default() });
    }
    let mut conversation = Conversation::new(Dialect::Messages, 1).streaming();
    conversation.ask(3_000);
    let client = gateway.client();
    let mut stream =
        client.post("/v1/messages", &conversation.body).open().await.expect("a stream");
    while !String::from_utf8_lossy(&stream.next().await.expect("more").expect("an event"))
        .contains("Simulated")
    {}
    drop((stream, client));
    let written = eventually(async || {
        match gateway.envoy.stats().await.sum("warmpath_tokens_total", &[("kind", "write_5m")]) {
            0 => Err("nothing is counted".into()),
            written => Ok(written),
        }
    })
    .await;
    let received = ["anthropic-a", "anthropic-b", "bedrock-us"]
        .map(|upstream| gateway.providers.received(upstream));
    let usage = received.iter().flatten().next().expect("a request").usage.expect("usage");
    assert_eq!(written, usage.write);
    // And what its beginning taught holds.
    conversation.body["stream"] = json!(false);
    assert_eq!(gateway.send(&conversation).await.explanation()["by"], "prefix");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_of_a_stream_counts_when_its_provider_dies() {
    let (reply, pen) = Reply::by_hand("text/event-stream");
    let provider = Scripted::start(reply).await;
    let gateway = Gateway::scripted(Bootstrap::shipped(), &provider).await;
    let body = json!({"model": "m", "messages": [], "stream": true, "stream_options": {"include_usage": true}});
    pen.write(format!("data: {ANSWER}\n\n"));
    let mut stream = gateway.post(CHAT, &body).open().await.expect("a stream");
    let event = stream.next().await.expect("more").expect("an event");
    assert!(event.starts_with(b"data: {\"id\":\"x\""));
    pen.write("data: {\"half an event");
    assert_eq!(
        &*stream.next().await.expect("more").expect("half an event"),
        b"data: {\"half an event"
    );
    pen.cut();
    stream.next().await.expect_err("a cut answer must not look whole");
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_tokens_total", &[("kind", "read")]), 4);
}
