//! Many long bodies that are on their way at once.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::time::Duration;

use warmpath::dialect::Dialect;

use crate::envoy::{Measured, shipped};
use crate::process::Process;
use crate::prompt::{Script, Shape};
use crate::report::{Table, note, progress};

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

pub fn run(upstream: SocketAddr) {
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
        "All bodies are on their way at once: each client keeps the last kilobyte back until every other is there. Envoy \
         itself holds bodies: plain Envoy for retries; where something holds a body before it is routed, in that place \
         too, for a moment. Wasm: resident linear memory of all Wasm machines, which is what the plugin itself keeps.",
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
