//! README.md says of every input where it comes from.

use std::fs;

use crate::expectations::{files, root};

#[test]
fn every_input_has_its_provenance() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    // What comes before says how files are named.
    let (_, rows) = readme.split_once("\n## Requests\n").expect("its first section");
    let named: Vec<&str> = rows
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(path, _)| path)
        .collect();
    let expectations =
        [".facts.json", ".shaped.json", ".usage.json", ".swallowed.sse", ".txt", "vectors.json"];
    let is_input = |path: &str| {
        let made = expectations.iter().any(|end| path.ends_with(end)) || path.contains(".client.");
        !made && !path.ends_with(".sent.json") && !path.ends_with(".rs") && path.contains('/')
    };
    let inputs: Vec<String> = files(&root()).into_iter().filter(|path| is_input(path)).collect();
    let missing: Vec<_> = inputs.iter().filter(|path| !named.contains(&path.as_str())).collect();
    assert!(missing.is_empty(), "README.md has no row for {missing:#?}");
    let gone: Vec<_> =
        named.iter().filter(|name| !inputs.iter().any(|path| path == *name)).collect();
    assert!(gone.is_empty(), "README.md has rows for what is not there: {gone:#?}");
}
