//! Bodies that cannot be read as prompts.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use serde_json::Value;

use crate::{CHAT, answer, gateway, skips};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}

/// Sends each body to each dialect; the provider must get it as it is, and this reason must count each time.
async fn skipped(reason: &str, bodies: &[Vec<u8>]) {
    let (gateway, provider) = gateway(answer()).await;
    for body in bodies {
        for path in ["/v1/messages", CHAT, "/v1/responses"] {
            let answer = gateway.post(path, &Value::Null).body(body.clone()).await;
            assert_eq!((answer.status, &*answer.text()), (200, r#"{"id":"x"}"#), "{path}");
            let shown = String::from_utf8_lossy(&body[..body.len().min(200)]);
            assert!(provider.last().body == *body, "{path}: {shown}");
        }
    }
    assert_eq!(skips(&gateway).await, [(reason.to_owned(), 3 * bodies.len() as u64)]);
    assert!(!gateway.envoy.log().contains("critical"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_passes() {
    let bodies: [&[u8]; 14] = [
        b"hello",
        b"{",
        b"{\"",
        b"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi",
        b"{\"model\":\"m\",\"messages\":[]",
        b"{\"model\":\"m\",\"messages\":[]}}",
        b"{\"model\":\"m\",\"messages\":[]}{}",
        b"{\"model\":\"m\",}",
        b"{'model':'m'}",
        b"{\"model\":\"m\",\"n\":01}",
        b"{\"model\":\"m\",\"s\":\"\\x\"}",
        b"{\"model\":\"m\",\"s\":\"\n\"}",
        b"{\"model\":\"m\",\"n\":NaN}",
        b"\0\0\0\0",
    ];
    skipped("not_json", &bodies.map(<[u8]>::to_vec)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_of_another_shape_passes() {
    let bodies: [&[u8]; 5] = [b"[]", b"null", b"1E3", b"\"messages\"", b"[{\"model\":\"m\"}]"];
    skipped("no_prompt", &bodies.map(<[u8]>::to_vec)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_stand_twice_pass() {
    let twice: [&[u8]; 3] = [
        br#"{"model":"m","messages":[],"input":[],"mod\u0065l":"n"}"#,
        br#"{"model":"m","messages":[],"input":[],"model":"n"}"#,
        br#"{"model":"m","tools":[],"messages":[],"input":[],"tools":[{"name":"x"}]}"#,
    ];
    skipped("duplicate", &twice.map(<[u8]>::to_vec)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_nesting_passes() {
    let deep = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        let members = r#""messages":[{"role":"user","content":"x"}],"input":"x""#;
        format!(r#"{{"model":"m","deep":{open}{close},{members}}}"#).into_bytes()
    };
    let objects = r#"{"a":"#.repeat(100_000) + "1" + &"}".repeat(100_000);
    skipped("too_deep", &[deep(200), deep(100_000), objects.into_bytes()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encoded_bodies_pass() {
    let (gateway, provider) = gateway(answer()).await;
    let body = gzip(br#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#);
    for encoding in ["gzip", "br", "deflate, gzip"] {
        let call = gateway.post("/v1/messages", &Value::Null).header("content-encoding", encoding);
        assert_eq!(call.body(body.clone()).await.status, 200);
        let received = provider.last();
        assert_eq!(received.headers["content-encoding"], encoding);
        assert_eq!(received.body, body);
    }
    assert_eq!(skips(&gateway).await, [("encoded".to_owned(), 3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_a_body_pass() {
    let (gateway, provider) = gateway(answer()).await;
    for (method, path) in [
        (Method::GET, CHAT),
        (Method::HEAD, "/"),
        (Method::POST, "/v1/messages"),
        (Method::GET, "/v1/videos/v"),
    ] {
        let json =
            gateway.client().call(method.clone(), path).header("content-type", "application/json");
        assert_eq!(json.await.status, 200, "{method} {path}");
        assert_eq!((&*provider.last().method, &*provider.last().path), (method.as_str(), path));
    }
    let mut raw = gateway.raw().await;
    for line in [&b"content-length: 0"[..], b"transfer-encoding: chunked"] {
        raw.post("/v1/messages", &[line]).await;
        if line.starts_with(b"transfer") {
            raw.chunk(b"").await;
        }
        assert_eq!(raw.answer().await.expect("an answer").status, 200);
    }
    // An empty body that comes behind its headers is none that could be read, either.
    let skips = skips(&gateway).await;
    assert_eq!(skips, [("no_prompt".to_owned(), 2), ("not_json".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_without_its_usual_members_is_no_trouble() {
    let (gateway, provider) = gateway(answer()).await;
    for body in [
        r#"{}"#,
        r#"{"messages":[]}"#,
        r#"{"messages":[{"role":"user","content":"hi"}]}"#,
        r#"{"model":null,"messages":null}"#,
        r#"{"model":7,"messages":{"role":"user"},"input":7,"stream":"yes","tools":{},"system":7}"#,
        r#"{"model":"m","messages":[null,7,[],{"content":{}},{"role":7,"content":[null,[],{"type":7}]}],"input":[[]]}"#,
        "{\"model\":\"naïve\\n\u{1f600}\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"input\":\"hi\"}",
    ] {
        for path in ["/v1/messages", CHAT, "/v1/responses"] {
            assert_eq!(
                gateway.post(path, &Value::Null).body(body).await.status,
                200,
                "{path} {body}"
            );
            let received = provider.last();
            // What can be a prompt may get a cache key; nothing else is added.
            let received = String::from_utf8_lossy(&received.body).into_owned();
            let key = received.find(r#""prompt_cache_key":"#);
            let own = key.map_or(received.clone(), |at| {
                let rest = &received[at..];
                let end = rest.find("\",").or(rest.find("\"}")).expect("a string");
                format!("{}{}", &received[..at], rest[end + 1..].trim_start_matches(','))
            });
            assert_eq!(own, body, "{path}");
        }
    }
    assert!(!gateway.envoy.log().contains("critical"));
}
