//! What Warmpath keeps: resident memory of the Envoy process while many ids and conversations pass, and while many long
//! bodies are on their way at once; each time beside plain Envoy under the same load.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::time::Duration;

use warmpath::dialect::Dialect;

use crate::envoy::{Measured, shipped};
use crate::load::{Load, Plan};
use crate::process::Process;
use crate::prompt::{Script, Shape};
use crate::report::{Table, note, progress, title};
use crate::upstream;

/// Conversations, each with a session id and an answer's id of its own; `IDS` in the environment changes it. The table has
/// 65,536 entries, so it is full long before the end.
const CONVERSATIONS: usize = 300_000;
/// Plain Envoy remembers none of them, which shows soon: of so many, one is played.
const PLAIN_PART: usize = 3;
const CONNECTIONS: usize = 4;

const BODIES: usize = 64;
/// Just below `limits.request_body_bytes`, so that the plugin reads all of it.
const BODY_BYTES: usize = 8_000_000;
const WAVES: usize = 3;
/// What of each body comes last, once all others are there.
const TAIL_BYTES: usize = 1_000;

const ROUTER: &str = "          - name: envoy.filters.http.router\n";
/// Holds each request until its body is whole, as one must who reads it before a route is chosen.
const BUFFER: &str = "          - name: envoy.filters.http.buffer
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer
              max_request_bytes: 16777216
";

pub fn run() {
    title("Memory: resident bytes of the Envoy process");
    let upstream = upstream::serve();
    ids(upstream);
    println!();
    bodies(upstream);
}

fn ids(upstream: SocketAddr) {
    let all = std::env::var("IDS").ok().map(|ids| ids.parse().expect("IDS: a number"));
    let all: usize = all.unwrap_or(CONVERSATIONS);
    let steps = [all / 30, all / 3, all / 3 * 2, all];
    let heads = steps.map(|ids| format!("{}k", ids / 1000));
    let heads = ["MB after so many ids", "0"].into_iter().chain(heads.iter().map(String::as_str));
    let mut table = Table::new(&heads.collect::<Vec<_>>());
    let mut told = String::new();
    for (name, bootstrap, conversations) in [
        ("plain Envoy", shipped(upstream).without_plugin(), all / PLAIN_PART),
        ("with Warmpath", shipped(upstream), all),
    ] {
        progress(&format!("memory, {conversations} ids, {name}"));
        let envoy = Measured::start(bootstrap);
        let script = Script::new(Shape { dialect: Dialect::Messages, bytes: 1_500, stream: false });
        let (path, script) = (script.path(), script.first_turn());
        let plan = Plan { path, script, stream: false, sessions: true };
        let mut load = Load::connect(envoy.address, &plan, CONNECTIONS);
        // What everything that is used once costs, V8's compiled code above all.
        load.run(1_000);
        let mut resident = vec![envoy.process.memory().now];
        let mut sent = 0;
        for step in steps.into_iter().take_while(|step| *step <= conversations) {
            load.run(step - sent);
            sent = step;
            resident.push(envoy.process.memory().now);
            progress(&format!("memory, {sent} ids have passed"));
        }
        let cells = resident.iter().map(|bytes| format!("{:.1}", *bytes as f64 / 1e6));
        table.row([name.to_string()].into_iter().chain(cells));
        told += &format!(" {name}: {}", growth(&resident, &steps));
        is_right(&load.again(1));
    }
    print!("{table}");
    note(&format!(
        "Each id is a new conversation with a session id and a response id of its own. When all have passed, the first one \
         is played again and its answer is right.{told}"
    ));
}

/// Says by how much the resident memory grew per id.
fn growth(resident: &[u64], steps: &[usize]) -> String {
    let per_id = |from: usize, to: usize, ids: usize| {
        (resident[to] as f64 - resident[from] as f64) / ids as f64
    };
    let last = resident.len() - 1;
    let told = format!("{:.1} bytes per id over all", per_id(0, last, steps[last - 1]));
    match last {
        4 => {
            let late = per_id(2, 4, steps[3] - steps[1]);
            format!("{told}, {late:.1} over the last two thirds.")
        }
        _ => told + ".",
    }
}

/// An answer is the one that the upstream gave, usage included.
fn is_right(answer: &[u8]) {
    let answer: serde_json::Value = serde_json::from_slice(answer).expect("a JSON answer");
    let text = answer["content"][0]["text"].as_str().unwrap_or_default();
    assert!(text.starts_with("I have read the file"), "{answer}");
    assert_eq!(answer["usage"]["cache_read_input_tokens"], 20_480);
}

fn bodies(upstream: SocketAddr) {
    let mut table =
        Table::new(&["MB with 64 bodies of 8 MB", "before", "all there", "peak", "after", "Wasm"]);
    let plain = || shipped(upstream).without_plugin();
    for (name, bootstrap) in [
        ("plain Envoy", plain()),
        ("plain Envoy that holds bodies", plain().replace(ROUTER, &format!("{BUFFER}{ROUTER}"))),
        ("with Warmpath", shipped(upstream)),
    ] {
        progress(&format!("memory, {BODIES} bodies of 8 MB, {name}"));
        let envoy = Measured::start(bootstrap);
        let shape = Shape { dialect: Dialect::Messages, bytes: BODY_BYTES, stream: false };
        let mut script = Script::new(shape);
        let (path, body) = (script.path(), script.body(0, 1));
        for wave in 1..=WAVES {
            let before = envoy.process.memory().now;
            envoy.process.forget_peak();
            let there = send_together(envoy.address, path, body, &envoy.process);
            let memory = envoy.process.memory();
            let wasm = envoy.process.wasm_memories().iter().sum();
            let numbers = [before, there, memory.peak, memory.now, wasm];
            let name = if wave == 1 { name.to_string() } else { format!("  wave {wave}") };
            let numbers = numbers.map(|bytes| format!("{:.0}", bytes as f64 / 1e6));
            table.row([name].into_iter().chain(numbers));
        }
    }
    print!("{table}");
    note(
        "All bodies are on their way at once: each client keeps the last kilobyte back until every other is there. Envoy          itself holds bodies: plain Envoy for retries; where something holds a body before it is routed, in that place too,          for a moment. Wasm: resident linear memory of all Wasm machines, which is what the plugin itself keeps.",
    );
}

/// Sends the body over as many connections as there are bodies, and returns how much is resident when all are there.
fn send_together(address: SocketAddr, path: &str, body: &[u8], process: &Process) -> u64 {
    let (head, tail) = body.split_at(body.len() - TAIL_BYTES);
    let barrier = Barrier::new(BODIES + 1);
    std::thread::scope(|scope| {
        for number in 0..BODIES {
            let barrier = &barrier;
            scope.spawn(move || {
                let mut connection = TcpStream::connect(address).expect("a connection");
                let line = format!(
                    "POST {path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\nauthorization: Bearer sk-{number}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                connection.write_all(line.as_bytes()).expect("an Envoy that reads");
                connection.write_all(head).expect("an Envoy that reads");
                barrier.wait();
                barrier.wait();
                connection.write_all(tail).expect("an Envoy that reads");
                let mut answer = Vec::new();
                connection.read_to_end(&mut answer).expect("an answer");
                let status = String::from_utf8_lossy(&answer[..answer.len().min(15)]).into_owned();
                assert_eq!(status, "HTTP/1.1 200 OK", "{}", String::from_utf8_lossy(&answer));
            });
        }
        barrier.wait();
        // What is written is still on its way through the sockets.
        std::thread::sleep(Duration::from_millis(500));
        let there = process.memory().now;
        barrier.wait();
        there
    })
}
