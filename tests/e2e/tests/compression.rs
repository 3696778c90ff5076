//! Answers are read plain, and compressed again for clients that accept it.

use std::io::Write;

use e2e::versions;
use e2e::{Answer, Bootstrap, Gateway, Reply, Scripted};
use flate2::Compression;
use flate2::write::{GzDecoder, GzEncoder};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
/// In a provider's own words; the client's have `caching_tokens`.
const USAGE: &str = r#"{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":4,"cache_creation_input_tokens":5}}"#;

fn chat() -> Value {
    json!({"model": "qwen3-max", "messages": [{"role": "user", "content": "hi"}]})
}

async fn start(bootstrap: Bootstrap, reply: Reply) -> (Gateway, Scripted) {
    let provider = Scripted::start(reply).await;
    let qwen = bootstrap.upstream("openai-a", r#"{"provider": "qwen"}"#);
    (Gateway::scripted(qwen, &provider).await, provider)
}

fn unzipped(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut decoder = GzDecoder::new(Vec::new());
    decoder.write_all(&answer.body).expect("gzip");
    serde_json::from_slice(&decoder.finish().expect("the end of it")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_rewritten_and_compressed_for_clients_that_accept_it() {
    let reply = Reply::json(format!(r#"{{"id":"x","usage":{USAGE}}}"#));
    let (gateway, provider) = start(Bootstrap::shipped(), reply).await;
    for accepted in ["gzip", "gzip, deflate, br, zstd"] {
        let answer = gateway.post(CHAT, &chat()).header("accept-encoding", accepted).await;
        assert_eq!(provider.last().headers.get("accept-encoding"), None);
        assert_eq!(unzipped(&answer)["usage"]["prompt_tokens_details"]["caching_tokens"], 5);
    }
    for accepted in ["identity", "br"] {
        let answer = gateway.post(CHAT, &chat()).header("accept-encoding", accepted).await;
        assert_eq!(answer.header("content-encoding"), None, "{accepted}");
        assert_eq!(answer.usage()["prompt_tokens_details"]["caching_tokens"], 5);
    }
    assert_eq!(gateway.post(CHAT, &chat()).await.header("content-encoding"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_has_compressed_is_not_compressed_again() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&[b'7'; 4_000]).expect("gzip");
    let zipped = encoder.finish().expect("gzip");
    let reply = Reply::json(zipped.clone()).header("content-encoding", "gzip");
    let (gateway, provider) = start(Bootstrap::shipped(), reply).await;
    let answer = gateway.get("/v1/models").header("accept-encoding", "gzip").await;
    assert_eq!(provider.last().headers["accept-encoding"], "gzip", "none of ours: untouched");
    assert_eq!((answer.header("content-encoding"), &answer.body[..]), (Some("gzip"), &zipped[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_immediate_and_plain() {
    let (reply, pen) = Reply::by_hand("text/event-stream");
    let (gateway, _provider) = start(Bootstrap::shipped(), reply).await;
    let mut body = chat();
    body["stream"] = json!(true);
    let call = gateway.post(CHAT, &body).header("accept-encoding", "gzip");
    let mut stream = call.open().await.expect("an answer");
    assert_eq!(stream.headers.get("content-encoding"), None);
    for word in 0..20 {
        // The next event is written when this one has come: one that waited for it would wait for ever.
        let event = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{word}\"}}}}]}}\n\n");
        pen.write(event.clone());
        assert_eq!(stream.next().await.expect("a piece").as_deref(), Some(event.as_bytes()));
    }
}

/// What the shipped files say of event streams, for those who add them.
#[tokio::test(flavor = "multi_thread")]
async fn compressed_streams_would_be_immediate_too() {
    let types = if versions::running() >= (1, 40) {
        "content_type_matcher: [{exact: text/event-stream}]"
    } else {
        "content_type: [text/event-stream]"
    };
    let bootstrap = Bootstrap::shipped().replace(
        "response_direction_config: {}",
        &format!("response_direction_config: {{common_config: {{{types}}}}}"),
    );
    let (reply, pen) = Reply::by_hand("text/event-stream");
    let (gateway, _provider) = start(bootstrap, reply).await;
    let mut body = chat();
    body["stream"] = json!(true);
    let call = gateway.post(CHAT, &body).header("accept-encoding", "gzip");
    let mut stream = call.open().await.expect("an answer");
    assert_eq!(stream.headers["content-encoding"], "gzip");
    let mut decoder = GzDecoder::new(Vec::new());
    for word in 0..20 {
        let event = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{word}\"}}}}]}}\n\n");
        pen.write(event.clone());
        while decoder.get_ref() != event.as_bytes() {
            let piece = stream.next().await.expect("a piece").expect("more of the stream");
            decoder.write_all(&piece).and_then(|()| decoder.flush()).expect("gzip");
        }
        decoder.get_mut().clear();
    }
}
