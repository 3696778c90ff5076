//! Holding requests, and hosts that do not.

use super::*;

#[test]
fn a_host_that_may_not_hold_headers_gets_no_length() {
    let mut envoy = Envoy::with(r#","explain":true"#);
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(CHAT, CHAT_BODY);
    let pairs = headers.clone();
    let step = with(&pairs, |headers| {
        route.request_headers(headers, End::Open, Hold::Missing, &mut envoy)
    });
    assert_eq!(envoy.carry_out(step, &mut headers), Flow::Continue);
    assert_eq!(envoy.counted(Metric::Skips(Skip::Unheld)), 1);
    assert_eq!(envoy.attempt("o", &mut headers, CHAT_BODY), CHAT_BODY);
    let headers: Vec<_> = JSON.iter().copied().chain([("content-length", "152")]).collect();
    let (headers, got) = envoy.answer(&mut route, &headers, CHAT_ANSWER);
    assert!(got.contains("caching_tokens"));
    assert_eq!(get(&headers, "content-length"), None);
    assert_eq!(
        get(&headers, "x-warmpath").as_deref(),
        Some(r#"by="none", upstream="o", attempts=1"#)
    );
}

#[test]
fn the_clock_frees_a_request_without_a_body() {
    let freed = |delay_ms: u64, size: usize| {
        let mut envoy = Envoy::new();
        let mut route = Route::new(Rc::clone(&envoy.route));
        let mut headers = request(&[], BODY);
        let pairs = headers.clone();
        let step = with(&pairs, |headers| {
            route.request_headers(headers, End::Open, Hold::Unknown, &mut envoy)
        });
        assert_eq!(envoy.carry_out(step, &mut headers), Flow::Pause);
        assert!(route.waits());
        route.freed(envoy.now_ms);
        assert!(!route.waits());
        envoy.now_ms += delay_ms;
        envoy.body = BODY.as_bytes()[..size].to_vec();
        let step = route.request_body(
            size,
            if size == BODY.len() { End::Closed } else { End::Open },
            &mut envoy,
        );
        assert_eq!(envoy.carry_out(step, &mut headers), Flow::Continue);
        assert_eq!(envoy.body, &BODY.as_bytes()[..size]);
        (
            envoy.told_unheld,
            envoy.counted(Metric::Skips(Skip::LateBody)),
            envoy.counted(Metric::Skips(Skip::Unheld)),
        )
    };
    assert_eq!(freed(0, BODY.len()), (true, 0, 1), "all at once: the host does not hold");
    assert_eq!(freed(0, 10), (false, 1, 0));
    assert_eq!(freed(1000, BODY.len()), (false, 1, 0));
}

#[test]
fn a_request_that_the_clock_frees_is_not_held_by_the_next_stage() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(&[], BODY);
    let pairs = headers.clone();
    let step =
        with(&pairs, |headers| route.request_headers(headers, End::Open, Hold::Works, &mut envoy));
    envoy.carry_out(step, &mut headers);
    route.freed(envoy.now_ms);
    let mut shape = Shape::new(Rc::clone(&envoy.shape));
    let step =
        with(&pairs, |headers| shape.request_headers(headers, End::Open, Hold::Works, &mut envoy));
    assert_eq!(envoy.carry_out(step, &mut headers), Flow::Continue);
    assert!(!shape.waits());
}

#[test]
fn a_body_that_has_begun_is_waited_for() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(&[], BODY);
    let pairs = headers.clone();
    let step =
        with(&pairs, |headers| route.request_headers(headers, End::Open, Hold::Works, &mut envoy));
    envoy.carry_out(step, &mut headers);
    envoy.body = BODY.as_bytes()[..10].to_vec();
    let step = route.request_body(10, End::Open, &mut envoy);
    assert_eq!(envoy.carry_out(step, &mut headers), Flow::Pause);
    assert!(!route.waits());
}

#[test]
fn trailers_end_a_body() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(&[], BODY);
    let pairs = headers.clone();
    let step =
        with(&pairs, |headers| route.request_headers(headers, End::Open, Hold::Works, &mut envoy));
    envoy.carry_out(step, &mut headers);
    envoy.body = BODY.into();
    let step = route.request_body(BODY.len(), End::Open, &mut envoy);
    assert_eq!(envoy.carry_out(step, &mut headers), Flow::Pause);
    let step = route.request_trailers(&mut envoy);
    assert_eq!(envoy.carry_out(step, &mut headers), Flow::Continue);
    assert!(get(&headers, "x-warmpath-hash").is_some());
}

#[test]
fn one_stage_can_do_both() {
    let mut envoy = Envoy::new();
    envoy.route = plugin("both", "");
    envoy.properties.insert("cluster", "a".into());
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(&[], BODY);
    let pairs = headers.clone();
    let step =
        with(&pairs, |headers| route.request_headers(headers, End::Open, Hold::Works, &mut envoy));
    envoy.carry_out(step, &mut headers);
    envoy.body = BODY.into();
    let step = route.request_body(BODY.len(), End::Closed, &mut envoy);
    envoy.carry_out(step, &mut headers);
    assert_eq!(String::from_utf8_lossy(&envoy.body), MARKED);
    assert_eq!(get(&headers, "content-length"), Some(MARKED.len().to_string()));
}

#[test]
fn one_stage_that_does_both_leaves_the_route_alone_where_it_shapes_for_it() {
    let mut envoy = Envoy::new();
    envoy.route = plugin("both", "");
    let ours = |headers: &Pairs| -> Vec<String> {
        let names = headers.iter().map(|(name, _)| name.clone());
        names.filter(|name| name.starts_with("x-warmpath")).collect()
    };
    let mut ask = |session: &str, id: &str| {
        envoy.properties.insert("cluster", "b".into());
        envoy.properties.insert("address", "10.0.0.1:443".into());
        let mut route = Route::new(Rc::clone(&envoy.route));
        let mut headers = request(&[("x-session-id", session), ("x-response-id", id)], BODY);
        let pairs = headers.clone();
        let step = with(&pairs, |headers| {
            route.request_headers(headers, End::Open, Hold::Works, &mut envoy)
        });
        envoy.carry_out(step, &mut headers);
        envoy.body = BODY.into();
        let step = route.request_body(BODY.len(), End::Closed, &mut envoy);
        envoy.carry_out(step, &mut headers);
        let told = ours(&headers);
        envoy.answer(&mut route, JSON, ANSWER);
        told
    };
    assert_eq!(ask("s", "none"), [""; 0]);
    let pinned = ask("s", "msg_1");
    assert!(pinned.contains(&"x-warmpath-upstream".to_owned()), "{pinned:?}");
    assert!(pinned.contains(&"x-warmpath-hash".to_owned()), "{pinned:?}");
}
