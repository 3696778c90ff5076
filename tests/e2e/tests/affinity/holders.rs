//! Pins by the prompt itself: who holds its prefix is asked first, and is learned anew when somebody else answers.

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway};
use serde_json::json;
use simulator::Fault;

use crate::{MESSAGES, pinned, why};

async fn by_prefix(gateway: &Gateway, conversation: &mut Conversation) -> String {
    let answer = gateway.turn(conversation, 1_000).await;
    assert_eq!(answer.explanation()["by"], "prefix");
    gateway.served(&answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_turn_but_the_first_is_warm() {
    let gateway = Gateway::start(Bootstrap::shipped().workers(2)).await;
    let mut conversations: Vec<Conversation> = (0..8)
        .map(|seed| match seed % 4 {
            0 => Conversation::new(Dialect::Messages, seed),
            1 => Conversation::new(Dialect::Messages, seed).streaming(),
            2 => Conversation::new(Dialect::Messages, seed).marking(),
            _ => Conversation::new(Dialect::Chat, seed).streaming(),
        })
        .collect();
    let (mut follow_ups, mut warm) = (0, 0);
    for turn in 0..6 {
        for conversation in &mut conversations {
            // No header says anything of the conversation.
            let answer = gateway.turn(conversation, 1_500).await;
            let usage = gateway.exchange(&answer).1.usage.expect("usage");
            if turn > 0 {
                follow_ups += 1;
                // All but what is new, which is the last turn and what was just asked.
                warm += u32::from(usage.read + 1_000 > usage.input);
            }
        }
    }
    assert_eq!(warm, follow_ups);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_all_have_in_common_pins_nobody() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    let mut homes = std::collections::BTreeSet::new();
    for seed in 0..12 {
        // The same tools and instructions each time.
        let mut conversation = Conversation::new(Dialect::Messages, seed);
        let answer = gateway.turn(&mut conversation, 1_000).await;
        assert_eq!(answer.explanation()["by"], "none");
        homes.insert(gateway.served(&answer));
    }
    assert!(homes.len() > 1, "all are at {homes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_stays_where_it_was_moved_to() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(3_000);
    let mut branch = conversation.clone();
    let first = gateway.send(&conversation).await;
    let home = gateway.served(&first);
    conversation.hear(&first);
    gateway.providers.fail(&home, Fault::Status(503));
    let other = by_prefix(&gateway, &mut conversation).await;
    gateway.providers.heal(&home);
    assert_ne!(other, home);
    for _ in 0..3 {
        assert_eq!(by_prefix(&gateway, &mut conversation).await, other);
    }
    let moved = gateway.envoy.stats().await.sum("warmpath_pins_total", &[("outcome", "moved")]);
    assert_eq!(moved, 1);
    // Who asks on from what only home was asked goes home.
    let answer = gateway.turn(&mut branch, 700).await;
    assert_eq!((&*answer.explanation()["by"], gateway.served(&answer)), ("prefix", home));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_grows_stays_where_it_was_moved_to() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    // All that was said is in one message, whose end no follow-up shares.
    let ask = async |words: usize| {
        let said = "word ".repeat(words);
        let messages = json!([{"role": "user", "content": said}]);
        let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 8, "messages": messages});
        why(&gateway.post(MESSAGES, &body).await)
    };
    let (_, home) = ask(2_000).await;
    gateway.providers.fail(&home, Fault::Status(503));
    let (by, other) = ask(2_100).await;
    gateway.providers.heal(&home);
    assert_eq!(by, "prefix");
    assert_ne!(other, home);
    for words in [2_200, 2_300] {
        assert_eq!(ask(words).await, pinned("prefix", &other));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_leads_home_after_a_move() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    let first = gateway.turn(&mut conversation, 3_000).await;
    let home = gateway.served(&first);
    conversation.ask(1_000);
    gateway.providers.fail(&home, Fault::Status(529));
    let second = gateway.send(&conversation).header("x-response-id", first.id()).await;
    gateway.providers.heal(&home);
    assert_ne!(gateway.served(&second), home);
    for (id, upstream) in [(first.id(), home), (second.id(), gateway.served(&second))] {
        let answer = gateway.send(&conversation).header("x-response-id", id).await;
        assert_eq!(answer.explanation()["by"], "response_id");
        assert_eq!(gateway.served(&answer), upstream, "an id stays where its answer was made");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_no_good_teaches_nothing() {
    let gateway = Gateway::start(Bootstrap::explaining().steered()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(3_000);
    for status in [400, 401, 429, 500, 529] {
        gateway.providers.fail("bedrock-us", Fault::Status(status));
        let refused = gateway
            .send(&conversation)
            .header("upstream", "bedrock-us")
            .header("x-session-id", "s");
        let refused = refused.await;
        assert_eq!((refused.status, refused.header("x-warmpath-request-id")), (status, None));
    }
    let answer = gateway.send(&conversation).header("x-session-id", "s").await;
    assert_eq!(answer.explanation()["by"], "none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cached_nothing_holds_nothing() {
    let gateway = Gateway::start(
        Bootstrap::explaining().upstream("bedrock-us", r#"{"provider": "bedrock"}"#).steered(),
    )
    .await;
    // Nobody marks anything here, and this provider then caches nothing, as it says.
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(3_000);
    let answer = gateway.send(&conversation).header("upstream", "bedrock-us").await;
    assert_eq!(answer.usage()["cache_creation_input_tokens"], json!(0));
    conversation.hear(&answer);
    conversation.ask(100);
    let next = gateway.send(&conversation).header("upstream", "anthropic-a").await;
    assert_eq!(next.explanation()["by"], "none");
    conversation.hear(&next);
    conversation.ask(100);
    assert_eq!(gateway.send(&conversation).await.explanation()["by"], "prefix");
}
