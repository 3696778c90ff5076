//! What the parts of the core cost, natively and without Envoy: so that a change that makes one of them slower is seen by
//! name. Of many short slices the fastest is told; whatever else the machine did only made others slower.

mod play;

use std::fs;
use std::hint::black_box;
use std::time::Duration;

use warmpath::affinity::{Caller, KEY_BYTES, Keys, Request, Store, Table, choose};
use warmpath::config::Config;
use warmpath::dialect::Dialect;
use warmpath::prompt::{Findings, Reader, Ttl};
use warmpath::provider::{self, Profile};
use warmpath::shape::{Policy, Target, shape};
use warmpath::splice::Splicer;
use warmpath::usage::{Body, Purpose, Stream};
use xxhash_rust::xxh3::xxh3_128;

use crate::prompt::{Script, Shape};
use crate::report::{Table as Report, note, progress, title};
use crate::upstream;
use play::{Play, Slots, calls};

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
        items: &[],
        sessions: &[],
        prefix: Some(&findings.prefix),
    };
    let mut table = Table::new(store, config.affinity.entries, NOW);
    black_box(choose(&request, config, keys, &mut table, NOW));
}

/// Returns the body of a JSON answer.
fn answer() -> Vec<u8> {
    let whole = upstream::json(Dialect::Messages);
    let start = memchr::memmem::find(&whole, b"\r\n\r\n").expect("a head") + 4;
    whole[start..].to_vec()
}

const SIZES: [(&str, usize); 3] = [("2 KB", 2_000), ("100 KB", 100_000), ("1 MB", 1_000_000)];
