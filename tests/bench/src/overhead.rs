//! What Warmpath adds to a request: processor time of the Envoy process, against plain Envoy in the same run.
//!
//! Plain Envoy, Envoy with two idle stages, with a filter that does the least that one of this kind must do, and with
//! everything on run side by side. They are measured in short slices, one after the other, again and again; each slice is
//! compared with that of plain Envoy in the same round. So what else the machine does falls on all of them, and the median
//! of the ratios leaves out the rounds in which it did not.

use std::time::Duration;

use warmpath::dialect::Dialect;

use crate::envoy::{Measured, shipped, with_the_least};
use crate::load::{Load, Plan};
use crate::prompt::{Script, Shape};
use crate::report::{Table, note, progress, title};
use crate::sample::{Spread, median};
use crate::upstream;

const CONNECTIONS: usize = 4;
/// Short requests, of each dialect, before anything is measured. V8 begins with code that is quick to make and slow to run, and
/// makes a function anew once it has run for long; so a plugin is at its full speed after some 10,000 requests.
const WARM_UP: usize = 20_000;
/// Slices of each lane. An odd number, so that there is a middle one.
const ROUNDS: usize = 21;

/// One size or kind of request.
struct Case {
    name: &'static str,
    dialect: Dialect,
    bytes: usize,
    stream: bool,
    /// Requests of a slice: some 50 to 100 ms of Envoy's time.
    requests: usize,
    /// The most that everything on is to cost, as a multiple of plain Envoy.
    aim: f64,
}

const CASES: [Case; 6] = [
    Case { name: "messages 2 KB", bytes: 2_000, requests: 480, aim: 1.6, ..MESSAGES },
    Case { name: "messages 100 KB", bytes: 100_000, requests: 240, aim: 1.7, ..MESSAGES },
    Case { name: "messages 1 MB", bytes: 1_000_000, requests: 60, aim: 1.8, ..MESSAGES },
    Case { name: "chat 100 KB", dialect: Dialect::Chat, bytes: 100_000, requests: 240, ..MESSAGES },
    Case { name: "messages stream", stream: true, ..STREAM },
    Case { name: "chat stream", stream: true, dialect: Dialect::Chat, ..STREAM },
];
const MESSAGES: Case =
    Case { name: "", dialect: Dialect::Messages, bytes: 0, stream: false, requests: 0, aim: 1.7 };
const STREAM: Case = Case { bytes: 2_000, requests: 8, aim: 1.1, ..MESSAGES };

/// An Envoy and the traffic that it gets.
struct Lane {
    name: &'static str,
    process: crate::process::Process,
    load: Load,
    slices: Vec<Slice>,
}

#[derive(Clone, Copy)]
struct Slice {
    /// Per request, in microseconds.
    cpu: f64,
    latency: f64,
    delay: f64,
}

pub fn run() {
    title("Overhead: processor time of Envoy per request, as a multiple of plain Envoy");
    let upstream = upstream::serve();
    let plain = Measured::start(shipped(upstream).without_plugin());
    let idle = Measured::start(shipped(upstream));
    let least = Measured::start(with_the_least(shipped(upstream)));
    let on = Measured::start(shipped(upstream));
    progress(&format!("overhead, everything on is process {}", on.process.id()));
    for (envoy, traffic) in
        [(&idle, Traffic::Unknown), (&least, Traffic::Recognised), (&on, Traffic::Recognised)]
    {
        warm_up(envoy, traffic);
    }
    let mut costs =
        Table::new(&["request", "case", "us/request", "ratio", "quartiles", "aim", "", "p50"]);
    let mut delays = Table::new(&["stream", "case", "delay of an event", "ratio", "quartiles"]);
    let wanted = std::env::var("CASE").unwrap_or_default();
    for case in CASES.iter().filter(|case| case.name.contains(&wanted)) {
        progress(&format!("overhead, {}", case.name));
        let mut lanes = [
            Lane::new("plain Envoy", &plain, case, Traffic::Recognised),
            Lane::new("two idle stages", &idle, case, Traffic::Unknown),
            Lane::new("the least filter", &least, case, Traffic::Recognised),
            Lane::new("everything on", &on, case, Traffic::Recognised),
        ];
        measure(&mut lanes, case);
        let [plain, rest @ ..] = &lanes;
        costs.row([
            case.name.into(),
            plain.name.into(),
            format!("{:.0}", plain.middle(|slice| slice.cpu)),
            "1.00".into(),
        ]);
        for lane in rest {
            let ratio = lane.ratio(plain, |slice| slice.cpu);
            let latency = lane.ratio(plain, |slice| slice.latency);
            let mut row = vec![
                String::new(),
                lane.name.into(),
                format!("{:.0}", lane.middle(|slice| slice.cpu)),
                format!("{:.2}", ratio.middle),
                format!("{:.2}-{:.2}", ratio.low, ratio.high),
            ];
            if lane.name == "everything on" {
                let met = if ratio.middle <= case.aim { "met" } else { "missed" };
                row.extend([format!("<= {:.1}", case.aim), met.into()]);
            } else {
                row.extend([String::new(), String::new()]);
            }
            if !case.stream {
                row.push(format!("{:.2}", latency.middle));
            }
            costs.row(row);
        }
        if case.stream {
            let delay = |lane: &Lane| format!("{:.0} us", lane.middle(|slice| slice.delay));
            delays.row([case.name.into(), plain.name.into(), delay(plain), "1.00".into()]);
            for lane in rest {
                let ratio = lane.ratio(plain, |slice| slice.delay);
                let quartiles = format!("{:.2}-{:.2}", ratio.low, ratio.high);
                let ratio = format!("{:.2}", ratio.middle);
                delays.row([String::new(), lane.name.into(), delay(lane), ratio, quartiles]);
            }
        }
    }
    print!("{costs}");
    note(
        "One worker, 4 connections that are kept, one first turn to two follow-ups. Everything on is the shipped \
         configuration; idle stages get the same bodies at a path that is not recognised. The least filter (tests/bench/least) \
         takes bodies out, sets headers and makes one edit as Warmpath does, and computes nothing. A stream has 200 events, \
         one every 2 ms. p50: the client's median latency, as a multiple of plain Envoy's.",
    );
    println!();
    print!("{delays}");
    note("From the upstream's write of an event to the client's read, median.");
}

#[derive(Clone, Copy)]
enum Traffic {
    Recognised,
    /// Takes the same route, but is no prompt.
    Unknown,
}

impl Lane {
    fn new(name: &'static str, envoy: &Measured, case: &Case, traffic: Traffic) -> Self {
        let Case { dialect, bytes, stream, .. } = *case;
        let script = Script::new(Shape { dialect, bytes, stream });
        let path = match (traffic, dialect) {
            (Traffic::Recognised, _) => script.path(),
            (Traffic::Unknown, Dialect::Messages) => "/v1/messages/unknown",
            (Traffic::Unknown, _) => "/v1/chat/completions/unknown",
        };
        let plan = Plan { script, path, stream, sessions: false };
        let load = Load::connect(envoy.address, &plan, CONNECTIONS);
        Self { name, process: envoy.process.clone(), load, slices: Vec::new() }
    }

    fn slice(&mut self, requests: usize) -> Slice {
        let before = self.process.cpu();
        let seen = self.load.run(requests);
        let cpu = (self.process.cpu() - before).as_secs_f64() * 1e6;
        let middle = |times: &[Duration]| {
            median(times.iter().map(|time| time.as_secs_f64() * 1e6).collect())
        };
        Slice {
            cpu: cpu / seen.latencies.len() as f64,
            latency: middle(&seen.latencies),
            delay: middle(&seen.delays),
        }
    }

    fn middle(&self, of: impl Fn(&Slice) -> f64) -> f64 {
        median(self.slices.iter().map(of).collect())
    }

    /// Compares slice by slice.
    fn ratio(&self, plain: &Self, of: impl Fn(&Slice) -> f64) -> Spread {
        let pairs = self.slices.iter().zip(&plain.slices);
        Spread::of(pairs.map(|(slice, plain)| of(slice) / of(plain)).collect())
    }
}

fn warm_up(envoy: &Measured, traffic: Traffic) {
    for dialect in [Dialect::Messages, Dialect::Chat] {
        progress(&format!("overhead, {WARM_UP} requests to warm up"));
        let case = Case { dialect, bytes: 2_000, ..MESSAGES };
        Lane::new("", envoy, &case, traffic).load.run(WARM_UP);
    }
}

fn measure(lanes: &mut [Lane], case: &Case) {
    // Pools of connections fill, and what only this case needs is compiled.
    for lane in lanes.iter_mut() {
        lane.slice(case.requests * 2);
    }
    for round in 0..ROUNDS {
        // Each lane is as often the first as the last.
        for turn in 0..lanes.len() {
            let lane = (round + turn) % lanes.len();
            let slice = lanes[lane].slice(case.requests);
            lanes[lane].slices.push(slice);
        }
    }
}
