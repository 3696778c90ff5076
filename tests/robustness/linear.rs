//! Ten times the bytes take ten times the work, whatever they are.
//!
//! The work is the time that this thread spent on a processor, which other load does not lengthen.

use std::fs;
use std::time::{Duration, Instant};

use crate::plugin::answer::{Purpose, json, stream, usage_of};
use crate::plugin::prompt::{Beside, Upstream, apply, read};
use crate::plugin::{DIALECTS, Dialect};

const SHORT: usize = 60_000;
const LONG: usize = 10 * SHORT;

/// More than this many times the work for ten times the bytes is no longer linear; what grows with
/// the square would take a hundred times.
const MOST: u32 = 35;

/// Other load empties the processor's caches, and long inputs feel that more: what is linear is so in
/// one of these.
const TRIES: usize = 4;

/// The clock of a thread moves in ticks of some milliseconds, so work is repeated for as long as this.
const MEASURED: Duration = Duration::from_millis(25);

/// Most repetitions; what is over by then is short whatever its length.
const MOST_RUNS: u32 = 100;

/// Work that is too short to be measured is as much as this.
const LEAST: Duration = Duration::from_micros(200);

/// Time on a processor that one run of the work takes.
fn worked(work: &dyn Fn()) -> Duration {
    let spent = || {
        let stat = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    };
    let (before, begun) = (spent(), Instant::now());
    let mut runs = 0;
    loop {
        work();
        runs += 1;
        let total = match (before, spent()) {
            (Some(before), Some(after)) => after - before,
            _ => begun.elapsed(),
        };
        if total >= MEASURED || runs == MOST_RUNS {
            return (total / runs).max(LEAST);
        }
    }
}

#[track_caller]
fn is_linear(name: &str, make: &dyn Fn(usize) -> Vec<u8>, work: &dyn Fn(&[u8])) {
    let took = |length: usize| {
        let bytes = make(length);
        worked(&|| work(&bytes))
    };
    let mut seen = Vec::new();
    for _ in 0..TRIES {
        let (short, long) = (took(SHORT), took(LONG));
        if long < MOST * short {
            return;
        }
        seen.push((short, long));
    }
    panic!("{name}: for {SHORT} and {LONG} bytes: {seen:?}");
}

/// `head`, then `item` as often as fits, then `tail`.
fn filled(head: &str, item: &str, tail: &str, length: usize) -> Vec<u8> {
    let times = length / (item.len() + 1);
    format!("{head}{}{tail}", vec![item; times.max(1)].join(",")).into_bytes()
}

/// What is repeated, by name: in front of it, it, and behind it.
const REQUESTS: [(&str, &str, &str, &str); 17] = [
    (
        "blocks",
        r#"{"messages":[{"role":"user","content":["#,
        r#"{"type":"text","text":"a"}"#,
        "]}]}",
    ),
    (
        "marked blocks",
        r#"{"messages":[{"role":"user","content":["#,
        r#"{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}"#,
        "]}]}",
    ),
    (
        "marked thinking",
        r#"{"messages":[{"role":"user","content":["#,
        r#"{"type":"thinking","cache_control":{"type":"ephemeral","ttl":"1h"}}"#,
        "]}]}",
    ),
    (
        "marked results",
        r#"{"messages":[{"role":"user","content":["#,
        r#"{"type":"tool_result","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}"#,
        "]}]}",
    ),
    (
        "messages",
        r#"{"messages":["#,
        r#"{"role":"user","content":"a","cache_control":{"type":"ephemeral"}}"#,
        "]}",
    ),
    ("empty messages", r#"{"messages":["#, r#"{"cache_control":{}}"#, "]}"),
    (
        "turns",
        r#"{"messages":["#,
        r#"{"role":"user","content":"a"},{"role":"assistant","content":"b"}"#,
        "]}",
    ),
    (
        "system messages",
        r#"{"messages":["#,
        r#"{"role":"system","content":"a","cache_control":{"type":"ephemeral"}}"#,
        "]}",
    ),
    (
        "tools",
        r#"{"messages":[],"tools":["#,
        r#"{"name":"f","cache_control":{"type":"ephemeral"}}"#,
        "]}",
    ),
    (
        "system",
        r#"{"messages":[],"system":["#,
        r#"{"type":"text","text":"x-anthropic-billing-header:","cache_control":{"type":"ephemeral"}}"#,
        "]}",
    ),
    (
        "items",
        r#"{"input":["#,
        r#"{"type":"function_call_output","output":"a","cache_control":{"type":"ephemeral"}}"#,
        "]}",
    ),
    (
        "marks of one block",
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a","#,
        r#""cache_control":{"type":"ephemeral"}"#,
        "}]}]}",
    ),
    ("marks at the top", r#"{"messages":[],"#, r#""cache_control":{"type":"ephemeral"}"#, "}"),
    ("fields", r#"{"messages":[],"#, r#""prompt_cache_key":"k""#, "}"),
    ("ids", r#"{"messages":[],"#, r#""session_id":"k""#, "}"),
    ("names", r#"{"messages":[],"#, r#""a":1"#, "}"),
    ("text", r#"{"messages":[{"role":"user","content":""#, "a", "\"}]}"),
];

#[test]
fn requests_take_linear_time() {
    for (name, head, item, tail) in REQUESTS {
        for dialect in DIALECTS {
            let provider = if dialect == Dialect::Responses { "openrouter" } else { "qwen" };
            let upstreams = ["keep", "inject"].map(|marks| Upstream::of(provider, marks));
            is_linear(
                &format!("{name} in {}", dialect.name()),
                &|length| filled(head, item, tail, length),
                &|body| {
                    let Ok(facts) = read(dialect, &[body]) else { return };
                    for upstream in &upstreams {
                        let shaping = upstream.shape(&facts.prompt, Beside::default()).unwrap();
                        apply(&[body], &shaping.edits).unwrap();
                    }
                },
            );
        }
    }
}

const ANSWERS: [(&str, &str, &str, &str); 6] = [
    ("ids", "{", r#""id":"chatcmpl-1""#, "}"),
    ("usages", "{", r#""usage":{"prompt_tokens":1,"cached_tokens":1}"#, "}"),
    ("counts", r#"{"usage":{"#, r#""prompt_tokens":1"#, "}}"),
    ("details", r#"{"usage":{"#, r#""prompt_tokens_details":{"cached_tokens":1}"#, "}}"),
    ("choices", r#"{"choices":["#, r#"{"usage":{"prompt_tokens":1}}"#, "]}"),
    ("text", r#"{"choices":[{"message":{"content":""#, "a", "\"}}]}"),
];

#[test]
fn answers_take_linear_time() {
    for (name, head, item, tail) in ANSWERS {
        let body = |length| filled(head, item, tail, length);
        let usage = usage_of("litellm");
        is_linear(name, &body, &|body| _ = json(Dialect::Chat, usage, &[body]));
        let event = |length| [b"data: ", &*filled(head, item, tail, length), b"\n\n"].concat();
        let events = |length| {
            let event = [b"data: ", &*filled(head, item, tail, 1), b"\n\n"].concat();
            event.repeat(length / event.len())
        };
        let makes: [&dyn Fn(usize) -> Vec<u8>; 2] = [&event, &events];
        for make in makes {
            for purpose in [Purpose::Rewrite, Purpose::RewriteAndSwallow] {
                is_linear(&format!("{name}, {purpose:?}"), make, &|body| {
                    let chunks: Vec<&[u8]> = body.chunks(100).collect();
                    stream(Dialect::Chat, usage, purpose, &chunks);
                });
            }
        }
    }
}
