//! The way there.

use super::*;

#[test]
fn a_request_is_held_read_and_shaped_from_its_facts() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let sent = envoy.send(
        &mut route,
        "a",
        &[("accept-encoding", "gzip"), ("x-warmpath-upstream", "b")],
        BODY,
    );
    assert_eq!((sent.body.as_str(), sent.pinned), (MARKED, None));
    assert_eq!(get(&sent.headers, "content-length"), Some(MARKED.len().to_string()));
    assert!(
        !sent
            .headers
            .iter()
            .any(|(name, _)| name.starts_with("x-warmpath") || name == "accept-encoding")
    );
}

#[test]
fn routing_headers_tell_what_is_known() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(&[], BODY);
    envoy.ask(&mut route, &mut headers, BODY);
    assert_eq!(get(&headers, "x-warmpath-dialect").as_deref(), Some("messages"));
    assert_eq!(get(&headers, "x-warmpath-model").as_deref(), Some("claude-opus-5"));
    assert!(get(&headers, "x-warmpath-hash").unwrap().parse::<u32>().is_ok());
    assert_eq!(get(&headers, "x-warmpath-hard"), None);
}

#[test]
fn unknown_traffic_is_untouched() {
    let mut envoy = Envoy::new();
    let cases: [List<'_>; 3] = [
        &[(":path", "/v1/embeddings"), ("accept-encoding", "gzip")],
        &[(":path", "/v1/messages/count_tokens")],
        &[(":method", "GET")],
    ];
    for more in cases {
        let mut route = Route::new(Rc::clone(&envoy.route));
        let mut headers = request(more, BODY);
        headers.push(("x-warmpath-anything".into(), "1".into()));
        let mut expected = headers.clone();
        expected.pop();
        envoy.ask(&mut route, &mut headers, BODY);
        assert_eq!(headers, expected);
        assert_eq!(envoy.attempt("a", &mut headers, BODY), BODY);
        assert_eq!(headers, expected);
        let answer = envoy.answer(
            &mut route,
            &[(":status", "200"), ("x-warmpath", "forged"), ("x", "y")],
            "text",
        );
        assert_eq!(
            answer,
            (vec![(":status".into(), "200".into()), ("x".into(), "y".into())], "text".into())
        );
    }
    assert!(envoy.counts.is_empty());
}

#[test]
fn bodies_that_are_not_understood_go_on_and_count() {
    let deep = format!(r#"{{"messages":[],"x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let large = format!(r#"{{"messages":[],"x":"{}"}}"#, "y".repeat(2000));
    let twice = r#"{"messages":[],"messages":[]}"#;
    let cases: [(List<'_>, &str, Skip); 9] = [
        (&[], "not json", Skip::NotJson),
        (&[], &BODY[..40], Skip::NotJson),
        (&[], "[]", Skip::NoPrompt),
        (&[], twice, Skip::Duplicate),
        (&[], &deep, Skip::TooDeep),
        (&[], &large, Skip::BodyTooLarge),
        (&[("content-length", "")], &large, Skip::BodyTooLarge),
        (&[("content-encoding", "gzip")], BODY, Skip::Encoded),
        (&[("content-type", "text/plain")], BODY, Skip::ContentType),
    ];
    for (more, body, skip) in cases {
        let mut envoy = Envoy::with(r#","limits":{"request_body_bytes":1024}"#);
        let mut route = Route::new(Rc::clone(&envoy.route));
        let sent = envoy.send(&mut route, "a", more, body);
        assert_eq!(sent.body, body);
        let length = get(&request(more, body), "content-length");
        assert_eq!(get(&sent.headers, "content-length"), length);
        assert_eq!(
            envoy.counts.iter().filter(|(metric, _)| matches!(metric, Metric::Skips(_))).count(),
            1,
            "{skip:?}"
        );
        assert_eq!(envoy.counted(Metric::Skips(skip)), 1, "{skip:?}");
    }
}

#[test]
fn a_chunked_upload_gets_its_length() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(&[("content-length", "")], BODY);
    envoy.ask(&mut route, &mut headers, BODY);
    assert_eq!(get(&headers, "content-length"), Some(BODY.len().to_string()));
}

/// A body with a mark that only some upstreams take as it is.
const WHOLE: &str = r#"{"cache_control":{"type":"ephemeral"},"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hello"}]}]}"#;

#[test]
fn a_lone_shape_stage_tells_the_length_of_each_attempt() {
    let mut envoy = Envoy::new();
    let mut headers = request(&[], WHOLE);
    for upstream in ["b", "a", "b"] {
        let shaped = envoy.attempt(upstream, &mut headers, WHOLE);
        assert_eq!(shaped == WHOLE, upstream == "a");
        let length = get(&headers, "content-length");
        assert_eq!(length, Some(shaped.len().to_string()), "{upstream}");
    }
}

#[test]
fn a_lone_shape_stage_adds_nothing_that_needs_a_route_stage() {
    let mut envoy = Envoy::new();
    let mut headers = request(CHAT, CHAT_BODY);
    for upstream in ["o", "x"] {
        assert_eq!(envoy.attempt(upstream, &mut headers, CHAT_BODY), CHAT_BODY);
        assert_eq!(get(&headers, "x-grok-conv-id"), None);
    }
}

#[test]
fn a_body_that_changed_between_the_stages_is_read_again_in_every_attempt() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(&[], WHOLE);
    envoy.ask(&mut route, &mut headers, WHOLE);
    let changed = WHOLE.replace("hello", "hello, dear provider");
    headers.retain(|(name, _)| name != "content-length");
    headers.push(("content-length".into(), changed.len().to_string()));
    let expected = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hello, dear provider","cache_control":{"type":"ephemeral"}}]}]}"#;
    for (upstream, expected) in [("b", expected), ("a", &*changed), ("b", expected)] {
        assert_eq!(envoy.attempt(upstream, &mut headers, &changed), expected, "{upstream}");
        let length = get(&headers, "content-length");
        assert_eq!(length, Some(expected.len().to_string()), "{upstream}");
    }
}

#[test]
fn other_content_types_are_untouched() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let more: List<'_> = &[("content-type", "text/plain"), ("accept-encoding", "gzip")];
    let mut headers = request(more, BODY);
    let expected = headers.clone();
    envoy.ask(&mut route, &mut headers, BODY);
    assert_eq!(envoy.attempt("a", &mut headers, BODY), BODY);
    assert_eq!(headers, expected);
    let answer = envoy.answer(&mut route, JSON, ANSWER);
    assert_eq!((answer.0.len(), &*answer.1), (JSON.len(), ANSWER));
    assert_eq!(envoy.counts, [(Metric::Skips(Skip::ContentType), 1)]);
}

#[test]
fn each_attempt_gets_its_own_shape() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let body = r#"{"cache_control":{"type":"ephemeral"},"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hello"}]}]}"#;
    let mut headers = request(&[], body);
    envoy.ask(&mut route, &mut headers, body);
    let original = headers.clone();
    for (upstream, expected) in [
        ("a", body),
        (
            "b",
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hello","cache_control":{"type":"ephemeral"}}]}]}"#,
        ),
        ("a", body),
        ("o", body),
        ("elsewhere", body),
    ] {
        assert_eq!(envoy.attempt(upstream, &mut headers, body), expected, "{upstream}");
        assert_eq!(get(&headers, "content-length"), Some(expected.len().to_string()), "{upstream}");
    }
    assert_eq!(envoy.counted(Metric::Skips(Skip::Dialect)), 1);
    assert_eq!(envoy.counted(Metric::Skips(Skip::UnknownUpstream)), 1);
    headers.retain(|(name, _)| !original.iter().any(|(known, _)| known == name));
    assert_eq!(headers, Pairs::new(), "no header is left over");
}

#[test]
fn an_affinity_header_goes_where_it_is_not_known() {
    let mut envoy = Envoy::new();
    let body = r#"{"model":"grok","messages":[{"role":"user","content":"hi"}]}"#;
    let chat = [(":path", "/v1/chat/completions"), ("x-session-id", "s1")];
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(&chat, body);
    envoy.ask(&mut route, &mut headers, body);
    envoy.attempt("x", &mut headers, body);
    let key = get(&headers, "x-grok-conv-id").unwrap();
    assert!(key.starts_with("warmpath-") && key.len() == 40);
    let shaped = envoy.attempt("o", &mut headers, body);
    assert_eq!(get(&headers, "x-grok-conv-id"), None);
    assert!(shaped.contains(&format!(r#""prompt_cache_key":"{key}""#)), "{shaped}");
    // A client's own stays.
    let mut headers = request(&[chat[0], ("x-grok-conv-id", "mine")], body);
    envoy.ask(&mut route, &mut headers, body);
    envoy.attempt("x", &mut headers, body);
    envoy.attempt("o", &mut headers, body);
    assert_eq!(get(&headers, "x-grok-conv-id").as_deref(), Some("mine"));
}

#[test]
fn without_facts_the_shape_stage_reads_by_itself() {
    let mut envoy = Envoy::new();
    let mut headers = request(&[], BODY);
    assert_eq!(envoy.attempt("a", &mut headers, BODY), MARKED);
    assert_eq!(get(&headers, "content-length"), Some(MARKED.len().to_string()));
    // Facts of another length are not those of this body.
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(&[], BODY);
    envoy.ask(&mut route, &mut headers, BODY);
    let longer = BODY.replace("hello", "hello there");
    headers.retain(|(name, _)| name != "content-length");
    headers.push(("content-length".into(), longer.len().to_string()));
    assert_eq!(envoy.attempt("a", &mut headers, &longer), MARKED.replace("hello", "hello there"));
}

#[test]
fn another_body_of_the_same_length_is_refused() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(&[], BODY);
    envoy.ask(&mut route, &mut headers, BODY);
    let other = BODY.replace("\"hello\"", "[hello]");
    envoy.attempt("a", &mut headers, &other);
    assert_eq!(
        get(&headers, "reply").as_deref(),
        Some(
            "502 warmpath: the request's body changed on its way: the body is not the one that was read, at byte 62\n"
        )
    );
    assert_eq!(envoy.counted(Metric::Skips(Skip::BodyChanged)), 1);
}

#[test]
fn objects_go_to_the_account_that_made_them() {
    let mut envoy = Envoy::new();
    let made = [(":path", "/v1/videos")];
    envoy.exchange(
        "o",
        &made,
        r#"{"model":"sora","prompt":"x"}"#,
        r#"{"id":"video_1","object":"video"}"#,
    );
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(
        &[
            (":method", "GET"),
            (":path", "/v1/videos/video_1"),
            ("content-length", ""),
            ("content-type", ""),
        ],
        "",
    );
    let pairs = headers.clone();
    let step = with(&pairs, |headers| {
        route.request_headers(headers, End::Closed, Hold::Works, &mut envoy)
    });
    assert_eq!(envoy.carry_out(step, &mut headers), Flow::Continue);
    assert_eq!(get(&headers, "x-warmpath-upstream").as_deref(), Some("o"));
    assert_eq!(get(&headers, "x-warmpath-hard").as_deref(), Some("1"));
    let continued = envoy.exchange("o", &made, r#"{"task_id":"video_1"}"#, r#"{"id":"video_2"}"#);
    assert_eq!(continued.0.as_deref(), Some("o"));
}
