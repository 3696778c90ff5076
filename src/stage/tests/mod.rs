//! A host that does what Envoy does, as far as one request of a client needs it; and exchanges
//! through both stages with it.

mod answers;
mod holding;
mod items;
mod names;
mod requests;

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
        Property::Service => "service",
        Property::Resource => "resource",
        Property::Backend => "backend",
        Property::Address => "address",
        Property::Attempts => "attempts",
    }
}

/// A list of headers.
type List<'l> = &'l [(&'l str, &'l str)];
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
        self.serve(upstream);
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

    /// Makes an attempt at an upstream, as far as Envoy tells of it.
    fn serve(&mut self, upstream: &str) {
        let before = self.property(Property::Attempts).map_or(0, |count| count[0]);
        self.properties.insert("attempts", u64::from(before + 1).to_le_bytes().to_vec());
        self.properties.insert("cluster", upstream.into());
        self.properties.insert("address", "10.0.0.1:443".into());
    }

    /// Sends a request through both stages.
    fn send(&mut self, route: &mut Route, upstream: &str, headers: List<'_>, body: &str) -> Sent {
        let mut headers = request(headers, body);
        let pinned = self.ask(route, &mut headers, body);
        let body = self.attempt(upstream, &mut headers, body);
        Sent { headers, body, pinned }
    }

    /// Lets the answer come, in pieces; what the client gets.
    fn answer(&mut self, route: &mut Route, headers: List<'_>, body: &str) -> (Pairs, String) {
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
        headers: List<'_>,
        body: &str,
        answer: &str,
    ) -> (Option<String>, Pairs) {
        let mut route = Route::new(Rc::clone(&self.route));
        let sent = self.send(&mut route, upstream, headers, body);
        (sent.pinned, self.answer(&mut route, JSON, answer).0)
    }
}

const JSON: List<'static> = &[(":status", "200"), ("content-type", "application/json")];

fn request(more: List<'_>, body: &str) -> Pairs {
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

const CHAT: List<'static> = &[(":path", "/v1/chat/completions")];
const CHAT_BODY: &str =
    r#"{"model":"gpt-5.6","messages":[{"role":"user","content":"hi"}],"stream":true}"#;
const CHAT_ANSWER: &str = r#"{"id":"chatcmpl-1","usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2}}}"#;
