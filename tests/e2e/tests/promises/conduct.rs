//! Conduct: the choice is the same for the same request, and whatever an upstream does, its requests are answered.

use std::sync::Arc;

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway};
use simulator::{Fault, Pace};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn same_inputs_same_choice() {
    // Nothing is shared between the two but their configuration, and in one there are two workers.
    let one = Gateway::start(Bootstrap::shipped()).await;
    let other = one.beside(Bootstrap::shipped().workers(2)).await;
    let mut spread = std::collections::BTreeSet::new();
    for seed in 0..12 {
        let mut conversation = Conversation::new(Dialect::Messages, seed);
        conversation.ask(300);
        let mut choices = Vec::new();
        for gateway in [&one, &other, &other] {
            let answer = gateway.client().post("/v1/messages", &conversation.body);
            let answer = answer.header("x-warmpath-affinity", "off").await;
            choices.push(one.served(&answer));
        }
        assert!(choices.iter().all(|choice| *choice == choices[0]), "{choices:?}");
        spread.extend(choices);
    }
    assert!(spread.len() > 1, "all conversations went to {spread:?}");
}

/// Conversations that have begun, all with the same home; `first` is the seed of the first that is tried.
async fn begun(gateway: &Gateway, home: &str, first: u64, count: usize) -> Vec<Conversation> {
    let mut at_home = Vec::new();
    for seed in first.. {
        let mut conversation = Conversation::new(Dialect::Messages, seed);
        let answer = gateway.turn(&mut conversation, 1_000).await;
        if gateway.served(&answer) == home {
            at_home.push(conversation);
        }
        if at_home.len() == count {
            break;
        }
    }
    at_home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_upstream_costs_no_request() {
    let soon =
        Bootstrap::explaining().replace("per_try_idle_timeout: 300s", "per_try_idle_timeout: 3s");
    let gateway = Arc::new(Gateway::start(soon.workers(2)).await);
    let home = "anthropic-a";
    let statuses = [429, 500, 502, 503, 504, 529].map(Fault::Status);
    let others = [Fault::Reset, Fault::Refused, Fault::Stall];
    for (round, fault) in (1..).zip(statuses.into_iter().chain(others)) {
        let conversations = begun(&gateway, home, round * 1_000, 8).await;
        gateway.providers.fail(home, fault);
        let mut turns = JoinSet::new();
        for mut conversation in conversations {
            let gateway = gateway.clone();
            turns.spawn(async move {
                conversation.ask(1_000);
                let answer = gateway.client().post("/v1/messages", &conversation.body).await;
                assert_ne!(gateway.served(&answer), home);
                answer
            });
        }
        while let Some(answer) = turns.join_next().await {
            let answer = answer.expect("an answer");
            assert_eq!(answer.status, 200, "{fault}: {}", answer.text());
            assert_eq!(answer.explanation()["pinned"], home, "{fault}");
        }
        gateway.providers.heal(home);
    }
    let moved = gateway.envoy.stats().await.sum("warmpath_pins_total", &[("outcome", "moved")]);
    assert_eq!(moved, 9 * 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_dies_while_others_answer_costs_only_what_it_had_begun() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    let mut conversation = begun(&gateway, "anthropic-b", 1, 1).await.remove(0).streaming();
    conversation.ask(1_000);
    let slow = Pace { gap: std::time::Duration::from_millis(50), events: 100, ..Pace::default() };
    gateway.providers.pace("anthropic-b", slow);
    let mut stream = gateway.send(&conversation).open().await.expect("an answer that begins");
    stream.next().await.expect("an event");
    gateway.providers.fail("anthropic-b", Fault::Refused);
    // What has begun cannot be repeated; all that comes after goes elsewhere.
    let cut = loop {
        match stream.next().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert!(cut.is_err(), "a cut answer must not look whole");
    let again = gateway.send(&conversation).await;
    assert_ne!(gateway.served(&again), "anthropic-b");
    assert_eq!(again.explanation()["pinned"], "anthropic-b");
}
