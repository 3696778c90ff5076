//! Requests that are held until their body is there.

use std::time::Instant;

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway, PATIENCE, eventually};
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::{is_sent_on, sent_on};

const CHAT: &str = "/v1/chat/completions";

fn chat() -> Conversation {
    let mut conversation = Conversation::new(Dialect::Chat, 1);
    conversation.ask(1_000);
    conversation
}

/// Frees requests soon enough for a test to wait for it.
fn soon() -> Bootstrap {
    Bootstrap::explaining().configure(r#""limits": {"hold_ms": 500}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_request_goes_on_with_the_end_of_its_body() {
    let gateway = Gateway::warm().await;
    let body = chat().body.to_string();
    let (head, tail) = body.as_bytes().split_at(5_000);
    for (line, is_held) in [("x-any: 1", true), ("content-encoding: gzip", false)] {
        let before = sent_on(&gateway, "openai-a").await;
        let mut raw = gateway.raw().await;
        let length = format!("content-length: {}", body.len());
        raw.post(CHAT, &[line.as_bytes(), length.as_bytes()]).await;
        raw.send(head).await;
        eventually(async || {
            let bytes =
                gateway.envoy.stats().await.counter("http.gateway.downstream_cx_rx_bytes_total");
            if bytes < 5_000 { Err(format!("Envoy has read {bytes} bytes")) } else { Ok(()) }
        })
        .await;
        if is_held {
            assert_eq!(sent_on(&gateway, "openai-a").await, before);
        } else {
            is_sent_on(&gateway, "openai-a", before + 1).await;
        }
        raw.send(tail).await;
        raw.answer().await.expect("an answer");
        assert_eq!(sent_on(&gateway, "openai-a").await, before + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_set_while_a_request_is_held_chooses_its_route() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    // Where a conversation goes is known only from its body: no header tells it.
    for seed in 0..6 {
        let mut conversation = Conversation::new(Dialect::Messages, seed);
        let first = gateway.turn(&mut conversation, 3_000).await;
        gateway.providers.fail(&gateway.served(&first), simulator::Fault::Status(529));
        let second = gateway.turn(&mut conversation, 500).await;
        gateway.providers.heal(&gateway.served(&first));
        let third = gateway.turn(&mut conversation, 500).await;
        assert_ne!(gateway.served(&second), gateway.served(&first));
        // Its hash still says the first.
        assert_eq!(gateway.served(&third), gateway.served(&second));
        assert_eq!(third.explanation()["by"], "prefix");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_ends_with_its_headers_is_routed_too() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    let video = gateway.post("/v1/videos", &serde_json::json!({"prompt": "x"})).await;
    let polled = gateway.get(&format!("/v1/videos/{}", video.id())).await;
    assert_eq!((polled.status, &*polled.explanation()["by"]), (200, "object"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_waited_for_no_longer_than_it_may() {
    let gateway = Gateway::start(soon()).await;
    let body = chat().body.to_string();
    let length = format!("content-length: {}", body.len());
    // Of one request nothing comes but its headers; of the other something does.
    let (mut silent, mut begun) = (gateway.raw().await, gateway.raw().await);
    begun.post(CHAT, &[length.as_bytes()]).await;
    begun.send(&body.as_bytes()[..1]).await;
    silent.post(CHAT, &[length.as_bytes()]).await;
    is_sent_on(&gateway, "openai-a", 1).await;
    // The clock has freed the one that came later and not the one that came first.
    silent.send(&body).await;
    begun.send(&body.as_bytes()[1..]).await;
    for raw in [&mut silent, &mut begun] {
        let answer = raw.answer().await.expect("an answer");
        assert_eq!(answer.status, 200);
    }
    let received = gateway.providers.received("openai-a");
    let shaped = received.iter().filter(|exchange| exchange.body != body.as_bytes()).count();
    assert_eq!(shaped, 1, "a late body goes on untouched");
    let stats = gateway.envoy.stats().await;
    assert_eq!((stats.skips("late_body"), stats.skips("unheld")), (1, 0));
    assert_eq!(stats.sum("warmpath_skips_total", &[]), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_waited_for_by_one_stage_only() {
    // Long enough that one wait is told from two, on a loaded machine too.
    let hold_ms = 4_000;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let slow = Bootstrap::shipped().configure(&format!(r#""limits": {{"hold_ms": {hold_ms}}}"#));
    let slow = slow.point("openai-a", listener.local_addr().expect("an address"));
    let gateway = Gateway::start(slow).await;
    let start = Instant::now();
    let mut raw = gateway.raw().await;
    raw.post(CHAT, &[b"content-length: 100"]).await;
    let (mut provider, _) = listener.accept().await.expect("a connection");
    provider.read_u8().await.expect("the headers");
    let waited = start.elapsed().as_millis();
    assert!((hold_ms..2 * hold_ms).contains(&waited), "the provider waited for {waited} ms");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_body_in_one_frame_is_not_taken_for_a_missing_hold() {
    let gateway = Gateway::start(soon()).await;
    let body = chat().body.to_string();
    for round in 1..=3 {
        let call = gateway.http2().post(CHAT, &Value::Null);
        let (call, pen) = call.header("content-length", body.len().to_string()).by_hand();
        let answer = tokio::spawn(call.into_future());
        is_sent_on(&gateway, "openai-a", round).await;
        pen.write(body.clone());
        drop(pen);
        assert_eq!(answer.await.expect("an answer").status, 200);
    }
    // And what comes in time is still held.
    assert_eq!(gateway.send(&chat()).await.status, 200);
    let stats = gateway.envoy.stats().await;
    assert_eq!((stats.skips("late_body"), stats.skips("unheld")), (3, 0));
    let last = gateway.providers.received("openai-a").pop().expect("a request");
    assert_ne!(last.body, body.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_expects_100_continue_is_told_to() {
    let gateway = Gateway::warm().await;
    let body = chat().body.to_string();
    let length = format!("content-length: {}", body.len());
    let mut raw = gateway.raw().await;
    raw.post(CHAT, &[length.as_bytes(), b"expect: 100-continue"]).await;
    assert_eq!(raw.answer().await.expect("an interim answer").status, 100);
    raw.send(body).await;
    assert_eq!(raw.answer().await.expect("an answer").status, 200);
    assert_eq!(gateway.envoy.stats().await.sum("warmpath_skips_total", &[]), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_while_it_is_held_leaves_nothing_behind() {
    let gateway = Gateway::start(soon()).await;
    let lines: [&[u8]; 1] = [b"content-length: 100"];
    for begin in [&b""[..], b"{\"model\":"] {
        let mut raw = gateway.raw().await;
        raw.post(CHAT, &lines).await;
        raw.send(begin).await;
        eventually(async || {
            let active = gateway.envoy.stats().await.counter("http.gateway.downstream_rq_active");
            if active == 1 { Ok(()) } else { Err(format!("{active} requests are there")) }
        })
        .await;
        drop(raw);
        eventually(async || {
            let active = gateway.envoy.stats().await.counter("http.gateway.downstream_rq_active");
            if active == 0 { Ok(()) } else { Err(format!("{active} requests are left")) }
        })
        .await;
    }
    // The clock looks for nobody who is gone; others are held as before.
    let mut raw = gateway.raw().await;
    raw.post(CHAT, &lines).await;
    is_sent_on(&gateway, "openai-a", 1).await;
    assert_eq!(gateway.send(&chat()).await.status, 200);
    let log = gateway.envoy.log();
    assert!(!log.contains("critical") && !log.contains("][error]"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_held_at_a_time() {
    let gateway = Gateway::start(Bootstrap::explaining().workers(2)).await;
    let body = chat().body.to_string();
    let length = format!("content-length: {}", body.len());
    let mut held = Vec::new();
    for _ in 0..64 {
        let mut raw = gateway.raw().await;
        raw.post(CHAT, &[length.as_bytes()]).await;
        raw.send(&body.as_bytes()[..3_000]).await;
        held.push(raw);
    }
    for raw in held.iter_mut().rev() {
        raw.send(&body.as_bytes()[3_000..]).await;
        let answer = tokio::time::timeout(PATIENCE, raw.answer()).await.expect("in time");
        assert_eq!(answer.expect("an answer").status, 200);
    }
    let received = gateway.providers.received("openai-a");
    assert!(received.iter().all(|exchange| exchange.body == received[0].body));
}
