//! Many distinct ids, and then the first conversation again.

use std::net::SocketAddr;

use warmpath::dialect::Dialect;

use crate::envoy::{Measured, shipped};
use crate::load::{Load, Plan};
use crate::prompt::{Script, Shape};
use crate::report::{Table, note, progress};

/// Conversations, each with a session id and an answer's id of its own; `IDS` in the environment changes it. The table has
/// 65,536 entries, so it is full long before the end.
const CONVERSATIONS: usize = 300_000;
/// Conversations that come before all others: they cost what everything costs that is used once, V8's compiled code above all.
const WARM_UP: usize = 1_000;
const CONNECTIONS: usize = 4;

pub fn run(upstream: SocketAddr) {
    let all = std::env::var("IDS").ok().map(|ids| ids.parse().expect("IDS: a number"));
    let all: usize = all.unwrap_or(CONVERSATIONS);
    let steps = [all / 30, all / 3, all / 3 * 2, all];
    let heads = steps.map(|ids| format!("{}k", ids / 1000));
    let heads = ["MB after so many ids", "0"].into_iter().chain(heads.iter().map(String::as_str));
    let mut table = Table::new(&heads.collect::<Vec<_>>());
    let mut told = String::new();
    // Plain Envoy remembers none of them, which shows soon.
    let plain = shipped(upstream).without_plugin();
    let with = shipped(upstream).configure(r#""explain": true"#);
    for (name, bootstrap, steps) in
        [("plain Envoy", plain, &steps[..2]), ("with Warmpath", with, &steps[..])]
    {
        let envoy = Measured::start(bootstrap);
        let mut load = Load::connect(envoy.address, &plan(), CONNECTIONS);
        let resident = pass(&envoy, &mut load, name, steps);
        let cells = resident.iter().map(|bytes| format!("{:.1}", *bytes as f64 / 1e6));
        table.row([name.to_string()].into_iter().chain(cells));
        told += &format!(" {name}: {}", growth(&resident, steps));
        if steps.len() > 2 {
            told += &again(&envoy, &mut load);
        }
    }
    print!("{table}");
    note(&format!(
        "Each id is a new conversation with a session id and a response id of its own.{told}"
    ));
}

fn plan() -> Plan {
    let script = Script::new(Shape { dialect: Dialect::Messages, bytes: 1_500, stream: false });
    Plan { path: script.path(), script: script.first_turn(), stream: false, sessions: true }
}

/// Lets ids pass; returns what is resident before, and after so many of them.
fn pass(envoy: &Measured, load: &mut Load, name: &str, steps: &[usize]) -> Vec<u64> {
    load.run(WARM_UP);
    let mut resident = vec![envoy.process.memory().now];
    let mut sent = 0;
    for step in steps {
        progress(&format!("memory, ids {sent} to {step}, {name}"));
        load.run(step - sent);
        sent = *step;
        resident.push(envoy.process.memory().now);
    }
    resident
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

/// Plays the first conversation again, twice: the table has forgotten it, and learns it anew.
fn again(envoy: &Measured, load: &mut Load) -> String {
    let evicted = envoy.stats().sum("warmpath_table_total", &[("event", "evicted")]);
    let mut play = || {
        let (head, body) = load.first_again();
        is_right(&body);
        let told = head.lines().find_map(|line| line.strip_prefix("x-warmpath: "));
        told.expect("an explanation").to_owned()
    };
    let (first, second) = (play(), play());
    let resident = envoy.process.memory().now as f64 / 1e6;
    // Its first answer may have been pinned where the table is larger than what has passed.
    let first_served = member(&first, "upstream");
    let pins = [member(&first, "pinned").or(first_served), member(&second, "pinned")];
    assert_eq!(pins, [first_served; 2], "{first}; {second}");
    format!(
        " The table has pushed {evicted} entries out. Then the first conversation came again and was answered right \
         ({first}), and once more ({second}): {resident:.1} MB."
    )
}

/// Returns a text of an explanation.
fn member<'e>(explanation: &'e str, name: &str) -> Option<&'e str> {
    let mut members = explanation.split(", ").filter_map(|member| member.split_once('='));
    Some(members.find(|(key, _)| *key == name)?.1.trim_matches('"'))
}

/// An answer is the one that the upstream gave, usage included.
fn is_right(answer: &[u8]) {
    let answer: serde_json::Value = serde_json::from_slice(answer).expect("a JSON answer");
    let text = answer["content"][0]["text"].as_str().unwrap_or_default();
    assert!(text.starts_with("I have read the file"), "{answer}");
    assert_eq!(answer["usage"]["cache_read_input_tokens"], 20_480);
}
