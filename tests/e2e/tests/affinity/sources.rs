//! Pins by what requests carry, the order among sources, and how long all that lives.

use std::time::{Duration, Instant};

use e2e::{Bootstrap, PATIENCE, Reply};
use serde_json::json;

use crate::{CHAT, Desk, MESSAGES, pinned, prompt, why};

#[tokio::test(flavor = "multi_thread")]
async fn every_session_header_keeps_its_session_together() {
    let desk = Desk::ids_only("").await;
    for name in [
        "x-claude-code-session-id",
        "session-id",
        "x-session-id",
        "session_id",
        "x-session-affinity",
        "x-grok-conv-id",
    ] {
        let sessions = [("one", "bedrock-us"), ("two", "anthropic-b")];
        let sessions = sessions.map(|(id, upstream)| (format!("{id} of {name}"), upstream));
        for (id, upstream) in &sessions {
            let first = desk.ask_at(upstream, 1).header(name, id).await;
            assert_eq!(why(&first), pinned("none", upstream), "{name}");
        }
        for words in 2..5 {
            for (id, upstream) in &sessions {
                let answer = desk.ask(words).header(name, id).await;
                assert_eq!(why(&answer), pinned("session", upstream), "{name}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_body_field_keeps_its_requests_together() {
    let desk = Desk::ids_only("").await;
    for field in ["previous_response_id", "task_id", "session_id", "prompt_cache_key"] {
        let mut body = prompt(1);
        body[field] = json!(format!("id of {field}"));
        let call = desk.gateway.post(MESSAGES, &body).header("upstream", "bedrock-us");
        assert_eq!(why(&call.await).0, "none", "{field}");
        for words in 2..6 {
            body["messages"] = prompt(words)["messages"].clone();
            let answer = desk.gateway.post(MESSAGES, &body).await;
            assert_eq!(why(&answer), pinned("field", "bedrock-us"), "{field}");
        }
    }
}

/// What may say where a request belongs, and what a pin by it is called: first what names state of one account, then the most
/// exact.
const SOURCES: [(&str, &str); 7] = [
    ("task_id", "field"),
    ("x-request-id", "request_id"),
    ("x-response-id", "response_id"),
    ("session_id", "field"),
    ("x-claude-code-session-id", "session"),
    ("x-session-id", "session"),
    ("the prompt", "prefix"),
];

#[tokio::test(flavor = "multi_thread")]
async fn of_two_sources_the_more_exact_decides() {
    let desk = Desk::start(Bootstrap::explaining()).await;
    let send = |sources: &[(&str, String)], words: u32| {
        let mut body = prompt(words);
        let fields = sources.iter().filter(|(source, _)| source.ends_with("_id"));
        fields.for_each(|(source, value)| body[source] = json!(value));
        let headers = sources.iter().filter(|(source, _)| source.starts_with("x-"));
        headers.fold(desk.gateway.post(MESSAGES, &body), |call, (source, value)| {
            call.header(source, value)
        })
    };
    for (number, pair) in (1..).zip(SOURCES.windows(2)) {
        let words = 10 * number;
        let mut sources = Vec::new();
        for (upstream, (source, _)) in ["bedrock-us", "anthropic-b"].into_iter().zip(pair) {
            let id = format!("{number} at {upstream}");
            desk.provider.say(Reply::json(json!({"id": id}).to_string()));
            let asked = if *source == "the prompt" { words } else { words + 1 };
            let taught = send(&[(source, id.clone())], asked).header("upstream", upstream).await;
            let issued = taught.header("x-warmpath-request-id").expect("an issued id").to_owned();
            sources.push((*source, if *source == "x-request-id" { issued } else { id }));
        }
        let answer = send(&sources, words).await;
        let (source, by) = pair[0];
        assert_eq!(why(&answer), pinned(by, "bedrock-us"), "{source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_can_do_without_affinity() {
    let desk = Desk::start(Bootstrap::explaining()).await;
    let off = |call: e2e::client::Call| {
        call.header("x-session-id", "s").header("X-Warmpath-Affinity", " OFF ")
    };
    desk.provider.say(Reply::json(r#"{"id":"msg_1"}"#));
    let answer = off(desk.ask_at("bedrock-us", 1)).await;
    assert_eq!(why(&answer), pinned("off", "bedrock-us"));
    assert_eq!(answer.header("x-warmpath-request-id"), None);
    // Nothing was learned, and a pin that is there is not used.
    let call = desk.ask(1).header("x-session-id", "s").header("x-response-id", "msg_1");
    assert_eq!(why(&call.await).0, "none");
    desk.ask_at("bedrock-us", 1).header("x-session-id", "s").await;
    let answer = off(desk.ask(1)).await;
    assert_eq!((&*why(&answer).0, answer.explanation().get("pinned")), ("off", None));
    assert!(!desk.provider.last().headers.contains_key("x-warmpath-affinity"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_to_an_upstream_that_does_not_speak_the_dialect_is_none() {
    let desk = Desk::ids_only("").await;
    let chat = desk.gateway.post(CHAT, &prompt(1)).header("x-session-id", "s");
    assert_eq!(why(&chat.await).1, "openai-a");
    let messages = desk.ask(1).header("x-session-id", "s").await;
    assert_eq!((messages.status, &*why(&messages).0), (200, "none"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_used_stays_and_what_is_not_goes() {
    let ttl = Duration::from_secs(4);
    let desk = Desk::ids_only(&format!(r#", "ttl_seconds": {}"#, ttl.as_secs())).await;
    let is_pinned = async |id: &str| {
        let answer = desk.ask(id.len() as u32).header("x-session-id", id).await;
        why(&answer).0 == "session"
    };
    // Each of these is asked for once, since whatever is asked for is remembered longer.
    let once: Vec<String> = (0..400).map(|number| format!("once-{number}")).collect();
    let start = Instant::now();
    for id in once.iter().map(String::as_str).chain(["always"]) {
        desk.ask_at("bedrock-us", 1).header("x-session-id", id).await;
    }
    let taught = start.elapsed();
    for id in &once {
        assert!(is_pinned("always").await, "after {:?}", start.elapsed());
        let asked = start.elapsed();
        if !is_pinned(id).await {
            // Time is counted in whole seconds.
            assert!(
                start.elapsed() + Duration::from_secs(1) >= ttl,
                "gone after {:?}",
                start.elapsed()
            );
            return;
        }
        assert!(asked < taught + ttl + Duration::from_secs(1), "still there after {asked:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(start.elapsed() < PATIENCE);
    }
    panic!("every session was still there after {:?}", start.elapsed());
}
