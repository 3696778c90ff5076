//! Bedrock: a signature over the body that is really sent.

use serde_json::Value;

use super::*;

fn newest(providers: &Providers) -> Exchange {
    providers.received("bedrock-us").pop().expect("a request")
}

fn verified(exchange: &Exchange) -> Result<(), String> {
    sigv4::verify(exchange, AWS_ID, AWS_SECRET)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signature_covers_the_shaped_body() {
    let providers = Providers::start().await;
    let mut conversation = providers.warm_at("bedrock-us", &MESSAGES, Dialect::Messages).await;
    assert_eq!(providers.turn(&mut conversation).await, "bedrock-us");
    let exchange = newest(&providers);
    assert_ne!(exchange.body, conversation.body.to_string().as_bytes());
    let body: Value = serde_json::from_slice(&exchange.body).expect("JSON");
    let text = body.to_string();
    assert!(text.contains("cache_control"), "marks were set");
    assert!(
        body["model"].as_str().is_some_and(|model| model.starts_with("us.anthropic.")),
        "{}",
        body["model"]
    );
    assert_eq!(verified(&exchange), Ok(()));

    // And a signature that fits anything would not be worth looking at.
    let mut changed = exchange.clone();
    changed.body[10] ^= 1;
    assert!(verified(&changed).is_err());
    let mut elsewhere = exchange.clone();
    elsewhere.path.push_str("?beta=true");
    assert!(verified(&elsewhere).is_err());
    assert!(sigv4::verify(&exchange, AWS_ID, "another secret").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_so_after_an_attempt_at_another_provider() {
    let providers = Providers::start().await;
    providers.gateway.providers.fail("anthropic-a", Fault::Status(503));
    providers.gateway.providers.fail("anthropic-b", Fault::Status(503));
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(2_000);
    let answer = providers.send(&conversation).header("x-test", "1").await;
    assert_eq!(providers.gateway.served(&answer), "bedrock-us");
    assert_eq!(verified(&newest(&providers)), Ok(()));
    let failed = providers.received("anthropic-a").len() + providers.received("anthropic-b").len();
    assert_eq!(attempts(&answer), (failed + 1).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_covers_long_bodies_and_streams() {
    let providers = Providers::start().await;
    let mut conversation = providers.warm_at("bedrock-us", &MESSAGES, Dialect::Messages).await;
    conversation.ask(6 << 20);
    let answer = providers.send(&conversation).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    conversation.hear(&answer);
    let exchange = newest(&providers);
    assert!(exchange.body.len() > 6 << 20);
    assert_eq!(verified(&exchange), Ok(()));

    let mut streaming = conversation.streaming();
    assert_eq!(providers.turn(&mut streaming).await, "bedrock-us");
    assert_eq!(verified(&newest(&providers)), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_covers_what_is_sent_in_pieces() {
    let providers = Providers::start().await;
    let mut conversation = providers.warm_at("bedrock-us", &MESSAGES, Dialect::Messages).await;
    conversation.ask(100_000);
    let call = providers.send(&conversation);
    let (call, pen) = call.by_hand();
    for piece in conversation.body.to_string().as_bytes().chunks(10_000) {
        pen.write(piece.to_vec());
    }
    drop(pen);
    assert_eq!(call.await.status, 200);
    assert_eq!(verified(&newest(&providers)), Ok(()));
}
