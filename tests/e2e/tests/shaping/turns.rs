//! Whole conversations: every turn reads what the turns before have written, also after it was served elsewhere.

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway};
use serde_json::{Value, json};
use simulator::{Fault, Usage};

use crate::marks;

/// Takes a turn; returns who served it, what the cache did, and what the upstream got.
async fn turn(gateway: &Gateway, conversation: &mut Conversation) -> (String, Usage, Value) {
    let answer = gateway.turn(conversation, 1_000).await;
    let (upstream, exchange) = gateway.exchange(&answer);
    let body = serde_json::from_slice(&exchange.body).expect("JSON");
    (upstream, exchange.usage.expect("usage"), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_turn_reads_what_the_turn_before_has_written() {
    let gateway = Gateway::warm().await;
    for (seed, dialect) in [
        (1, Dialect::Messages),
        (2, Dialect::Messages),
        (3, Dialect::Chat),
        (4, Dialect::Responses),
    ] {
        let mut conversation = Conversation::new(dialect, seed);
        let mut before = 0;
        for number in 0..6 {
            let (upstream, usage, _) = turn(&gateway, &mut conversation).await;
            // Claude reads to the block; OpenAI in steps of 128 tokens.
            assert!(
                usage.read + 128 > before,
                "turn {number} at {upstream}: {usage:?}, {before} were there"
            );
            before = usage.input;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_turns_are_bridged() {
    let gateway = Gateway::warm().await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    turn(&gateway, &mut conversation).await;
    // A turn of more blocks than a provider looks back, as agents take them.
    let turns = conversation.body["messages"].as_array_mut().expect("turns");
    for number in 0..14 {
        let call =
            json!({"type": "tool_use", "id": format!("t{number}"), "name": "tool_1", "input": {}});
        let result =
            json!({"type": "tool_result", "tool_use_id": format!("t{number}"), "content": "done"});
        turns.push(json!({"role": if number == 0 { "user" } else { "assistant" }, "content": if number == 0 { json!("go") } else { json!([call]) }}));
        if number > 0 {
            turns.push(json!({"role": "user", "content": [result]}));
        }
    }
    let (_, first, body) = turn(&gateway, &mut conversation).await;
    assert_eq!(marks(&body).len(), 4);
    let (_, second, _) = turn(&gateway, &mut conversation).await;
    assert!(second.read >= first.input, "{second:?} after {first:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_upstream_gets_its_own_shape_of_what_the_client_wrote() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.body["cache_control"] = json!({"type": "ephemeral", "ttl": "1h"});
    conversation.ask(3_000);
    let send = async |fails: &[&str], id: &str| {
        fails.iter().for_each(|upstream| gateway.providers.fail(upstream, Fault::Status(503)));
        let answer = gateway.send(&conversation).header("x-response-id", id).await;
        fails.iter().for_each(|upstream| gateway.providers.heal(upstream));
        let (upstream, exchange) = gateway.exchange(&answer);
        let body: Value = serde_json::from_slice(&exchange.body).expect("JSON");
        (upstream, marks(&body), answer.id(), exchange.usage.expect("usage"))
    };
    let whole = || vec![" 1h".to_owned()];
    let block = || vec!["/messages/0/content/0 1h".to_owned()];
    let (upstream, marks, id, _) = send(&["anthropic-b", "bedrock-us"], "none").await;
    assert_eq!((&*upstream, marks), ("anthropic-a", whole()));
    let (upstream, marks, ..) = send(&["anthropic-a", "anthropic-b"], &id).await;
    assert_eq!((&*upstream, marks), ("bedrock-us", block()));
    let (upstream, marks, _, usage) = send(&[], &id).await;
    assert_eq!((&*upstream, marks), ("anthropic-a", whole()));
    assert_eq!(usage.read, usage.input, "it is warm at home");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_for_an_hour_is_remembered_for_an_hour() {
    let gateway = Gateway::start(Bootstrap::explaining().steered()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1).marking();
    conversation.body["system"][0]["cache_control"] = json!({"type": "ephemeral", "ttl": "1h"});
    let (_, usage, body) = turn(&gateway, &mut conversation).await;
    assert_eq!(marks(&body)[0], "/system/0 1h");
    assert!(usage.write_1h > 0 && usage.write_5m > 0, "{usage:?}");
    gateway.providers.advance(std::time::Duration::from_secs(360));
    let (_, usage, _) = turn(&gateway, &mut conversation).await;
    assert!(usage.read > 3_000, "{usage:?}");
}
