//! What the fuzzers found worth keeping, asked again in every run.

use std::fs;
use std::path::Path;

use crate::laws;

/// The inputs of a fuzz target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/robustness/fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder:?} is empty");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn kept_requests_break_no_law() {
    corpus("request").iter().for_each(|input| laws::fuzzed::request(input));
}

#[test]
fn kept_answers_break_no_law() {
    corpus("answer").iter().for_each(|input| laws::fuzzed::answer(input));
}

#[test]
fn kept_texts_are_judged_alike() {
    corpus("json").iter().for_each(|input| laws::fuzzed::json(input));
}
