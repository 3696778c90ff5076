use hashbrown::HashMap;

use super::*;
use crate::affinity::{By, Conflict, KEY_BYTES};
use crate::metrics::{Outcome, Tokens};

/// Envoy, as far as one request of a client needs it.
struct Envoy {
    route: Rc<Plugin>,
    shape: Rc<Plugin>,
    slots: HashMap<u32, (Vec<u8>, u32)>,
    properties: HashMap<&'static str, Vec<u8>>,
    body: Vec<u8>,
    now_ms: u64,
    counts: Vec<(Metric, u64)>,
    told_unheld: bool,
}

const START_MS: u64 = 1_700_000_000_000;

impl Store for Envoy {
    fn get(&mut self, slot: u32) -> Option<(Vec<u8>, u32)> {
        self.slots.get(&slot).cloned()
    }
    fn set(&mut self, slot: u32, value: &[u8], version: Option<u32>) -> Result<(), Conflict> {
        let known = self.slots.get(&slot).map(|(_, version)| *version);
        if known != version {
            return Err(Conflict);
        }
        self.slots.insert(slot, (value.to_vec(), version.unwrap_or(0) + 1));
        Ok(())
    }
}

impl Host for Envoy {
    fn now_ms(&self) -> u64 {
        self.now_ms
    }
    fn property(&self, property: Property) -> Option<Vec<u8>> {
        self.properties.get(name(property)).cloned()
    }
    fn window(&self, from: usize, length: usize) -> Option<Vec<u8>> {
        let end = (from + length).min(self.body.len());
        self.body.get(from..end).map(<[u8]>::to_vec)
    }
}

fn name(property: Property) -> &'static str {
    match property {
        Property::Request => "request",
        Property::Attempt => "attempt",
        Property::Cluster => "cluster",
        Property::Upstream => "upstream",
        Property::Address => "address",
        Property::Attempts => "attempts",
    }
}

type Pairs = Vec<(String, String)>;

/// What came of a request that went through both stages.
#[derive(Debug)]
struct Sent {
    headers: Pairs,
    body: String,
    pinned: Option<String>,
}

fn plugin(stage: &str, more: &str) -> Rc<Plugin> {
    let text = format!(
        r#"{{"stage":"{stage}"{more},"upstreams":{{
            "a":{{"provider":"anthropic","marks":"inject","min_tokens":0}},"b":{{"provider":"bedrock","marks":"inject","min_tokens":0}},
            "x":{{"provider":"xai","cache_key":"set"}},"o":{{"provider":"openai","cache_key":"set"}}}}}}"#
    );
    let config = Config::parse(text.as_bytes()).unwrap();
    let keys = Keys::new(&[7; KEY_BYTES], &config.affinity.secrets);
    Rc::new(Plugin::new(config, keys))
}

impl Envoy {
    fn new() -> Self {
        Self::with("")
    }

    fn with(more: &str) -> Self {
        Self {
            route: plugin("route", more),
            shape: plugin("shape", more),
            slots: HashMap::new(),
            properties: HashMap::new(),
            body: Vec::new(),
            now_ms: START_MS,
            counts: Vec::new(),
            told_unheld: false,
        }
    }

    fn carry_out(&mut self, step: Step, headers: &mut Pairs) -> Flow {
        for effect in step.effects {
            match effect {
                Effect::SetHeader(name, value) => {
                    headers.retain(|(known, _)| *known != name);
                    headers.push((name.into_owned(), String::from_utf8(value).unwrap()));
                }
                Effect::RemoveHeader(name) => headers.retain(|(known, _)| *known != name),
                Effect::SetProperty(property, value) => {
                    self.properties.insert(name(property), value);
                }
                Effect::ReplaceBody { length, bytes } => {
                    self.body.splice(..length, bytes);
                }
                Effect::Reply { status, body } => {
                    headers.push(("reply".into(), format!("{status} {body}")));
                }
                Effect::Count(metric, by) => self.counts.push((metric, by)),
                Effect::TellUnheld => self.told_unheld = true,
            }
        }
        step.flow
    }

    fn counted(&self, metric: Metric) -> u64 {
        self.counts.iter().filter(|(known, _)| *known == metric).map(|(_, by)| by).sum()
    }

    /// Lets the route stage read a request, in pieces.
    fn ask(&mut self, route: &mut Route, headers: &mut Pairs, body: &str) -> Option<String> {
        self.properties.clear();
        let pairs = headers.clone();
        let step =
            with(&pairs, |headers| route.request_headers(headers, End::Open, Hold::Works, self));
        let mut flow = self.carry_out(step, headers);
        self.body.clear();
        let (left, right) = body.as_bytes().split_at(body.len() / 2);
        for (piece, end) in [(left, End::Open), (right, End::Closed)] {
            self.body.extend(piece);
            if flow == Flow::Pause {
                let step = route.request_body(self.body.len(), end, self);
                flow = self.carry_out(step, headers);
            }
        }
        assert_eq!(flow, Flow::Continue);
        get(headers, "x-warmpath-upstream")
    }

    /// Lets the shape stage make an attempt at an upstream; headers are shared between attempts.
    fn attempt(&mut self, upstream: &str, headers: &mut Pairs, body: &str) -> String {
        self.properties.insert("cluster", upstream.into());
        self.properties.insert("address", "10.0.0.1:443".into());
        let mut shape = Shape::new(Rc::clone(&self.shape));
        let pairs = headers.clone();
        let step =
            with(&pairs, |headers| shape.request_headers(headers, End::Open, Hold::Works, self));
        let flow = self.carry_out(step, headers);
        let mut arrived = Vec::new();
        let (left, right) = body.as_bytes().split_at(body.len() / 3);
        self.body.clear();
        for (piece, end) in [(left, End::Open), (right, End::Closed)] {
            self.body.extend(piece);
            let step = shape.request_body(self.body.len(), end, self);
            let held = self.carry_out(step, headers) == Flow::Pause;
            assert!(!held || flow == Flow::Pause || get(headers, "reply").is_some());
            if !held {
                arrived.append(&mut self.body);
            }
        }
        String::from_utf8(arrived).unwrap()
    }

    /// Sends a request through both stages.
    fn send(
        &mut self,
        route: &mut Route,
        upstream: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Sent {
        let mut headers = request(headers, body);
        let pinned = self.ask(route, &mut headers, body);
        let body = self.attempt(upstream, &mut headers, body);
        Sent { headers, body, pinned }
    }

    /// Lets the answer come, in pieces; what the client gets.
    fn answer(
        &mut self,
        route: &mut Route,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (Pairs, String) {
        let mut headers: Pairs =
            headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let pairs = headers.clone();
        let step = with(&pairs, |headers| route.response_headers(headers, End::Open, self));
        self.carry_out(step, &mut headers);
        let mut got = Vec::new();
        self.body.clear();
        let (left, right) = body.as_bytes().split_at(body.len() / 2);
        for (piece, end) in [(left, End::Open), (right, End::Closed)] {
            self.body.extend(piece);
            let step = route.response_body(self.body.len(), end, self);
            if self.carry_out(step, &mut headers) == Flow::Continue {
                got.append(&mut self.body);
            }
        }
        let effects = route.done(self);
        self.carry_out(Step::going_on(effects), &mut headers);
        (headers, String::from_utf8(got).unwrap())
    }

    /// A whole exchange with a JSON answer; the pin and the client's headers.
    fn exchange(
        &mut self,
        upstream: &str,
        headers: &[(&str, &str)],
        body: &str,
        answer: &str,
    ) -> (Option<String>, Pairs) {
        let mut route = Route::new(Rc::clone(&self.route));
        let sent = self.send(&mut route, upstream, headers, body);
        (sent.pinned, self.answer(&mut route, JSON, answer).0)
    }
}

const JSON: &[(&str, &str)] = &[(":status", "200"), ("content-type", "application/json")];

fn request(more: &[(&str, &str)], body: &str) -> Pairs {
    let length = body.len().to_string();
    [
        (":method", "POST"),
        (":path", "/v1/messages?beta=true"),
        ("content-type", "application/json"),
        ("content-length", &length),
        ("x-api-key", "k"),
    ]
    .iter()
    .filter(|(name, _)| !more.iter().any(|(other, _)| other == name))
    .chain(more)
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect()
}

fn with<T>(pairs: &Pairs, call: impl FnOnce(&Headers<'_>) -> T) -> T {
    let pairs: Vec<(&[u8], &[u8])> =
        pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    call(&Headers::new(&pairs))
}

fn get(headers: &Pairs, name: &str) -> Option<String> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

const BODY: &str = r#"{"model":"claude-opus-5","messages":[{"role":"user","content":"hello"}]}"#;
const MARKED: &str = r#"{"model":"claude-opus-5","messages":[{"role":"user","content":[{"type":"text","text":"hello","cache_control":{"type":"ephemeral"}}]}]}"#;
const ANSWER: &str = r#"{"id":"msg_1","type":"message","usage":{"input_tokens":3,"cache_read_input_tokens":0,"cache_creation_input_tokens":9,"output_tokens":1}}"#;

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
    let cases: [&[(&str, &str)]; 3] = [
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
    let cases: [(&[(&str, &str)], &str, Skip); 9] = [
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
fn answers_teach_and_follow_ups_are_pinned() {
    let mut envoy = Envoy::new();
    let (pinned, headers) = envoy.exchange("b", &[], BODY, ANSWER);
    assert_eq!(pinned, None);
    let issued = get(&headers, "x-warmpath-request-id").unwrap();
    let follow = BODY.replace(r#""hello"}"#, r#""hello"},{"role":"user","content":"more"}"#);
    let cases: [(&[(&str, &str)], &str, By); 3] = [
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

const CHAT: &[(&str, &str)] = &[(":path", "/v1/chat/completions")];
const CHAT_BODY: &str =
    r#"{"model":"gpt-5.6","messages":[{"role":"user","content":"hi"}],"stream":true}"#;
const CHAT_ANSWER: &str = r#"{"id":"chatcmpl-1","usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2}}}"#;

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
            Some(r#"by="none", upstream="o", edits="cache_key", input=9, read=4, write=2"#)
        );
    }
}

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
    assert_eq!(get(&headers, "x-warmpath").as_deref(), Some(r#"by="none", upstream="o""#));
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
