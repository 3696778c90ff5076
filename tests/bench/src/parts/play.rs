//! Whole exchanges of both stages in a world where only the plugin is real, and the calls into Envoy that they make.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::rc::Rc;

use warmpath::affinity::{Conflict, KEY_BYTES, Keys, Store};
use warmpath::dialect::Dialect;
use warmpath::stage::{
    Effect, End, Headers, Hold, Host, Plugin, Property, Route, Shape as ShapeStage,
};

use super::{NOW, SIZES, WINDOW_BYTES, answer, config};
use crate::prompt::{Script, Shape};
use crate::report::Table as Report;

/// Shared data, as Envoy keeps it.
#[derive(Default)]
pub(super) struct Slots(HashMap<u32, (Vec<u8>, u32)>);

impl Store for Slots {
    fn get(&mut self, slot: u32) -> Option<(Vec<u8>, u32)> {
        self.0.get(&slot).cloned()
    }

    fn set(&mut self, slot: u32, value: &[u8], version: Option<u32>) -> Result<(), Conflict> {
        let known = self.0.get(&slot).map(|(_, version)| *version);
        if known != version {
            return Err(Conflict);
        }
        self.0.insert(slot, (value.to_vec(), known.unwrap_or(0) + 1));
        Ok(())
    }
}

/// An Envoy of which only the plugin's side is there.
#[derive(Default)]
struct World {
    slots: Slots,
    properties: Vec<(Property, Vec<u8>)>,
    body: Vec<u8>,
    calls: RefCell<BTreeMap<Call, u32>>,
}

/// A call into Envoy. Each costs about a microsecond, so their number is a measure as well, and one without noise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Call {
    ReadSlot,
    WriteSlot,
    Window,
    Property,
    Header,
    Counter,
    Body,
}

const CALLS: [(Call, &str); 7] = [
    (Call::ReadSlot, "slots read"),
    (Call::WriteSlot, "written"),
    (Call::Window, "windows"),
    (Call::Property, "properties"),
    (Call::Header, "headers"),
    (Call::Counter, "counters"),
    (Call::Body, "bodies"),
];

impl Store for World {
    fn get(&mut self, slot: u32) -> Option<(Vec<u8>, u32)> {
        self.count(Call::ReadSlot);
        self.slots.get(slot)
    }

    fn set(&mut self, slot: u32, value: &[u8], version: Option<u32>) -> Result<(), Conflict> {
        self.count(Call::WriteSlot);
        self.slots.set(slot, value, version)
    }
}

impl Host for World {
    fn now_ms(&self) -> u64 {
        u64::from(NOW) * 1000
    }

    fn property(&self, property: Property) -> Option<Vec<u8>> {
        self.count(Call::Property);
        match property {
            Property::Cluster | Property::Upstream => Some(b"anthropic-a".to_vec()),
            Property::Address => Some(b"127.0.0.1:1".to_vec()),
            Property::Attempts => Some(1u64.to_le_bytes().to_vec()),
            _ => {
                let known = self.properties.iter().rev().find(|(known, _)| *known == property);
                known.map(|(_, value)| value.clone())
            }
        }
    }

    fn window(&self, from: usize, length: usize) -> Option<Vec<u8>> {
        self.count(Call::Window);
        self.body.get(from..(from + length).min(self.body.len())).map(<[u8]>::to_vec)
    }
}

impl World {
    fn count(&self, call: Call) {
        *self.calls.borrow_mut().entry(call).or_default() += 1;
    }

    /// Does what later callbacks depend on; the new body is made, but not kept.
    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::SetProperty(property, value) => {
                    self.count(Call::Property);
                    self.properties.push((property, value));
                }
                Effect::ReplaceBody { bytes, .. } => {
                    self.count(Call::Body);
                    drop(black_box(bytes));
                }
                Effect::Reply { body, .. } => panic!("{body}"),
                Effect::SetHeader(..) | Effect::RemoveHeader(..) => self.count(Call::Header),
                Effect::Count(..) => self.count(Call::Counter),
                Effect::TellUnheld => {}
            }
        }
    }

    fn exchange(&mut self, route: &Rc<Plugin>, shape: &Rc<Plugin>, answer: &[u8]) {
        let length = self.body.len().to_string();
        let headers: [(&[u8], &[u8]); 7] = [
            (b":method", b"POST"),
            (b":path", b"/v1/messages"),
            (b":authority", b"gateway"),
            (b"content-type", b"application/json"),
            (b"authorization", b"Bearer sk-bench"),
            (b"user-agent", b"bench"),
            (b"content-length", length.as_bytes()),
        ];
        let headers = Headers::new(&headers);
        self.properties.clear();
        let mut stage = Route::new(Rc::clone(route));
        let step = stage.request_headers(&headers, End::Open, Hold::Works, self);
        self.carry_out(step.effects);
        let size = self.body.len();
        for size in (WINDOW_BYTES..size).step_by(WINDOW_BYTES) {
            let step = stage.request_body(size, End::Open, self);
            self.carry_out(step.effects);
        }
        let step = stage.request_body(size, End::Closed, self);
        self.carry_out(step.effects);
        let mut shaping = ShapeStage::new(Rc::clone(shape));
        let step = shaping.request_headers(&headers, End::Open, Hold::Works, self);
        self.carry_out(step.effects);
        let step = shaping.request_body(size, End::Closed, self);
        self.carry_out(step.effects);

        let body = std::mem::replace(&mut self.body, answer.to_vec());
        let headers: [(&[u8], &[u8]); 2] =
            [(b":status", b"200"), (b"content-type", b"application/json")];
        let step = stage.response_headers(&Headers::new(&headers), End::Open, self);
        self.carry_out(step.effects);
        let step = stage.response_body(answer.len(), End::Closed, self);
        self.carry_out(step.effects);
        let effects = stage.done(self);
        self.carry_out(effects);
        self.body = body;
    }
}

/// Conversations of three turns, one after the other.
pub(super) struct Play {
    script: Script,
    route: Rc<Plugin>,
    shape: Rc<Plugin>,
    answer: Vec<u8>,
    world: World,
    sent: u64,
}

impl Play {
    pub(super) fn new(script: Script) -> Self {
        let plugin = |stage| Rc::new(Plugin::new(config(stage), Keys::new(&[7; KEY_BYTES], &[])));
        Self {
            script,
            route: plugin("route"),
            shape: plugin("shape"),
            answer: answer(),
            world: World::default(),
            sent: 0,
        }
    }

    /// Plays the next turn.
    pub(super) fn turn(&mut self) {
        let turns = self.script.turns() as u64;
        let body = self.script.body((self.sent % turns) as usize, self.sent / turns);
        self.world.body.clear();
        self.world.body.extend_from_slice(body);
        self.world.exchange(&self.route, &self.shape, &self.answer);
        self.sent += 1;
    }
}

/// Counts the calls into Envoy of a first turn and of a follow-up.
pub(super) fn calls() {
    let names = CALLS.map(|(_, name)| name);
    let mut report = Report::new(&[&["calls into Envoy"], &names[..]].concat());
    for (name, bytes) in SIZES {
        let shape = Shape { dialect: Dialect::Messages, bytes, stream: false };
        let mut play = Play::new(Script::new(shape));
        for turn in ["first turn", "follow-up"] {
            play.world.calls.take();
            play.turn();
            let calls = play.world.calls.take();
            let number = |call| calls.get(&call).copied().unwrap_or_default().to_string();
            let numbers = CALLS.map(|(call, _)| number(call));
            report.row([format!("{name}, {turn}")].into_iter().chain(numbers));
        }
    }
    print!("{report}");
}
