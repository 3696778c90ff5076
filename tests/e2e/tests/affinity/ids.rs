//! Pins by the ids of answers: those that Warmpath issues, and the provider's own.

use e2e::{Bootstrap, Reply, eventually};
use serde_json::json;

use crate::{CHAT, Desk, MESSAGES, pinned, prompt, why};

#[tokio::test(flavor = "multi_thread")]
async fn an_issued_id_leads_back() {
    let desk = Desk::ids_only("").await;
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us"] {
        let first = desk.ask_at(upstream, 1).await;
        let mut id = first.header("x-warmpath-request-id").expect("an issued id").to_owned();
        for words in 2..5 {
            let answer = desk.ask(words).header("x-request-id", &id).await;
            assert_eq!(why(&answer), pinned("request_id", upstream));
            let next = answer.header("x-warmpath-request-id").expect("another issued id");
            id = next.to_owned();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_id_leads_back_from_json_and_from_a_stream() {
    let desk = Desk::ids_only("").await;
    let kinds = [
        ("msg_1", Reply::json(r#"{"type":"message","id":"msg_1"}"#)),
        ("msg_2", Reply::json(r#" {"content":[{"id":"no"}],"usage":{"id":"no"},"id":"msg_2"}"#).chunked()),
        ("msg_3", Reply::events("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_3\"}}\n\n").in_pieces(9)),
    ];
    for ((id, reply), upstream) in
        kinds.into_iter().zip(["anthropic-b", "bedrock-us", "anthropic-a"])
    {
        desk.provider.say(reply);
        desk.ask_at(upstream, 1).await;
        desk.provider.say(Reply::json("{}"));
        for words in 1..6 {
            let answer = desk.ask(words).header("x-response-id", id).await;
            assert_eq!(why(&answer), pinned("response_id", upstream));
        }
    }
    assert_eq!(why(&desk.ask(1).header("x-response-id", "no").await).0, "none");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_a_stream_is_known_before_the_stream_ends() {
    let desk = Desk::ids_only("").await;
    let (reply, pen) = Reply::by_hand("text/event-stream");
    desk.provider.say(reply);
    pen.write("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\"}}\n\n");
    let mut stream = desk.ask_at("bedrock-us", 1).open().await.expect("a stream");
    stream.next().await.expect("its first event");
    desk.provider.say(Reply::json("{}"));
    let answer = desk.ask(2).header("x-response-id", "msg_1").await;
    assert_eq!(why(&answer), pinned("response_id", "bedrock-us"));
    drop(pen);
    assert_eq!(stream.next().await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_dialects_have_ids_as_well() {
    let two = Bootstrap::explaining()
        .configure(r#""affinity": {"prefix": false}"#)
        .upstream("anthropic-a", r#"{"provider": "openai"}"#);
    let desk = Desk::start(two).await;
    let body = json!({"model": "m", "messages": [], "input": "hi"});
    let created = "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}\n\n";
    for (path, id, reply) in [
        (CHAT, "chatcmpl-1", Reply::json(r#"{"id":"chatcmpl-1"}"#)),
        (CHAT, "chatcmpl-2", Reply::events("data: {\"id\":\"chatcmpl-2\",\"choices\":[]}\n\n")),
        ("/v1/responses", "resp_1", Reply::events(created)),
        ("/v1/responses", "resp_2", Reply::json(r#"{"object":"response","id":"resp_2"}"#)),
    ] {
        desk.provider.say(reply);
        let call = desk.gateway.post(path, &body).header("upstream", "anthropic-a");
        call.await;
        let answer = desk.gateway.post(path, &body).header("x-response-id", id).await;
        // The shipped routes have one upstream for these; the pin says what it would have been.
        let explanation = answer.explanation();
        assert_eq!((&*explanation["by"], &*explanation["pinned"]), ("response_id", "anthropic-a"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_hold_for_the_model_that_they_were_made_with() {
    let desk = Desk::ids_only("").await;
    desk.provider.say(Reply::json(r#"{"id":"msg_1"}"#));
    let first = desk.ask_at("bedrock-us", 1).header("x-session-id", "s").await;
    let issued = first.header("x-warmpath-request-id").expect("an issued id").to_owned();
    desk.provider.say(Reply::json("{}"));
    let mut other = prompt(1);
    other["model"] = json!("other");
    for (name, value) in
        [("x-response-id", "msg_1"), ("x-request-id", &*issued), ("x-session-id", "s")]
    {
        let answer = desk.gateway.post(MESSAGES, &other).header(name, value).await;
        assert_eq!(why(&answer).0, "none", "{name}");
        let answer = desk.ask(2).header(name, value).await;
        assert_eq!(why(&answer).1, "bedrock-us", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_none_changes_nothing() {
    let desk = Desk::ids_only("").await;
    let first = desk.ask_at("bedrock-us", 1).await;
    let issued = first.header("x-warmpath-request-id").expect("an issued id").to_owned();
    let mut forged = issued.clone().into_bytes();
    let end = forged.len() - 1;
    forged[end] = if forged[end] == b'A' { b'B' } else { b'A' };
    let long = "x".repeat(10_000);
    let odd: [&[u8]; 6] =
        [&forged, &issued.as_bytes()[..end], b"wp1-", b"trace-7", long.as_bytes(), b"\xff"];
    for id in odd {
        let answer = desk.ask(1).header("x-request-id", id).header("x-response-id", id).await;
        assert_eq!((answer.status, &*why(&answer).0), (200, "none"));
        let passed = desk.provider.last().headers["x-request-id"].as_bytes().to_vec();
        assert_eq!(passed, id, "a trace id is left alone");
    }
    assert_eq!(why(&desk.ask(1).header("x-request-id", issued).await).0, "request_id");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issued_id_lives_from_its_issue_on() {
    let desk = Desk::ids_only(r#", "ttl_seconds": 2"#).await;
    let first = desk.ask_at("bedrock-us", 1).await;
    let issued = first.header("x-warmpath-request-id").expect("an issued id").to_owned();
    // However often it is used.
    eventually(async || {
        let answer = desk.ask(1).header("x-request-id", &issued).await;
        if why(&answer).0 == "none" { Ok(()) } else { Err("it lives".into()) }
    })
    .await;
}
