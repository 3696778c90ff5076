//! Attempts: each has an instance of the shape stage and the client's body of its own, but all share the headers.

use e2e::prompt::{Dialect, text};
use e2e::{Bootstrap, Conversation, Gateway, Reply, Scripted};
use serde_json::{Value, json};
use simulator::Fault;

const CHAT: &str = "/v1/chat/completions";

/// Two providers for chat: the second is asked when the first fails.
async fn two_for_chat(first: &str, second: &str) -> (Gateway, Scripted, Scripted) {
    let (one, other) =
        (Scripted::start(Reply::json("{}")).await, Scripted::start(Reply::json("{}")).await);
    let bootstrap = Bootstrap::explaining()
        .failing_over(&["openai-a", "anthropic-b"])
        .upstream("openai-a", first)
        .upstream("anthropic-b", second)
        .point("openai-a", one.address())
        .point("anthropic-b", other.address());
    (Gateway::start(bootstrap).await, one, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_shapes_the_body_of_the_client() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.body["cache_control"] = json!({"type": "ephemeral", "ttl": "1h"});
    conversation.body["system"][0]["cache_control"] =
        json!({"type": "ephemeral", "ttl": "1h", "scope": "global"});
    conversation.ask(3_000);
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us"] {
        gateway.providers.fail(upstream, Fault::Status(503));
    }
    let answer = gateway
        .send(&conversation)
        .header("anthropic-beta", "prompt-caching-scope-2026-01-05")
        .await;
    assert_eq!((answer.status, &*answer.explanation()["attempts"]), (503, "3"));
    for (upstream, top, scope) in
        [("anthropic-a", true, true), ("anthropic-b", true, true), ("bedrock-us", false, false)]
    {
        let received = gateway.providers.received(upstream);
        assert_eq!(received.len(), 1);
        let length = received[0].header("content-length").map(|value| value.to_vec());
        assert_eq!(length, Some(received[0].body.len().to_string().into_bytes()));
        let body: Value = serde_json::from_slice(&received[0].body).expect("JSON");
        assert_eq!(body.get("cache_control").is_some(), top, "{upstream}");
        assert_eq!(body["system"][0]["cache_control"].get("scope").is_some(), scope, "{upstream}");
        let last = body["messages"][0]["content"][0].get("cache_control").is_some();
        assert_eq!(last, !top, "{upstream}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_body_can_be_repeated() {
    let gateway = Gateway::warm().await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(7_000_000);
    gateway.providers.fail("anthropic-a", Fault::Reset);
    gateway.providers.fail("anthropic-b", Fault::Reset);
    let answer = gateway.send(&conversation).await;
    let (upstream, exchange) = gateway.exchange(&answer);
    assert_eq!(upstream, "bedrock-us");
    assert!(exchange.usage.expect("usage").write > 1_700_000, "all of it was marked and written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_added_for_one_attempt_does_not_reach_the_next() {
    let fireworks = r#"{"provider": "fireworks", "cache_key": "set"}"#;
    let (gateway, one, other) = two_for_chat(fireworks, r#"{"provider": "groq"}"#).await;
    one.say(Reply::new(503, ""));
    let body = json!({"model": "m", "messages": [{"role": "user", "content": text(1, 100)}]});
    assert_eq!(gateway.post(CHAT, &body).await.status, 200);
    assert!(
        one.last().headers["x-session-affinity"].to_str().expect("text").starts_with("warmpath-")
    );
    assert!(!other.last().headers.contains_key("x-session-affinity"));
    // One that the client sent is the client's.
    let own = gateway.post(CHAT, &body).header("x-session-affinity", "own").await;
    assert_eq!(own.status, 200);
    for provider in [one, other] {
        assert_eq!(provider.last().headers["x-session-affinity"], "own");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_added_again_is_the_same() {
    let (fireworks, xai) = (
        r#"{"provider": "fireworks", "cache_key": "set"}"#,
        r#"{"provider": "xai", "cache_key": "set"}"#,
    );
    let (gateway, one, other) = two_for_chat(fireworks, xai).await;
    one.say(Reply::new(529, ""));
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let mut keys = Vec::new();
    for _ in 0..2 {
        assert_eq!(gateway.post(CHAT, &body).header("x-session-id", "s").await.status, 200);
        keys.push(one.last().headers["x-session-affinity"].clone());
        keys.push(other.last().headers["x-grok-conv-id"].clone());
        assert!(!other.last().headers.contains_key("x-session-affinity"));
    }
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_bytes_of_a_body_are_replaced() {
    let provider = Scripted::start(Reply::json("{}")).await;
    let models = r#"{"provider": "openai", "models": {"m": "a-much-longer-name-of-a-model"}}"#;
    let gateway =
        Gateway::scripted(Bootstrap::shipped().upstream("openai-a", models), &provider).await;
    let rest =
        format!(r#","messages":[{{"role":"user","content":"{}"}}]}}"#, "x".repeat(6_000_000));
    let call = gateway.post(CHAT, &Value::Null).body(format!(r#"{{"model":"m"{rest}"#));
    assert_eq!(call.await.status, 200);
    let expected = format!(r#"{{"model":"a-much-longer-name-of-a-model"{rest}"#);
    assert!(provider.last().body == expected);
}
