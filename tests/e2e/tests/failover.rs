//! What the shipped routes do when an upstream fails. Plain Envoy: the pin comes from here.

use e2e::prompt::Dialect;
use e2e::{Answer, Bootstrap, Conversation, Gateway};
use simulator::Fault;

fn hello() -> Conversation {
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(400);
    conversation
}

async fn pinned(gateway: &Gateway, conversation: &Conversation, upstream: &str) -> Answer {
    gateway.send(conversation).header("x-warmpath-upstream", upstream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_survives_every_way_to_fail() {
    let (gateway, hello) = (Gateway::plain().await, hello());
    let statuses = [429, 500, 502, 503, 504, 529].map(Fault::Status);
    for fault in statuses.into_iter().chain([Fault::Reset, Fault::Refused]) {
        gateway.providers.fail("anthropic-a", fault);
        let answer = pinned(&gateway, &hello, "anthropic-a").await;
        assert_eq!(answer.status, 200, "{fault}");
        assert_ne!(gateway.served(&answer), "anthropic-a", "{fault}");
        gateway.providers.heal("anthropic-a");
        let answer = pinned(&gateway, &hello, "anthropic-a").await;
        assert_eq!(gateway.served(&answer), "anthropic-a", "healed of {fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_survives_an_upstream_that_stalls() {
    // Minutes in the shipped file; long enough here that a loaded machine does not look like a stall.
    let soon =
        Bootstrap::shipped().replace("per_try_idle_timeout: 300s", "per_try_idle_timeout: 2s");
    let (gateway, hello) = (Gateway::start(soon.without_plugin()).await, hello());
    gateway.providers.fail("anthropic-a", Fault::Stall);
    let answer = pinned(&gateway, &hello, "anthropic-a").await;
    assert_ne!(gateway.served(&answer), "anthropic-a");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_upstream_is_tried_twice() {
    let (gateway, hello) = (Gateway::plain().await, hello());
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us"] {
        gateway.providers.fail(upstream, Fault::Status(503));
    }
    assert_eq!(pinned(&gateway, &hello, "bedrock-us").await.status, 503);
    let statuses = gateway.statuses();
    assert!(
        ["anthropic-a", "anthropic-b", "bedrock-us"]
            .iter()
            .all(|upstream| statuses[*upstream] == [503]),
        "{statuses:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_s_own_mistake_is_not_tried_elsewhere() {
    let (gateway, hello) = (Gateway::plain().await, hello());
    gateway.providers.fail("anthropic-a", Fault::Status(400));
    assert_eq!(pinned(&gateway, &hello, "anthropic-a").await.status, 400);
    let statuses = gateway.statuses();
    assert!(
        statuses["anthropic-b"].is_empty() && statuses["bedrock-us"].is_empty(),
        "{statuses:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_fails_over_to_the_same_upstream_on_every_envoy() {
    let (one, other, hello) = (Gateway::plain().await, Gateway::plain().await, hello());
    for hash in 0..40 {
        let mut served = Vec::new();
        for gateway in [&one, &other] {
            gateway.providers.fail("anthropic-a", Fault::Status(503));
            let answer = gateway.send(&hello).header("x-warmpath-hash", hash.to_string()).await;
            served.push(gateway.served(&answer));
        }
        assert_eq!(served[0], served[1], "hash {hash}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_pin_goes_nowhere_else() {
    let (gateway, hello) = (Gateway::plain().await, hello());
    for fault in [Fault::Status(503), Fault::Refused] {
        gateway.providers.fail("anthropic-a", fault);
        let answer = gateway
            .send(&hello)
            .header("x-warmpath-upstream", "anthropic-a")
            .header("x-warmpath-hard", "1")
            .await;
        assert_eq!(answer.status, 503, "{fault}");
    }
    let statuses = gateway.statuses();
    assert!(
        statuses["anthropic-b"].is_empty() && statuses["bedrock-us"].is_empty(),
        "{statuses:?}"
    );
}
