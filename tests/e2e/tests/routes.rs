//! Where the shipped routes send requests, by the headers that the route stage sets. Plain Envoy: the headers come from here.

use std::collections::BTreeMap;

use e2e::prompt::Dialect;
use e2e::{Conversation, Gateway};

fn conversation(dialect: Dialect) -> Conversation {
    let mut conversation = Conversation::new(dialect, 1);
    conversation.ask(400);
    conversation
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_is_followed() {
    let gateway = Gateway::plain().await;
    let hello = conversation(Dialect::Messages);
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us"] {
        for path in
            ["/v1/messages", "/v1/messages?beta=true", "/v1/messages/", "/anthropic/v1/messages"]
        {
            let answer =
                gateway.post(path, &hello.body).header("x-warmpath-upstream", upstream).await;
            assert_eq!(gateway.served(&answer), upstream, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chat_and_responses_go_where_they_are_spoken() {
    let gateway = Gateway::plain().await;
    for dialect in [Dialect::Chat, Dialect::Responses] {
        let answer = gateway.send(&conversation(dialect)).await;
        assert_eq!(gateway.served(&answer), "openai-a");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_pin_is_followed_on_every_path() {
    let gateway = Gateway::plain().await;
    for upstream in ["anthropic-b", "openai-a"] {
        let pinned = gateway
            .get("/v1/files/file_1")
            .header("x-warmpath-upstream", upstream)
            .header("x-warmpath-hard", "1");
        pinned.await;
        assert_eq!(gateway.statuses()[upstream].len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hash_spreads_by_weight_and_says_the_same_on_every_envoy() {
    let (one, other) = (Gateway::plain().await, Gateway::plain().await);
    let hello = conversation(Dialect::Messages);
    let mut shares: BTreeMap<String, u32> = BTreeMap::new();
    for hash in (0..u32::MAX).step_by(u32::MAX as usize / 99) {
        let mut served = Vec::new();
        for gateway in [&one, &other] {
            let answer = gateway.send(&hello).header("x-warmpath-hash", hash.to_string()).await;
            served.push(gateway.served(&answer));
        }
        assert_eq!(served[0], served[1]);
        *shares.entry(served.remove(0)).or_default() += 1;
    }
    let share = |upstream: &str| shares[upstream];
    assert!(
        (30..=50).contains(&share("anthropic-a")) && (30..=50).contains(&share("anthropic-b")),
        "{shares:?}"
    );
    assert!((10..=30).contains(&share("bedrock-us")), "{shares:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_see_nothing_of_the_client_s_address_nor_of_envoy() {
    let gateway = Gateway::plain().await;
    let answer =
        gateway.send(&conversation(Dialect::Messages)).header("x-forwarded-for", "192.0.2.1").await;
    let received = gateway.providers.received(&gateway.served(&answer));
    let names: Vec<&str> = received[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(
        !names.iter().any(|name| name.starts_with("x-envoy") || *name == "x-forwarded-for"),
        "{names:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_id_of_the_client_reaches_the_provider() {
    let gateway = Gateway::plain().await;
    let answer =
        gateway.send(&conversation(Dialect::Messages)).header("x-request-id", "trace-1").await;
    let received = gateway.providers.received(&gateway.served(&answer));
    assert_eq!(received[0].header("x-request-id"), Some("trace-1".as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_prompts_pass() {
    let gateway = Gateway::plain().await;
    let mut long = Conversation::new(Dialect::Messages, 2);
    // Above Envoy's default of 1 MiB per connection.
    long.ask(3 << 20);
    assert_eq!(gateway.send(&long).await.status, 200);
}
