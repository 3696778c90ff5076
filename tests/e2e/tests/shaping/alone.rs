//! One stage without the other, and both in one filter.

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway, Reply, Scripted};
use serde_json::{Value, json};
use simulator::Fault;

use crate::{CHAT, marks};

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_shape_stage_reads_by_itself() {
    let gateway = Gateway::start(Bootstrap::shipped().without_stage("route").steered()).await;
    for upstream in ["anthropic-a", "bedrock-us"] {
        let mut conversation = Conversation::new(Dialect::Messages, 1);
        conversation.body["cache_control"] = json!({"type": "ephemeral"});
        let mut shaped = Vec::new();
        for (http2, chunked) in [(false, false), (true, false), (true, true)] {
            conversation.ask(5_000);
            let client = if http2 { gateway.http2() } else { gateway.client() };
            let call =
                client.post(conversation.path(), &conversation.body).header("upstream", upstream);
            let call = if chunked { call.trailer("x-end", "1") } else { call };
            conversation.hear(&call.await);
            let received = gateway.providers.received(upstream).pop().expect("a request");
            let length = received.header("content-length").map(|value| value.to_vec());
            assert_eq!(length, Some(received.body.len().to_string().into_bytes()));
            let body: Value = serde_json::from_slice(&received.body).expect("JSON");
            shaped.push(marks(&body));
        }
        let expected = if upstream == "anthropic-a" { [""; 3] } else { ["0", "2", "4"] };
        for (marks, expected) in shaped.iter().zip(expected) {
            let place = format!("/messages/{expected}/content/0");
            assert_eq!(*marks, [if expected.is_empty() { "" } else { &*place }], "{upstream}");
        }
    }
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_skips_total", &[]), 0);
    assert_eq!(stats.sum("warmpath_edits_total", &[("kind", "top_level")]), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_shape_stage_tells_the_length_of_each_attempt() {
    let soon = Bootstrap::shipped()
        .replace("per_try_idle_timeout: 300s", "per_try_idle_timeout: 5s")
        .without_stage("route");
    let gateway = Gateway::start(soon).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1).marking();
    conversation.body["cache_control"] = json!({"type": "ephemeral"});
    conversation.ask(5_000);
    for (first, others) in [
        ("bedrock-us", ["anthropic-a", "anthropic-b"]),
        ("anthropic-a", ["anthropic-b", "bedrock-us"]),
    ] {
        gateway.providers.fail(first, Fault::Status(503));
        // Nobody takes the header away, so that the client itself says where to begin.
        let answer = gateway.send(&conversation).header("x-warmpath-upstream", first).await;
        assert_eq!(answer.status, 200, "{first}: {}", answer.text());
        let (upstream, exchange) = gateway.exchange(&answer);
        assert!(others.contains(&&*upstream), "{upstream}");
        let length = exchange.header("content-length").map(|value| value.to_vec());
        assert_eq!(length, Some(exchange.body.len().to_string().into_bytes()));
        gateway.providers.heal(first);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_shape_stage_asks_for_no_usage_that_nobody_would_take_out_again() {
    let gateway = Gateway::start(Bootstrap::shipped().without_stage("route")).await;
    let chat = json!({"model": "gpt-5.1", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let answer = gateway.post(CHAT, &chat).await;
    assert!(!answer.text().contains("prompt_tokens"), "{}", answer.text());
    let unknown = gateway.post("/v1/models", &json!({})).header("x-warmpath-upstream", "x").await;
    assert_eq!(unknown.status, 404);
    let received = gateway.providers.received("openai-a").pop().expect("a request");
    assert_eq!(received.header("x-warmpath-upstream"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_route_stage_pins_and_counts_and_edits_nothing() {
    let gateway = Gateway::start(Bootstrap::explaining().without_stage("shape")).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1).marking();
    for turn in 0..3 {
        let answer = gateway.turn(&mut conversation, 1_000).await;
        let by = answer.explanation()["by"].clone();
        assert_eq!(by, if turn == 0 { "none" } else { "prefix" });
    }
    let received = ["anthropic-a", "anthropic-b", "bedrock-us"]
        .map(|upstream| gateway.providers.received(upstream));
    for exchange in received.iter().flatten() {
        let marks = String::from_utf8_lossy(&exchange.body).matches("cache_control").count();
        assert_eq!(marks, 2);
    }
}

/// The shipped bootstrap with one filter that does both. Where a route's cluster has members, one of them is chosen after this
/// filter: too late to shape for it. So these are clusters of one provider each, also where retries cannot go to another.
fn both() -> Bootstrap {
    const REFRESH: &str = "                refresh_cluster_on_retry: true\n";
    let bootstrap = Bootstrap::shipped_file("envoy.yaml").configure(r#""explain": true"#);
    let bootstrap = if e2e::versions::REFRESHED_RETRIES.applies() {
        bootstrap
    } else {
        bootstrap.replace(REFRESH, "")
    };
    bootstrap
        .without_stage("shape")
        .replace(r#""stage": "route""#, r#""stage": "both""#)
        .replace(
            "request_headers_to_remove: [x-forwarded-for,",
            "request_headers_to_remove: [x-warmpath-upstream, x-warmpath-hard, x-warmpath-hash, x-warmpath-model, x-warmpath-dialect, x-forwarded-for,",
        )
}

#[tokio::test(flavor = "multi_thread")]
async fn one_filter_can_do_both() {
    let gateway = Gateway::start(both()).await;
    for (seed, dialect) in [(1, Dialect::Messages), (2, Dialect::Messages), (3, Dialect::Chat)] {
        let mut conversation = Conversation::new(dialect, seed);
        for turn in 0..4 {
            let answer = gateway.turn(&mut conversation, 3_000).await;
            let (upstream, exchange) = gateway.exchange(&answer);
            // The first turn reads the tools, too, where another conversation has left them.
            let read = exchange.usage.expect("usage").read;
            assert!(turn == 0 || read > 0, "{upstream}, turn {turn}");
            let length = exchange.header("content-length").map(|value| value.to_vec());
            assert_eq!(length, Some(exchange.body.len().to_string().into_bytes()));
            let ours = exchange.headers.iter().find(|(name, _)| name.starts_with("x-warmpath"));
            assert_eq!(ours, None);
            let explanation = answer.explanation();
            let edit = if dialect == Dialect::Chat { "cache_key" } else { "inject" };
            assert_eq!((&*explanation["upstream"], &*explanation["edits"]), (&*upstream, edit));
            assert_eq!(explanation["by"] == "prefix", turn > 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_filter_shapes_for_the_upstream_that_it_pins() {
    let gateway = Gateway::start(both()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.body["cache_control"] = json!({"type": "ephemeral"});
    for seed in 0..6 {
        let mut conversation = Conversation::new(Dialect::Messages, seed);
        conversation.body["cache_control"] = json!({"type": "ephemeral"});
        for _ in 0..2 {
            conversation.ask(3_000);
            let client = gateway.http2();
            let call = client.post(conversation.path(), &conversation.body).trailer("x-end", "1");
            let answer = call.await;
            conversation.hear(&answer);
            let (upstream, exchange) = gateway.exchange(&answer);
            let body: Value = serde_json::from_slice(&exchange.body).expect("JSON");
            assert_eq!(body.get("cache_control").is_some(), upstream != "bedrock-us", "{upstream}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_filter_rewrites_answers() {
    let provider = Scripted::start(Reply::json(
        r#"{"id":"x","usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":4,"cache_creation_input_tokens":5}}}"#,
    ))
    .await;
    let gateway =
        Gateway::scripted(both().upstream("openai-a", r#"{"provider": "qwen"}"#), &provider).await;
    let chat = json!({"model": "m", "messages": []});
    let answer = gateway.post(CHAT, &chat).await;
    assert_eq!(answer.json()["usage"]["prompt_tokens_details"]["caching_tokens"], 5);
    // The chunk that was asked for here does not reach the client.
    provider.say(Reply::events("data: {\"id\":\"x\",\"choices\":[{\"delta\":{}}]}\n\ndata: {\"id\":\"x\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}\n\ndata: [DONE]\n\n"));
    let stream = json!({"model": "m", "messages": [], "stream": true});
    let answer = gateway.post(CHAT, &stream).await;
    assert_eq!(
        provider.last().body,
        r#"{"stream_options":{"include_usage":true},"model":"m","messages":[],"stream":true}"#
    );
    assert_eq!(
        answer.text(),
        "data: {\"id\":\"x\",\"choices\":[{\"delta\":{}}]}\n\ndata: [DONE]\n\n"
    );
}
