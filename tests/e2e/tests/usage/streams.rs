//! Streams: usage is asked for where it would be unknown, rewritten where it comes, and no event waits.

use e2e::client::Stream;
use e2e::prompt::Dialect;
use e2e::scripted::Reply;
use e2e::{Gateway, eventually};
use serde_json::{Value, json};
use simulator::Fault;

use crate::{CHAT, MESSAGES, RESPONSES, asked, counting_as, stream};

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_asked_for_and_what_nobody_else_asked_for_is_taken_out() {
    let gateway = Gateway::warm().await;
    let mut counted = 0;
    for options in
        [None, Some(json!({})), Some(Value::Null), Some(json!({"include_obfuscation": false}))]
    {
        let mut conversation = asked(Dialect::Chat, 1).streaming();
        let body = conversation.body.as_object_mut().expect("an object");
        body.remove("stream_options");
        body.extend(options.map(|options| ("stream_options".to_owned(), options)));
        let answer = gateway.send(&conversation).await;
        let (_, exchange) = gateway.exchange(&answer);
        let received: Value = serde_json::from_slice(&exchange.body).expect("JSON");
        assert_eq!(received["stream_options"]["include_usage"], true);
        let chunks = answer.documents();
        assert!(chunks.iter().all(|chunk| chunk["choices"] != json!([])), "{}", answer.text());
        assert!(answer.text().ends_with("data: [DONE]\n\n"));
        counted += exchange.usage.expect("usage").output;
        let stats = gateway.envoy.stats().await;
        assert_eq!(stats.sum("warmpath_tokens_total", &[("kind", "output")]), counted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_says_of_usage_is_done() {
    let gateway = Gateway::warm().await;
    let mut conversation = asked(Dialect::Chat, 1).streaming();
    conversation.body["prompt_cache_key"] = json!("own");
    for wanted in [true, false] {
        conversation.body["stream_options"]["include_usage"] = json!(wanted);
        let answer = gateway.send(&conversation).await;
        let (_, exchange) = gateway.exchange(&answer);
        assert!(exchange.body == conversation.body.to_string().as_bytes());
        let told = answer.documents().iter().any(|chunk| chunk["usage"].is_object());
        assert_eq!(told, wanted);
        let stats = gateway.envoy.stats().await;
        let output = exchange.usage.expect("usage").output;
        assert_eq!(stats.sum("warmpath_tokens_total", &[("kind", "output")]), output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_rewritten_wherever_a_stream_tells_it() {
    let given = r#"{"prompt_tokens":90,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":40,"cache_creation_input_tokens":20}}"#;
    let expected =
        given.replace(r#":20}}"#, r#":20,"cache_write_tokens":20,"caching_tokens":20}}"#);
    let chunk = |usage: &str| {
        format!(
            "data: {{\"id\":\"x\",\"choices\":[{{\"delta\":{{}}}}],\"usage\":{usage}}}\n\ndata: [DONE]\n\n"
        )
    };
    let last = |usage: &str| {
        format!(
            "event: response.completed\ndata: {{\"type\":\"response.completed\",\"response\":{{\"id\":\"resp_1\",\"usage\":{usage}}}}}\n\n"
        )
    };
    let (gateway, scripted) = counting_as("qwen").await;
    scripted.say(Reply::events(chunk(given)));
    assert_eq!(gateway.post(CHAT, &stream(Some(true))).await.text(), chunk(&expected));
    let (gateway, scripted) = counting_as("openai").await;
    let given = given
        .replace("prompt", "input")
        .replace("completion", "output")
        .replace("cache_creation_input_tokens", "cache_write_tokens");
    let expected = given.replace(":20}}", ":20,\"caching_tokens\":20}}");
    scripted.say(Reply::events(last(&given)).in_pieces(13));
    let body = json!({"model": "m", "input": "hi", "stream": true});
    assert_eq!(gateway.post(RESPONSES, &body).await.text(), last(&expected));
}

/// Reads until all of this is there.
async fn reads(stream: &mut Stream, expected: &str) {
    let mut got = Vec::new();
    while got.len() < expected.len() {
        got.extend_from_slice(&stream.next().await.expect("no end").expect("more"));
    }
    assert_eq!(String::from_utf8_lossy(&got), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_waits_for_the_next() {
    let text = |number: u32| json!({"type": "content_block_delta", "delta": {"type": "text_delta", "text": format!("word {number}")}});
    let delta = |number: u32| json!({"id": "x", "choices": [{"delta": {"content": format!("word {number}")}}], "usage": null});
    let output = |number: u32| json!({"type": "response.output_text.delta", "delta": format!("word {number}")});
    let (gateway, scripted) = counting_as("openai").await;
    for (path, body, event) in [
        (MESSAGES, stream(None), &text as &dyn Fn(u32) -> Value),
        // Here an event has to be taken out, and here not.
        (CHAT, stream(None), &delta),
        (CHAT, stream(Some(true)), &delta),
        (RESPONSES, json!({"model": "m", "input": "hi", "stream": true}), &output),
    ] {
        for http2 in [false, true] {
            let (reply, pen) = Reply::by_hand("text/event-stream; charset=utf-8");
            scripted.say(reply);
            let client = if http2 { gateway.http2() } else { gateway.client() };
            let call = tokio::spawn(client.post(path, &body).open());
            pen.write(": begin\n\n");
            let mut stream = call.await.expect("a task").expect("an answer that begins");
            reads(&mut stream, ": begin\n\n").await;
            for number in 0..20 {
                let event = format!("event: x\ndata: {}\n\n", event(number));
                pen.write(event.clone());
                // The provider says no more until this is here.
                reads(&mut stream, &event).await;
            }
            drop(pen);
            assert_eq!(stream.next().await, Ok(None), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_any_length_pass() {
    let (gateway, scripted) = counting_as("openai").await;
    let long = "x".repeat(3_000_000);
    for (path, body) in [
        (CHAT, stream(None)),
        (CHAT, stream(Some(true))),
        (MESSAGES, stream(None)),
        (RESPONSES, json!({"model": "m", "input": "hi", "stream": true})),
    ] {
        for events in [
            format!(
                "data: {{\"id\":\"x\",\"choices\":[],\"usage\":null,\"x\":\"{long}\"}}\n\ndata: [DONE]\n\n"
            ),
            format!(
                "data: {{\"id\":\"x\",\"choices\":[{{\"delta\":{{\"content\":\"{long}\"}}}}],\"usage\":{{\"{long}\":1}}}}\n\n"
            ),
            format!(
                "data: {{\"type\":\"response.completed\",\"response\":{{\"usage\":{{\"input_tokens\":9,\"{long}\":[1]}}}}}}\n\n"
            ),
            format!("{long}: {long}\ndata: {long}"),
            format!("data: {{\"usage\":{{\"prompt_tokens\":{long}"),
        ] {
            scripted.say(Reply::events(events.clone()).in_pieces(100_000));
            let answer = gateway.post(path, &body).await;
            let same = answer.text() == events;
            assert!(same, "{path}: {} bytes came as {}", events.len(), answer.body.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_looks_cut_and_counts_as_far_as_it_came() {
    let gateway = Gateway::warm().await;
    for dialect in [Dialect::Messages, Dialect::Chat] {
        let conversation = asked(dialect, 1).streaming();
        for upstream in ["anthropic-a", "anthropic-b", "bedrock-us", "openai-a"] {
            gateway.providers.fail(upstream, Fault::CutStream);
        }
        gateway.send(&conversation).try_send().await.expect_err("half an answer");
        // A request that began to be answered is not sent again.
        let statuses: Vec<u16> = gateway.statuses().into_values().flatten().collect();
        assert_eq!(statuses.len(), if dialect == Dialect::Messages { 1 } else { 2 });
    }
    let stats = eventually(async || {
        let stats = gateway.envoy.stats().await;
        let ended = stats.counter("http.gateway.downstream_rq_active");
        if ended == 0 { Ok(stats) } else { Err(format!("{ended} are not over")) }
    })
    .await;
    assert!(stats.sum("warmpath_tokens_total", &[("kind", "write_5m")]) > 3_000);
    assert_eq!(stats.sum("warmpath_tokens_total", &[("upstream", "openai-a")]), 0);
    assert!(!gateway.envoy.log().contains("critical"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_that_is_cut_never_looks_whole() {
    let gateway = Gateway::warm().await;
    for dialect in [Dialect::Messages, Dialect::Chat, Dialect::Responses] {
        for upstream in ["anthropic-a", "anthropic-b", "bedrock-us", "openai-a"] {
            gateway.providers.fail(upstream, Fault::CutBody);
        }
        let cut = gateway.send(&asked(dialect, 1)).try_send().await;
        assert!(
            cut.as_ref().is_err() || cut.as_ref().is_ok_and(|answer| answer.status >= 500),
            "{cut:?}"
        );
        assert_eq!(
            gateway.envoy.stats().await.sum("warmpath_tokens_total", &[("kind", "output")]),
            0
        );
    }
    assert!(!gateway.envoy.log().contains("critical"));
}
