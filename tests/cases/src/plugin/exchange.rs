//! A request on its way through both stages, as Envoy would call them.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Value, json};
use warmpath::affinity::{Conflict, Keys, Store};
use warmpath::config::Config;
use warmpath::dialect::Dialect;
use warmpath::metrics::Metric;
use warmpath::stage::{
    Effect, End, Flow, Headers, Hold, Host, Plugin, Property, Route, Shape, Step,
};

/// What leaves for a provider.
#[derive(Debug, PartialEq)]
pub struct Sent {
    /// Those that are not the client's, by name.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// What was done to the body, and why things were left alone, in order.
    pub rules: Vec<&'static str>,
    pub skips: Vec<String>,
}

/// Sends a request to an upstream with these settings: first through the route stage, then
/// through the shape stage, its body in these pieces in both.
pub fn send(
    settings: &Value,
    dialect: Dialect,
    headers: &[(String, String)],
    body: &[&[u8]],
) -> Sent {
    let mut envoy = Envoy::new(headers, super::path(dialect), body);
    let mut route = Route::new(plugin("route", settings));
    envoy.call(|envoy, headers| route.request_headers(headers, End::Open, Hold::Works, envoy));
    let held = envoy.flow == Flow::Pause;
    for (index, piece) in body.iter().enumerate().filter(|_| held) {
        envoy.body.extend_from_slice(piece);
        let end = if index + 1 == body.len() { End::Closed } else { End::Open };
        envoy.call(|envoy, _| route.request_body(envoy.body.len(), end, envoy));
    }
    let mut shape = Shape::new(plugin("shape", settings));
    envoy.call(|envoy, headers| shape.request_headers(headers, End::Open, Hold::Works, envoy));
    let mut sent = Vec::new();
    for (index, piece) in body.iter().enumerate() {
        envoy.body = piece.to_vec();
        let end = if index + 1 == body.len() { End::Closed } else { End::Open };
        envoy.call(|envoy, _| shape.request_body(envoy.body.len(), end, envoy));
        sent.append(&mut envoy.body);
    }
    let mut added: Vec<_> =
        envoy.headers.into_iter().filter(|header| !envoy.clients.contains(header)).collect();
    added.sort();
    Sent { headers: added, body: sent, rules: envoy.rules, skips: envoy.skips }
}

fn plugin(stage: &str, settings: &Value) -> Rc<Plugin> {
    let text = json!({"stage": stage, "upstreams": {CLUSTER: settings}}).to_string();
    let config = Config::parse(text.as_bytes());
    let config = config.unwrap_or_else(|problems| panic!("{settings}: {problems:?}"));
    let keys = Keys::new(&[7; 32], &[]);
    Rc::new(Plugin::new(config, keys))
}

const CLUSTER: &str = "cluster";

/// Any time does.
const NOW_MS: u64 = 1_795_000_000_000;

struct Envoy {
    clients: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    properties: HashMap<String, Vec<u8>>,
    slots: HashMap<u32, (Vec<u8>, u32)>,
    flow: Flow,
    rules: Vec<&'static str>,
    skips: Vec<String>,
}

impl Envoy {
    fn new(headers: &[(String, String)], path: &str, body: &[&[u8]]) -> Self {
        let length = body.iter().map(|piece| piece.len()).sum::<usize>().to_string();
        let fixed = [
            (":method", "POST"),
            (":path", path),
            ("content-type", "application/json"),
            ("content-length", &length),
            ("authorization", "Bearer test"),
        ];
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let clients = [&fixed, headers].concat();
        Self {
            headers: clients.clone(),
            clients,
            body: Vec::new(),
            properties: HashMap::from([(
                format!("{:?}", Property::Cluster),
                CLUSTER.as_bytes().to_vec(),
            )]),
            slots: HashMap::new(),
            flow: Flow::Continue,
            rules: Vec::new(),
            skips: Vec::new(),
        }
    }

    /// Calls into a stage and carries out what it says.
    fn call(&mut self, stage: impl FnOnce(&mut Self, &Headers<'_>) -> Step) {
        let headers = self.headers.clone();
        let pairs: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let step = stage(self, &Headers::new(&pairs));
        self.flow = step.flow;
        step.effects.into_iter().for_each(|effect| self.carry_out(effect));
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::SetHeader(name, value) => {
                self.headers.retain(|(known, _)| *known != name);
                let value = String::from_utf8(value).expect("values are text");
                self.headers.push((name.into_owned(), value));
            }
            Effect::RemoveHeader(name) => self.headers.retain(|(known, _)| *known != name),
            Effect::SetProperty(property, value) => {
                self.properties.insert(format!("{property:?}"), value);
            }
            Effect::ReplaceBody { length, bytes } => _ = self.body.splice(..length, bytes),
            Effect::Reply { status, body } => panic!("the client got {status}: {body}"),
            Effect::Count(Metric::Edits(rule), 1) => self.rules.push(rule.name()),
            Effect::Count(Metric::Skips(skip), 1) => self.skips.push(format!("{skip:?}")),
            Effect::Count(..) | Effect::TellUnheld => {}
        }
    }
}

impl Host for Envoy {
    fn now_ms(&self) -> u64 {
        NOW_MS
    }

    fn property(&self, property: Property) -> Option<Vec<u8>> {
        self.properties.get(&format!("{property:?}")).cloned()
    }

    fn window(&self, from: usize, length: usize) -> Option<Vec<u8>> {
        let end = self.body.len().min(from + length);
        self.body.get(from..end).map(<[u8]>::to_vec)
    }
}

impl Store for Envoy {
    fn get(&mut self, slot: u32) -> Option<(Vec<u8>, u32)> {
        self.slots.get(&slot).cloned()
    }

    fn set(&mut self, slot: u32, value: &[u8], version: Option<u32>) -> Result<(), Conflict> {
        self.slots.insert(slot, (value.to_vec(), version.unwrap_or(0) + 1));
        Ok(())
    }
}
