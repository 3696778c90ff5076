//! Headers that are no text, on their way in and out.

use e2e::Reply;
use http::Method;
use serde_json::json;

use crate::{CHAT, answer, gateway};

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_no_text_pass() {
    let (gateway, provider) = gateway(answer().header("x-odd", b"\xff\xfe\xfd")).await;
    let odd = [
        "x-request-id",
        "x-response-id",
        "x-session-id",
        "session_id",
        "authorization",
        "x-api-key",
        "anthropic-beta",
        "user-agent",
        "x-warmpath-affinity",
        "x-warmpath-upstream",
    ];
    for name in odd {
        let call = gateway
            .client()
            .call(Method::POST, "/v1/messages")
            .header("content-type", "application/json");
        let call = call.header(name, b"\xff\xfe").header("x-other", b"\x80");
        let answer =
            call.body(r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#).await;
        assert_eq!(
            (answer.status, answer.headers["x-odd"].as_bytes()),
            (200, &b"\xff\xfe\xfd"[..])
        );
        let passed = provider.last().headers.get(name).map(|value| value.as_bytes().to_vec());
        let expected = (!name.starts_with("x-warmpath")).then(|| b"\xff\xfe".to_vec());
        assert_eq!(passed, expected, "{name}");
    }
    // Where the plugin looks for text, there may be none.
    for name in ["content-type", "content-encoding", "accept-encoding"] {
        let call = gateway.client().call(Method::POST, "/v1/messages").header(name, b"\xff\xfe");
        assert_eq!(call.body("{}").await.status, 200, "{name}");
        assert_eq!(&*provider.last().body, b"{}");
    }
    let log = gateway.envoy.log();
    assert!(!log.contains("critical") && !log.contains("panicked"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_with_odd_headers_pass() {
    for (name, value) in [
        ("content-type", &b"\xff"[..]),
        ("content-type", b"application/json; charset=\xff"),
        ("content-encoding", b"\xff"),
        ("x-request-id", b"\xff"),
    ] {
        let reply = Reply::new(200, "{\"id\":").header(name, value);
        let (gateway, _provider) = gateway(reply).await;
        let answer = gateway.post(CHAT, &json!({"model": "m", "messages": []})).await;
        assert_eq!((&*answer.text(), answer.headers[name].as_bytes()), ("{\"id\":", value));
        assert!(!gateway.envoy.log().contains("critical"));
    }
}
