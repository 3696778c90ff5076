//! What the parts of the core cost, natively and without Envoy: so that a change that makes one of them slower is seen by
//! name. Of many short slices the fastest is told; whatever else the machine did only made others slower.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use warmpath::affinity::{Caller, Conflict, KEY_BYTES, Keys, Request, Store, Table, choose};
use warmpath::config::Config;
use warmpath::dialect::Dialect;
use warmpath::prompt::{Findings, Reader, Ttl};
use warmpath::provider::{self, Profile};
use warmpath::shape::{Policy, Target, shape};
use warmpath::splice::Splicer;
use warmpath::stage::{
    Effect, End, Headers, Hold, Host, Plugin, Property, Route, Shape as ShapeStage,
};
use warmpath::usage::{Body, Purpose, Stream};
use xxhash_rust::xxh3::xxh3_128;

use crate::prompt::{Script, Shape};
use crate::report::{Table as Report, note, progress, title};
use crate::upstream;

const SLICES: usize = 40;
const SLICE: Duration = Duration::from_millis(10);
/// As the plugin reads a body.
const WINDOW_BYTES: usize = 65_536;
const NOW: u32 = 1_790_000_000;

pub fn run() {
    title("Core: what its parts cost natively, of a messages body of 1 MB unless said otherwise");
    progress("core");
    let mut report = Report::new(&["part", "us", "us/100 KB", "GB/s"]);
    let mut row = |name: &str, bytes: usize, pass: &mut dyn FnMut()| {
        let time = fastest(pass).as_secs_f64();
        let of_bytes = |value: f64, digits: usize| match bytes {
            0 => String::new(),
            _ => format!("{value:.digits$}"),
        };
        let bytes = bytes as f64;
        report.row([
            name.into(),
            format!("{:.2}", time * 1e6),
            of_bytes(time * 1e6 * 100_000.0 / bytes, 2),
            of_bytes(bytes / time / 1e9, 2),
        ]);
    };
    let of = |dialect, bytes| Script::new(Shape { dialect, bytes, stream: false });
    let mut script = of(Dialect::Messages, 1_000_000);
    let large = script.body(0, 1).to_vec();
    let escapes = memchr::memchr_iter(b'\\', &large).count();
    let chat = of(Dialect::Chat, 100_000).body(0, 1).to_vec();
    let small = of(Dialect::Messages, 2_000).body(0, 1).to_vec();

    row("for comparison: memchr over all of it", large.len(), &mut || {
        black_box(memchr::memchr(0xFF, black_box(&large)));
    });
    row("for comparison: XXH3 over all of it", large.len(), &mut || {
        black_box(xxh3_128(black_box(&large)));
    });
    row("lexing, nothing entered", large.len(), &mut || drop(read(Dialect::Objects, &large)));
    row("reading: facts and digests", large.len(), &mut || drop(read(Dialect::Messages, &large)));
    row("the same, chat of 100 KB", chat.len(), &mut || drop(read(Dialect::Chat, &chat)));
    row("the same, messages of 2 KB", small.len(), &mut || drop(read(Dialect::Messages, &small)));

    let findings = read(Dialect::Messages, &large);
    let target = target();
    let shaping = shape(&findings.prompt, &target);
    row("shaping: facts to edits", 0, &mut || drop(shape(&findings.prompt, &target)));
    let splice = || {
        let mut splicer = Splicer::new(shaping.edits.clone());
        let reach = splicer.reach(large.len());
        splicer.splice(&large[..reach], large.len()).expect("edits that fit")
    };
    row("splicing", large.len(), &mut || drop(splice()));

    let mut store = Slots::default();
    let config = config("route");
    let keys = Keys::new(&[7; KEY_BYTES], &[]);
    row("choosing, nothing known", 0, &mut || {
        pin(&findings, &config, &keys, &mut store);
    });
    for (name, bytes) in SIZES {
        let mut play = Play::new(of(Dialect::Messages, bytes));
        row(&format!("whole exchange of {name}, both stages"), 0, &mut || play.turn());
    }

    for (name, dialect) in [("messages", Dialect::Messages), ("chat", Dialect::Chat)] {
        let (first, last) = upstream::frame(dialect, 1);
        let event = upstream::event(dialect, 1);
        let bytes = first.len() + last.len() + upstream::EVENTS * event.len();
        row(&format!("usage of a {name} stream, event by event"), bytes, &mut || {
            let mut stream =
                Stream::new(dialect, provider::Usage::Standard, Purpose::RewriteAndSwallow);
            stream.push(black_box(first.as_bytes()));
            (0..upstream::EVENTS).for_each(|_| drop(stream.push(black_box(event.as_bytes()))));
            stream.push(last.as_bytes());
            black_box(stream.finish());
        });
    }
    let answer = answer();
    row("usage of a JSON answer", answer.len(), &mut || {
        let mut body = Body::default();
        body.push(black_box(&answer));
        black_box(body.finish(Dialect::Messages, provider::Usage::Standard));
    });
    print!("{report}");
    note(&format!(
        "Processor time of the fastest of {SLICES} slices of {} ms each. The body has an escape every {} bytes. A whole \
         exchange is a third of one first turn and two follow-ups: everything that the plugin does for a request and its \
         answer, without Envoy, V8 and the calls between them.",
        SLICE.as_millis(),
        large.len() / escapes,
    ));
    println!();
    calls();
}

/// Returns the processor time of a pass in the fastest slice.
fn fastest(pass: &mut dyn FnMut()) -> Duration {
    let time = |pass: &mut dyn FnMut(), passes: u32| {
        let start = cpu();
        (0..passes).for_each(|_| pass());
        cpu() - start
    };
    let mut passes = 1;
    while time(pass, passes) < SLICE {
        passes *= 2;
    }
    let slices = (0..SLICES).map(|_| time(pass, passes));
    slices.min().expect("some slices") / passes
}

/// Returns the processor time that this thread has used.
fn cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("/proc: this needs Linux");
    let nanoseconds = text.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number of nanoseconds"))
}

fn read(dialect: Dialect, body: &[u8]) -> Findings {
    let mut reader = Reader::new(dialect, [].into());
    for window in black_box(body).chunks(WINDOW_BYTES) {
        reader.push(window).expect("JSON");
    }
    black_box(reader.finish().expect("a prompt"))
}

fn target() -> Target<'static> {
    let model = "claude-sonnet-4-5-20250929";
    let profile = Profile::named("anthropic").expect("a provider");
    Target {
        accepts: profile.accepts(Dialect::Messages, model).expect("a dialect that it speaks"),
        policy: Policy::Inject(Ttl::FiveMinutes),
        min_tokens: (profile.min_tokens)(model),
        model: None,
        cache_key: None,
        scope_beta: false,
        ask_usage: true,
    }
}

fn config(stage: &str) -> Config {
    let text = format!(
        r#"{{"stage": "{stage}", "upstreams": {{
            "anthropic-a": {{"provider": "anthropic", "marks": "inject"}},
            "anthropic-b": {{"provider": "anthropic", "marks": "inject"}},
            "openai-a": {{"provider": "openai", "cache_key": "set"}}}}}}"#
    );
    Config::parse(text.as_bytes()).expect("a configuration")
}

fn pin(findings: &Findings, config: &Config, keys: &Keys, store: &mut dyn Store) {
    let request = Request {
        dialect: Dialect::Messages,
        caller: Caller::new([("authorization", &b"Bearer sk-bench"[..])].into_iter()),
        model: "claude-sonnet-4-5-20250929",
        request_id: None,
        response_id: None,
        path: b"",
        fields: &[],
        sessions: &[],
        prefix: Some(&findings.prefix),
    };
    let mut table = Table::new(store, config.affinity.entries, NOW);
    black_box(choose(&request, config, keys, &mut table, NOW));
}

/// Shared data, as Envoy keeps it.
#[derive(Default)]
struct Slots(HashMap<u32, (Vec<u8>, u32)>);

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
struct Play {
    script: Script,
    route: Rc<Plugin>,
    shape: Rc<Plugin>,
    answer: Vec<u8>,
    world: World,
    sent: u64,
}

impl Play {
    fn new(script: Script) -> Self {
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
    fn turn(&mut self) {
        let turns = self.script.turns() as u64;
        let body = self.script.body((self.sent % turns) as usize, self.sent / turns);
        self.world.body.clear();
        self.world.body.extend_from_slice(body);
        self.world.exchange(&self.route, &self.shape, &self.answer);
        self.sent += 1;
    }
}

/// Returns the body of a JSON answer.
fn answer() -> Vec<u8> {
    let whole = upstream::json(Dialect::Messages);
    let start = memchr::memmem::find(&whole, b"\r\n\r\n").expect("a head") + 4;
    whole[start..].to_vec()
}

/// Counts the calls into Envoy of a first turn and of a follow-up.
fn calls() {
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

const SIZES: [(&str, usize); 3] = [("2 KB", 2_000), ("100 KB", 100_000), ("1 MB", 1_000_000)];
