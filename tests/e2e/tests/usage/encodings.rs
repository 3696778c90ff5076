//! Answers are read, so providers are asked for plain ones; clients get what they asked for.

use std::io::{Read, Write};

use e2e::gateway::accounts;
use e2e::prompt::Dialect;
use e2e::scripted::Reply;
use e2e::{Answer, Bootstrap, Gateway};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::{CHAT, MESSAGES, RESPONSES, asked, chat, counting_as};

/// The text of an answer, whatever its encoding.
fn plain(answer: &Answer) -> String {
    if answer.header("content-encoding").is_none() {
        return answer.text();
    }
    let mut text = String::new();
    GzDecoder::new(&*answer.body).read_to_string(&mut text).expect("gzip");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn no_provider_is_asked_for_an_encoding() {
    let accounts = accounts().into_iter().map(|account| account.with_gzip()).collect();
    let gateway = Gateway::with_accounts(accounts, Bootstrap::shipped()).await;
    for dialect in [Dialect::Messages, Dialect::Chat, Dialect::Responses] {
        for conversation in [asked(dialect, 1), asked(dialect, 1).streaming()] {
            let answer =
                gateway.send(&conversation).header("accept-encoding", "gzip, br, zstd").await;
            assert!(plain(&answer).contains("Simulated"), "{}", plain(&answer));
        }
    }
    for received in ["anthropic-a", "anthropic-b", "bedrock-us", "openai-a"]
        .map(|upstream| gateway.providers.received(upstream))
        .iter()
        .flatten()
    {
        assert_eq!(received.header("accept-encoding"), None);
    }
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.skips("answer_encoded"), 0);
    assert_eq!(stats.sum("warmpath_tokens_total", &[("kind", "output")]), 6 * 20);
    // What is not read may be encoded as the client likes.
    let listed = gateway.get("/v1/files").header("accept-encoding", "gzip").await;
    assert_eq!((listed.status, listed.header("content-encoding")), (200, Some("gzip")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_encoded_nevertheless_passes() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(br#"{"id":"x","usage":{"prompt_tokens":90}}"#)
        .expect("a vector takes everything");
    let body = encoder.finish().expect("a vector takes everything");
    let (gateway, scripted) = counting_as("openai").await;
    let mut skips = 0;
    for kind in ["application/json", "text/event-stream"] {
        for encoding in ["gzip", "br", "gzip, identity"] {
            for path in [MESSAGES, CHAT, RESPONSES] {
                let reply = Reply::new(200, body.clone()).header("content-type", kind);
                scripted.say(reply.header("content-encoding", encoding));
                let mut request = chat();
                request["input"] = Value::from("hi");
                let answer = gateway.post(path, &request).await;
                assert_eq!(answer.header("content-encoding"), Some(encoding));
                assert!(answer.body == body);
                skips += 1;
            }
        }
    }
    let stats = gateway.envoy.stats().await;
    assert_eq!(
        (stats.skips("answer_encoded"), stats.sum("warmpath_skips_total", &[])),
        (skips, skips)
    );
}
