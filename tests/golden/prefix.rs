//! `prefix/prompts.json` has prompts, `prefix/vectors.json` their digests. Replicas that run two
//! versions must agree on them, so changing one is a decision that a commit has to tell of.

use serde_json::{Map, Value, json};

use crate::expectations::Expectations;
use crate::plugin::dialect;
use crate::plugin::prompt::{hash, read};
use crate::text::lines;

#[test]
fn digests_are_pinned() {
    let mut files = Expectations::of("prefix", &["vectors.json"]);
    let prompts = files.read("prompts.json").expect("the prompts are there");
    let prompts: Map<String, Value> = serde_json::from_slice(&prompts).unwrap();
    let vectors: Map<String, Value> =
        prompts.iter().map(|(name, prompt)| (name.clone(), digests(prompt))).collect();
    files.expect("vectors.json", lines(&vectors.into()).as_bytes());
    files.finish();
}

/// The digests of one prompt; its body is a text, since every byte of it counts.
fn digests(prompt: &Value) -> Value {
    let text = |name: &str| prompt[name].as_str().unwrap_or_default();
    let mut body = text("body").to_owned();
    if let Some(times) = prompt["x_times"].as_u64() {
        body = body.replace('†', &"x".repeat(times as usize));
    }
    let facts = read(dialect(text("dialect")), &[body.as_bytes()]).unwrap();
    let prefix = &facts.prefix;
    let cuts = prefix.cuts.iter().map(|cut| format!("{} {:032x}", cut.length, cut.chain));
    json!({
        "tools": format!("{:032x}", prefix.tools),
        "system": format!("{:032x}", prefix.system),
        "opener": format!("{:032x}", prefix.opener),
        "cuts": cuts.collect::<Vec<_>>(),
        "hash": hash(&facts, text("credential").as_bytes()),
    })
}
