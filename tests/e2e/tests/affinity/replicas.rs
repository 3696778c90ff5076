//! Several workers, several Envoys, and an Envoy that gets a new configuration.

use std::sync::Arc;

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Client, Conversation, Gateway, Reply, Scripted, eventually};
use serde_json::json;
use tokio::task::JoinSet;

const SECRETS: &str = r#""affinity": {"prefix": false, "secrets": ["a secret of sixteen bytes", "and the one before it"]}"#;

const UPSTREAMS: [&str; 3] = ["anthropic-a", "anthropic-b", "bedrock-us"];

fn shared(affinity: &str) -> Bootstrap {
    Bootstrap::explaining().configure(affinity).steered()
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_share_one_memory() {
    let provider = Scripted::start(Reply::json("{}")).await;
    let two = Bootstrap::explaining().workers(2).steered();
    let gateway = Gateway::scripted(two, &provider).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(500);
    gateway.send(&conversation).header("upstream", "bedrock-us").await;
    // A client of its own is a connection of its own, which goes to either worker.
    for _ in 0..30 {
        let answer = gateway.client().post("/v1/messages", &conversation.body).await;
        let explanation = answer.explanation();
        assert_eq!((&*explanation["by"], &*explanation["upstream"]), ("prefix", "bedrock-us"));
    }
    let asked = gateway.envoy.stats().await.connections_of_workers();
    assert!(!asked.contains(&0), "both workers were asked: {asked:?}");
}

/// How many learn at a time, how many sessions each has, and how often all of them move.
const LEARNERS: usize = 8;
const SESSIONS: usize = 16;
const ROUNDS: usize = 6;

/// Workers that learn at a time write the same slots; none undoes what another wrote.
#[tokio::test(flavor = "multi_thread")]
async fn what_two_workers_learn_at_a_time_is_all_remembered() {
    let provider = Scripted::start(Reply::json("{}")).await;
    // As few slots as there may be. They have room for all, so that nothing has to leave.
    let few = Bootstrap::explaining()
        .configure(r#""affinity": {"prefix": false, "entries": 1024}"#)
        .workers(2)
        .steered();
    let gateway = Arc::new(Gateway::scripted(few, &provider).await);
    let mut learners = JoinSet::new();
    for learner in 0..LEARNERS {
        let gateway = gateway.clone();
        learners.spawn(async move {
            let client = gateway.client();
            let ask = |session: usize| {
                let own = format!("{learner}-{session}");
                let body = json!({"model": "m", "messages": []});
                // One that all have is written all the time.
                let call = client.post("/v1/messages", &body).header("session-id", own);
                call.header("x-session-id", "of everybody")
            };
            for round in 0..ROUNDS {
                for session in 0..SESSIONS {
                    let upstream = UPSTREAMS[(round + session) % UPSTREAMS.len()];
                    assert_eq!(ask(session).header("upstream", upstream).await.status, 200);
                }
            }
            for session in 0..SESSIONS {
                let explanation = ask(session).await.explanation();
                let last = UPSTREAMS[(ROUNDS - 1 + session) % UPSTREAMS.len()];
                assert_eq!((&*explanation["by"], &*explanation["pinned"]), ("session", last));
            }
        });
    }
    learners.join_all().await;
    let stats = gateway.envoy.stats().await;
    let events = |event| stats.sum("warmpath_table_total", &[("event", event)]);
    assert_eq!((events("evicted"), events("expired")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issued_id_is_read_by_every_envoy_with_the_secret() {
    let one = Gateway::start(shared(SECRETS)).await;
    let same = one.beside(shared(SECRETS)).await;
    // Secrets are changed one by one: what the old one signed is still read.
    let next = r#""affinity": {"prefix": false, "secrets": ["the next secret, also long", "a secret of sixteen bytes"]}"#;
    let newer = one.beside(shared(next)).await;
    let foreign = one
        .beside(shared(
            r#""affinity": {"prefix": false, "secrets": ["another secret altogether"]}"#,
        ))
        .await;
    let alone = one.beside(shared(r#""affinity": {"prefix": false}"#)).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(500);
    let send = |gateway: &Gateway| gateway.send(&conversation).header("x-api-key", "one");
    for upstream in UPSTREAMS {
        let first = send(&one).header("upstream", upstream).await;
        let id = first.header("x-warmpath-request-id").expect("an issued id");
        for (name, gateway, is_read) in [
            ("one", &one, true),
            ("same", &same, true),
            ("newer", &newer, true),
            ("foreign", &foreign, false),
            ("alone", &alone, false),
        ] {
            let answer = send(gateway).header("x-request-id", id).await;
            let by = answer.explanation()["by"].clone();
            assert_eq!(by, if is_read { "request_id" } else { "none" }, "{name}");
            assert!(!is_read || gateway.served(&answer) == upstream, "{name}");
        }
        let other = same.send(&conversation).header("x-api-key", "two").header("x-request-id", id);
        assert_eq!(other.await.explanation()["by"], "none", "it was issued to somebody else");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_between_two_envoys_stays_warm() {
    let one = Gateway::start(shared(SECRETS)).await;
    let other = one.beside(shared(SECRETS)).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    let mut id = String::from("none");
    let mut homes = std::collections::BTreeSet::new();
    for turn in 0..6 {
        conversation.ask(1_000);
        let gateway = if turn % 2 == 0 { &one } else { &other };
        let answer = gateway.send(&conversation).header("x-request-id", &id).await;
        id = answer.header("x-warmpath-request-id").expect("an issued id").to_owned();
        homes.insert(one.served(&answer));
        assert_eq!(one.exchange(&answer).1.usage.expect("usage").read > 0, turn > 0);
        conversation.hear(&answer);
    }
    assert_eq!(homes.len(), 1, "{homes:?}");
}

/// Waits until Envoy has taken this many versions of its listeners.
async fn updated(gateway: &Gateway, versions: u64) {
    eventually(async || {
        let stats = gateway.envoy.stats().await;
        let taken = stats.counter("listener_manager.lds.update_success");
        if taken == versions { Ok(()) } else { Err(format!("{taken} versions are taken")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_outlives_a_new_configuration() {
    let gateway = Gateway::start(Bootstrap::explaining().with_dynamic_listeners()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    let first = gateway.turn(&mut conversation, 3_000).await;
    let taken = gateway.envoy.stats().await.counter("listener_manager.lds.update_success");
    let new = Bootstrap::explaining().configure(r#""limits": {"hold_ms": 1234}"#);
    gateway.envoy.update(&new.with_dynamic_listeners());
    updated(&gateway, taken + 1).await;
    conversation.ask(500);
    let address = gateway.envoy.listening("gateway").await;
    let answer = Client::new(address).post("/v1/messages", &conversation.body).await;
    assert_eq!(answer.explanation()["by"], "prefix");
    assert_eq!(gateway.served(&answer), gateway.served(&first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_to_an_upstream_that_is_no_longer_configured_is_stale() {
    let gateway = Gateway::start(Bootstrap::explaining().with_dynamic_listeners()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    let home = gateway.served(&gateway.turn(&mut conversation, 3_000).await);
    let taken = gateway.envoy.stats().await.counter("listener_manager.lds.update_success");
    let without = Bootstrap::explaining().without_upstream(&home);
    gateway.envoy.update(&without.with_dynamic_listeners());
    updated(&gateway, taken + 1).await;
    conversation.ask(500);
    let address = gateway.envoy.listening("gateway").await;
    let answer = Client::new(address).post("/v1/messages", &conversation.body).await;
    assert_eq!((answer.status, &*answer.explanation()["by"]), (200, "none"));
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_pins_total", &[("outcome", "stale")]), 1);
}
