//! Hosts that do not hold requests: `allow_on_headers_stop_iteration` is not set, or cannot be.

use std::time::Instant;

use e2e::prompt::Dialect;
use e2e::{Answer, Bootstrap, Conversation, Gateway, eventually};
use serde_json::json;

const FIELD: &str = "allow_on_headers_stop_iteration";
/// Long enough that a request which is held is told from one which is not, on a loaded machine too.
const HOLD_MS: u128 = 4_000;

fn hold() -> Bootstrap {
    Bootstrap::explaining().configure(&format!(r#""limits": {{"hold_ms": {HOLD_MS}}}"#))
}

/// Takes the field away from the route stage, which alone has it at this depth.
fn without_in_route(bootstrap: Bootstrap) -> Bootstrap {
    bootstrap.replace(&format!("\n                {FIELD}: true\n"), "\n")
}

fn without_in_shape(bootstrap: Bootstrap) -> Bootstrap {
    bootstrap.replace(&format!("\n                    {FIELD}: true\n"), "\n")
}

/// Waits until something is in the log, and checks that it is this alone.
async fn one_complaint(gateway: &Gateway) {
    let complaints = eventually(async || match complaints(gateway) {
        none if none.is_empty() => Err("no word of it in the log".into()),
        some => Ok(some),
    })
    .await;
    assert!(complaints.len() == 1 && complaints[0].contains(FIELD), "{complaints:#?}");
}

fn complaints(gateway: &Gateway) -> Vec<String> {
    let log = gateway.envoy.log();
    let errors = log.lines().filter(|line| line.contains("[error]") || line.contains("[critical]"));
    errors.map(String::from).collect()
}

/// Sends a turn and says how long that took.
async fn timed(
    gateway: &Gateway,
    conversation: &Conversation,
    response_id: &str,
) -> (Answer, u128) {
    let start = Instant::now();
    let answer = gateway.send(conversation).header("x-response-id", response_id).await;
    (answer, start.elapsed().as_millis())
}

/// What goes on without any hold: pins that need headers only, ids, usage.
async fn goes_on_without_a_hold(bootstrap: Bootstrap) {
    let gateway = Gateway::start(bootstrap.workers(2)).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1).streaming();
    conversation.ask(2_000);
    let body = conversation.body.to_string();
    let (first, took) = timed(&gateway, &conversation, "none").await;
    assert!(took < HOLD_MS * 10, "nobody hangs: {took} ms");
    for _ in 0..12 {
        let (answer, took) = timed(&gateway, &conversation, &first.id()).await;
        assert!(took < HOLD_MS, "{took} ms");
        assert_eq!(answer.explanation()["by"], "response_id");
        let (upstream, exchange) = gateway.exchange(&answer);
        assert_eq!(upstream, gateway.served(&first));
        assert!(exchange.body == body.as_bytes(), "what is not read is not edited");
    }
    one_complaint(&gateway).await;
    let stats = gateway.envoy.stats().await;
    let read = stats.sum("warmpath_tokens_total", &[("kind", "output")]);
    assert_eq!(read, 13 * 20, "usage is counted");
    let pins = stats.sum("warmpath_exchanges_total", &[("by", "response_id")]);
    // The shape stage leaves alone what the route stage did not read; the first one had been freed.
    assert_eq!((pins, stats.skips("unheld")), (12, 13 + 12));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_hold_in_the_route_stage_nobody_hangs() {
    goes_on_without_a_hold(without_in_route(hold())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_hold_in_both_stages_nobody_hangs() {
    goes_on_without_a_hold(without_in_shape(without_in_route(hold()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_worker_has_waited_for_no_other_waits_for() {
    let gateway = Gateway::start(without_in_route(hold()).workers(2)).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(2_000);
    // A client of its own is a connection of its own, which goes to either worker.
    let took = async || {
        let start = Instant::now();
        let answer = gateway.client().post("/v1/messages", &conversation.body).await;
        assert_eq!(answer.status, 200);
        start.elapsed().as_millis()
    };
    assert!(took().await >= HOLD_MS, "the first one is held until the clock frees it");
    for request in 2..=31 {
        let took = took().await;
        assert!(took < HOLD_MS, "request {request} was held for {took} ms");
    }
    let stats = gateway.envoy.stats().await;
    let asked = stats.connections_of_workers();
    assert!(!asked.contains(&0), "both workers were asked: {asked:?}");
    assert_eq!(
        stats.skips("unheld"),
        31 + 30,
        "the shape stage reads none of those after the first"
    );
    one_complaint(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shape_stage_needs_no_hold_where_the_route_stage_has_read() {
    let gateway = Gateway::start(without_in_shape(hold())).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    for turn in 0..3 {
        let answer = gateway.turn(&mut conversation, 3_000).await;
        let usage = gateway.exchange(&answer).1.usage.expect("usage");
        assert_eq!(usage.read > 0, turn > 0, "{usage:?}");
    }
    assert_eq!(complaints(&gateway), [""; 0]);
    assert_eq!(gateway.envoy.stats().await.sum("warmpath_skips_total", &[]), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_hold_a_lone_shape_stage_leaves_bodies_alone() {
    let gateway = Gateway::start(without_in_shape(hold()).without_stage("route")).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(3_000);
    for round in 0..4 {
        let (answer, took) = timed(&gateway, &conversation, "none").await;
        assert!(took < if round == 0 { HOLD_MS * 10 } else { HOLD_MS }, "{took} ms");
        assert_eq!(gateway.exchange(&answer).1.body, conversation.body.to_string().as_bytes());
    }
    one_complaint(&gateway).await;
    assert_eq!(gateway.envoy.stats().await.skips("unheld"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_hold_answers_are_rewritten_all_the_same() {
    let provider = e2e::Scripted::start(e2e::Reply::json(
        r#"{"id":"x","usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":4,"cache_creation_input_tokens":5}}}"#,
    ))
    .await;
    let qwen = without_in_route(hold()).upstream("openai-a", r#"{"provider": "qwen"}"#);
    let gateway = Gateway::scripted(qwen, &provider).await;
    for _ in 0..3 {
        let chat = gateway.post("/v1/chat/completions", &json!({"model": "m", "messages": []}));
        assert_eq!(chat.await.json()["usage"]["prompt_tokens_details"]["caching_tokens"], 5);
    }
}
