//! `reference/counts.json` says what answers count, worked out without the plugin: what both say alike is right twice.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::expectations::root;
use crate::plugin::answer::{Purpose, json as heard_json, stream, told, usage_of};
use crate::plugin::dialect;

/// What one provider or another could answer to the requests of the three dialects.
const FEWEST: usize = 53;

#[test]
fn answers_count_what_the_reference_counts() {
    let text = fs::read(root().join("reference/counts.json")).unwrap();
    let reference: BTreeMap<String, Value> = serde_json::from_slice(&text).unwrap();
    assert!(reference.len() >= FEWEST, "only {} answers have a reference", reference.len());
    let mut wrong = Vec::new();
    for (path, mut expected) in reference {
        let (folder, file) = path.split_once('/').expect("answers are in folders");
        let dialect = dialect(file.split('.').next().expect("it names its dialect"));
        let usage = usage_of(folder);
        let body = fs::read(root().join("responses").join(&path)).unwrap();
        let heard = if path.ends_with(".json") {
            heard_json(dialect, usage, &[&body])
        } else {
            stream(dialect, usage, Purpose::Rewrite, &[&body])
        };
        let id = expected.as_object_mut().expect("an object").remove("id").expect("an id, or null");
        if json!(heard.ids.first()) != id || told(&heard.counts) != expected {
            wrong.push(format!("{path}: expected {expected} of {id}, got {heard:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
