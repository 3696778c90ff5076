//! The way back.

use super::*;

#[test]
fn answers_teach_and_follow_ups_are_pinned() {
    let mut envoy = Envoy::new();
    let (pinned, headers) = envoy.exchange("b", &[], BODY, ANSWER);
    assert_eq!(pinned, None);
    let issued = get(&headers, "x-warmpath-request-id").unwrap();
    let follow = BODY.replace(r#""hello"}"#, r#""hello"},{"role":"user","content":"more"}"#);
    let cases: [(List<'_>, &str, By); 3] = [
        (&[("x-request-id", &issued)], r#"{"messages":[],"model":"claude-opus-5"}"#, By::RequestId),
        (
            &[("x-response-id", "msg_1")],
            r#"{"messages":[],"model":"claude-opus-5"}"#,
            By::ResponseId,
        ),
        (&[], &follow, By::Prefix),
    ];
    for (more, body, by) in cases {
        envoy.counts.clear();
        let (pinned, _) = envoy.exchange("b", more, body, ANSWER);
        assert_eq!(pinned.as_deref(), Some("b"), "{by:?}");
        assert_eq!(envoy.counted(Metric::Exchanges { upstream: Some(1), by }), 1);
        assert_eq!(envoy.counted(Metric::Pins(Outcome::Kept)), 1);
        let mut other = more.to_vec();
        other.push(("x-api-key", "other"));
        let mut route = Route::new(Rc::clone(&envoy.route));
        assert_eq!(envoy.ask(&mut route, &mut request(&other, body), body), None);
    }
    let off = [("x-warmpath-affinity", "off"), ("x-response-id", "msg_1")];
    let (pinned, headers) = envoy.exchange("a", &off, &follow, ANSWER);
    assert_eq!((pinned, get(&headers, "x-warmpath-request-id")), (None, None));
    assert_eq!(envoy.counted(Metric::Exchanges { upstream: Some(0), by: By::Off }), 1);
}

/// What the shape stage noted says who served only where nobody else can have.
#[test]
fn the_upstream_that_served_is_the_holder_whatever_was_shaped_for() {
    let mut envoy = Envoy::new();
    for (attempts, holder) in [(&["a"][..], "a"), (&["b", "a"], "a"), (&["a", "b"], "b")] {
        let body = BODY.replace("hello", &format!("hello {}", attempts.concat()));
        let mut route = Route::new(Rc::clone(&envoy.route));
        let mut headers = request(&[], &body);
        envoy.ask(&mut route, &mut headers, &body);
        for upstream in attempts {
            envoy.attempt(upstream, &mut headers, &body);
        }
        envoy.answer(&mut route, JSON, ANSWER);
        let again = envoy.exchange(holder, &[], &body, ANSWER);
        assert_eq!(again.0.as_deref(), Some(holder), "{attempts:?}");
    }
    // Two attempts at a time, and the first is the one that answers; or one that was not shaped here.
    for shaped in [true, false] {
        let body = BODY.replace("hello", &format!("hedged {shaped}"));
        let mut route = Route::new(Rc::clone(&envoy.route));
        let mut headers = request(&[], &body);
        envoy.ask(&mut route, &mut headers, &body);
        envoy.attempt("a", &mut headers, &body);
        if shaped {
            envoy.attempt("b", &mut headers, &body);
        }
        envoy.serve("a");
        envoy.answer(&mut route, JSON, ANSWER);
        assert_eq!(envoy.exchange("a", &[], &body, ANSWER).0.as_deref(), Some("a"), "{shaped}");
    }
}

#[test]
fn errors_teach_nothing_and_pass() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    envoy.send(&mut route, "a", &[("x-session-id", "s")], BODY);
    let error = r#"{"type":"error","usage":{"input_tokens":3}}"#;
    let status = [(":status", "529"), ("content-type", "application/json")];
    let (headers, got) = envoy.answer(&mut route, &status, error);
    assert_eq!((got.as_str(), headers.len()), (error, 2));
    assert_eq!(envoy.exchange("a", &[("x-session-id", "s")], BODY, ANSWER).0, None);
    assert_eq!(
        envoy.counted(Metric::Tokens { upstream: Some(0), kind: Tokens::Input }),
        3,
        "of the good one"
    );
}

#[test]
fn what_cached_nothing_is_no_holder() {
    let mut envoy = Envoy::new();
    let nothing = r#"{"id":"m","usage":{"input_tokens":3,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"output_tokens":1}}"#;
    envoy.exchange("a", &[], BODY, nothing);
    assert_eq!(envoy.exchange("a", &[], BODY, ANSWER).0, None);
    assert_eq!(envoy.exchange("a", &[], BODY, ANSWER).0.as_deref(), Some("a"));
}

#[test]
fn lifetimes_follow_what_was_sent() {
    let mut envoy = Envoy::new();
    let hour = MARKED.replace(r#"{"type":"ephemeral"}"#, r#"{"type":"ephemeral","ttl":"1h"}"#);
    envoy.exchange("a", &[], &hour, ANSWER);
    envoy.now_ms = START_MS + 3_599_000;
    assert_eq!(envoy.exchange("a", &[], &hour, ANSWER).0.as_deref(), Some("a"));
    // Shaping lowered it: the model on Bedrock takes five minutes only.
    let old = hour.replace("claude-opus-5", "claude-3-5-haiku");
    envoy.exchange("b", &[], &old, ANSWER);
    envoy.now_ms += 301_000;
    assert_eq!(envoy.exchange("b", &[], &old, ANSWER).0, None);
}

#[test]
fn tokens_are_counted_to_the_upstream_that_served() {
    let mut envoy = Envoy::new();
    envoy.exchange("b", &[], BODY, ANSWER);
    for (kind, tokens) in
        [(Tokens::Input, 3), (Tokens::Read, 0), (Tokens::Write, 9), (Tokens::Output, 1)]
    {
        assert_eq!(envoy.counted(Metric::Tokens { upstream: Some(1), kind }), tokens);
    }
}

#[test]
fn json_usage_is_written_back_with_its_length() {
    for length in ["", "152"] {
        let mut envoy = Envoy::with(r#","explain":true"#);
        let mut route = Route::new(Rc::clone(&envoy.route));
        envoy.send(&mut route, "o", CHAT, &CHAT_BODY.replace(",\"stream\":true", ""));
        let headers: Vec<_> = JSON
            .iter()
            .copied()
            .chain([("content-length", length)])
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let (headers, got) = envoy.answer(&mut route, &headers, CHAT_ANSWER);
        assert!(got.contains(r#""cache_write_tokens":2,"caching_tokens":2"#));
        assert_eq!(get(&headers, "content-length"), Some(got.len().to_string()));
        assert_eq!(
            get(&headers, "x-warmpath").as_deref(),
            Some(
                r#"by="none", upstream="o", edits="cache_key", attempts=1, input=9, read=4, write=2"#
            )
        );
    }
}

#[test]
fn streams_are_rewritten_and_what_we_asked_for_is_swallowed() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let sent = envoy.send(&mut route, "o", CHAT, CHAT_BODY);
    assert!(sent.body.contains(r#""stream_options":{"include_usage":true}"#));
    let events = format!(
        "data: {{\"choices\":[{{}}]}}\n\ndata: {{\"choices\":[],{}\n\ndata: [DONE]\n\n",
        &CHAT_ANSWER[1..]
    );
    let (_, got) = envoy.answer(
        &mut route,
        &[(":status", "200"), ("content-type", "text/event-stream")],
        &events,
    );
    assert_eq!(got, "data: {\"choices\":[{}]}\n\ndata: [DONE]\n\n");
    assert_eq!(envoy.counted(Metric::Tokens { upstream: Some(3), kind: Tokens::Read }), 4);
    let follow = [CHAT[0], ("x-response-id", "chatcmpl-1")];
    assert_eq!(envoy.exchange("o", &follow, CHAT_BODY, CHAT_ANSWER).0.as_deref(), Some("o"));
}

#[test]
fn ids_of_streams_are_known_before_they_end() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    envoy.send(&mut route, "a", &[], BODY);
    let mut headers: Pairs =
        vec![(":status".into(), "200".into()), ("content-type".into(), "text/event-stream".into())];
    let pairs = headers.clone();
    let step = with(&pairs, |headers| route.response_headers(headers, End::Open, &mut envoy));
    envoy.carry_out(step, &mut headers);
    envoy.body = b"data: {\"message\":{\"id\":\"msg_7\"}}\n\n".to_vec();
    let step = route.response_body(envoy.body.len(), End::Open, &mut envoy);
    envoy.carry_out(step, &mut headers);
    let follow = [("x-response-id", "msg_7")];
    let body = BODY.replace("hello", "other");
    assert_eq!(envoy.exchange("a", &follow, &body, ANSWER).0.as_deref(), Some("a"));
}

#[test]
fn encoded_and_oversized_answers_pass() {
    let cases: [(&str, &str, Skip); 2] = [
        ("content-encoding", "gzip", Skip::AnswerEncoded),
        ("content-length", "99999", Skip::AnswerTooLarge),
    ];
    for (name, value, skip) in cases {
        let mut envoy = Envoy::with(r#","limits":{"response_body_bytes":1024}"#);
        let mut route = Route::new(Rc::clone(&envoy.route));
        envoy.send(&mut route, "o", CHAT, &CHAT_BODY.replace(",\"stream\":true", ""));
        let headers: Vec<_> = JSON.iter().copied().chain([(name, value)]).collect();
        let (headers, got) = envoy.answer(&mut route, &headers, CHAT_ANSWER);
        assert_eq!((got.as_str(), get(&headers, name).as_deref()), (CHAT_ANSWER, Some(value)));
        assert_eq!(envoy.counted(Metric::Skips(skip)), 1);
    }
    let mut envoy = Envoy::with(r#","limits":{"response_body_bytes":1024}"#);
    let mut route = Route::new(Rc::clone(&envoy.route));
    envoy.send(&mut route, "o", CHAT, &CHAT_BODY.replace(",\"stream\":true", ""));
    let long = CHAT_ANSWER.replace("chatcmpl-1", &"x".repeat(3000));
    let (_, got) = envoy.answer(&mut route, JSON, &long);
    assert_eq!(got, long);
    assert_eq!(envoy.counted(Metric::Skips(Skip::AnswerTooLarge)), 1);
    assert_eq!(
        envoy.counted(Metric::Tokens { upstream: Some(3), kind: Tokens::Read }),
        4,
        "read all the same"
    );
}

#[test]
fn a_cut_exchange_counts_what_was_seen() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    envoy.send(&mut route, "a", &[], BODY);
    let mut headers: Pairs =
        vec![(":status".into(), "200".into()), ("content-type".into(), "text/event-stream".into())];
    let pairs = headers.clone();
    let step = with(&pairs, |headers| route.response_headers(headers, End::Open, &mut envoy));
    envoy.carry_out(step, &mut headers);
    envoy.body =
        b"data: {\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":5}}}\n\ndata: {\"cut"
            .to_vec();
    let step = route.response_body(envoy.body.len(), End::Open, &mut envoy);
    envoy.carry_out(step, &mut headers);
    for _ in 0..2 {
        let effects = route.done(&mut envoy);
        envoy.carry_out(Step::going_on(effects), &mut headers);
    }
    assert_eq!(envoy.counted(Metric::Tokens { upstream: Some(0), kind: Tokens::Input }), 5);
}
