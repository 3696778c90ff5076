//! Takes values out of one object of the configuration and collects what is wrong with them.
//!
//! Each method names one key, once; what was never named is unknown. A value that is wrong is told
//! as a problem and stands as its default, so that the rest is checked too.

use core::ops::RangeInclusive;
use std::collections::BTreeMap;

use super::node::Node;
use super::problem::{Problem, Trouble};
use crate::provider::{PROFILES, Profile};

/// Most entries of a list; each costs a look-up per request.
const MOST_ENTRIES: usize = 32;
/// Shortest secret, in bytes: 128 bits.
const LEAST_SECRET: usize = 16;

/// An object of the configuration, and the problems found so far.
pub(super) struct Section<'n, 'p> {
    path: String,
    members: &'n [(String, Node)],
    known: Vec<&'static str>,
    problems: &'p mut Vec<Problem>,
}

impl<'n, 'p> Section<'n, 'p> {
    pub(super) fn new(path: &str, node: &'n Node, problems: &'p mut Vec<Problem>) -> Self {
        let members = match node {
            Node::Object(members) => members.as_slice(),
            other => {
                let trouble = Trouble::Type { expected: "an object", got: other.kind() };
                problems.push(Problem { path: path.to_owned(), trouble });
                &[]
            }
        };
        let section = Self { path: path.to_owned(), members, known: Vec::new(), problems };
        section.twice()
    }

    fn twice(self) -> Self {
        for (at, (key, _)) in self.members.iter().enumerate() {
            if self.members.iter().take(at).any(|(earlier, _)| earlier == key) {
                let path = self.join(key);
                self.problems.push(Problem { path, trouble: Trouble::Twice });
            }
        }
        self
    }

    /// Tells of the keys that nobody asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.members {
            if !self.known.contains(&key.as_str()) {
                let expected = self.known.clone();
                let path = self.join(key);
                self.problems.push(Problem { path, trouble: Trouble::Unknown { expected } });
            }
        }
    }

    fn join(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn problem(&mut self, key: &str, trouble: Trouble) {
        let path = self.join(key);
        self.problems.push(Problem { path, trouble });
    }

    fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        self.members.iter().rev().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    fn wrong_type(&mut self, key: &str, expected: &'static str, node: &Node) {
        self.problem(key, Trouble::Type { expected, got: node.kind() });
    }

    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        self.optional_flag(key).unwrap_or(default)
    }

    pub(super) fn optional_flag(&mut self, key: &'static str) -> Option<bool> {
        match self.take(key)? {
            Node::Flag(flag) => Some(*flag),
            other => {
                self.wrong_type(key, "a boolean", other);
                None
            }
        }
    }

    pub(super) fn integer(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> u32 {
        self.optional_integer(key, range).unwrap_or(default)
    }

    pub(super) fn optional_integer(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let got = match self.take(key)? {
            Node::Integer(number) => match u32::try_from(*number) {
                Ok(number) if range.contains(&number) => return Some(number),
                _ => number.to_string(),
            },
            Node::Number(number) => number.clone(),
            other => {
                self.wrong_type(key, "an integer", other);
                return None;
            }
        };
        self.problem(key, Trouble::Range { from: *range.start(), to: *range.end(), got });
        None
    }

    /// A decimal from 0 to a million.
    pub(super) fn optional_decimal(&mut self, key: &'static str) -> Option<f64> {
        let expected = "a number from 0 to 1000000";
        let got = match self.take(key)? {
            Node::Integer(number) => number.to_string(),
            Node::Number(number) => number.clone(),
            other => {
                self.wrong_type(key, expected, other);
                return None;
            }
        };
        match got.parse::<f64>() {
            Ok(number) if (0.0..=1e6).contains(&number) => Some(number),
            _ => {
                self.problem(key, Trouble::Text { expected, got });
                None
            }
        }
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
        default: T,
    ) -> T {
        self.take(key).and_then(|node| self.word(key, node, words)).unwrap_or(default)
    }

    pub(super) fn required_choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
        expected: &'static str,
    ) -> Option<T> {
        match self.take(key) {
            Some(node) => self.word(key, node, words),
            None => {
                self.problem(key, Trouble::Missing { expected });
                None
            }
        }
    }

    pub(super) fn required_profile(&mut self, key: &'static str) -> Option<&'static Profile> {
        let words = PROFILES.map(|profile| (profile.name, profile));
        self.required_choice(key, &words, "the name of a provider")
    }

    fn word<T: Copy>(&mut self, key: &str, node: &Node, words: &[(&'static str, T)]) -> Option<T> {
        let Node::Text(text) = node else {
            self.wrong_type(key, "a string", node);
            return None;
        };
        let found = words.iter().find(|(word, _)| word == text);
        if found.is_none() {
            let expected = words.iter().map(|(word, _)| *word).collect();
            self.problem(key, Trouble::Word { expected, got: text.clone() });
        }
        found.map(|(_, value)| *value)
    }

    pub(super) fn optional_section<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&mut Section<'_, '_>) -> T,
    ) -> Option<T> {
        let is_given = self.members.iter().any(|(name, _)| name == key);
        let value = self.section(key, parse);
        is_given.then_some(value)
    }

    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&mut Section<'_, '_>) -> T,
    ) -> T {
        let empty = Node::Object(Vec::new());
        let node = self.take(key).unwrap_or(&empty);
        let path = self.join(key);
        let mut section = Section::new(&path, node, self.problems);
        let value = parse(&mut section);
        section.finish();
        value
    }

    /// An object of named sections, at least one.
    pub(super) fn named_sections<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str, &mut Section<'_, '_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = self.take(key) else {
            self.problem(
                key,
                Trouble::Missing { expected: "an object with at least one upstream" },
            );
            return Vec::new();
        };
        let path = self.join(key);
        let all = Section::new(&path, node, self.problems);
        let members = all.members;
        if members.is_empty() && matches!(node, Node::Object(_)) {
            self.problem(key, Trouble::Missing { expected: "at least one upstream" });
        }
        let mut values = Vec::new();
        for (name, node) in members {
            let path = format!("{path}.{name}");
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                let expected = "the name of a cluster, in visible ASCII";
                let trouble = Trouble::Text { expected, got: name.clone() };
                self.problems.push(Problem { path: path.clone(), trouble });
            }
            let mut section = Section::new(&path, node, self.problems);
            values.extend(parse(name, &mut section));
            section.finish();
        }
        values
    }

    pub(super) fn header(&mut self, key: &'static str, default: &str) -> String {
        match self.take(key) {
            None => default.to_owned(),
            Some(node) => self
                .texts(key, std::slice::from_ref(node), is_header, HEADER)
                .pop()
                .unwrap_or_default(),
        }
    }

    pub(super) fn headers(&mut self, key: &'static str, default: &[&str]) -> Vec<String> {
        self.list(key, default, is_header, HEADER)
    }

    pub(super) fn paths(&mut self, key: &'static str, default: &[&str]) -> Vec<String> {
        let is_path = |text: &str| text.len() > 1 && text.starts_with('/') && !text.contains('?');
        self.list(key, default, is_path, "a path from `/` on, without a query")
    }

    pub(super) fn words(&mut self, key: &'static str, default: &[&str]) -> Vec<String> {
        let is_word = |text: &str| !text.is_empty() && text.len() <= 64;
        self.list(key, default, is_word, "the name of a member, of 1 to 64 bytes")
    }

    fn list(
        &mut self,
        key: &'static str,
        default: &[&str],
        fits: impl Fn(&str) -> bool,
        expected: &'static str,
    ) -> Vec<String> {
        match self.take(key) {
            None => default.iter().map(|text| (*text).to_owned()).collect(),
            Some(Node::List(nodes)) => {
                if nodes.len() > MOST_ENTRIES {
                    let got = format!("{} entries", nodes.len());
                    self.problem(key, Trouble::Text { expected: "at most 32 entries", got });
                }
                self.texts(key, nodes, fits, expected)
            }
            Some(other) => {
                self.wrong_type(key, "an array of strings", other);
                Vec::new()
            }
        }
    }

    fn texts(
        &mut self,
        key: &str,
        nodes: &[Node],
        fits: impl Fn(&str) -> bool,
        expected: &'static str,
    ) -> Vec<String> {
        let mut texts = Vec::new();
        for node in nodes {
            match node {
                Node::Text(text) if fits(text) => texts.push(text.clone()),
                Node::Text(text) => {
                    self.problem(key, Trouble::Text { expected, got: text.clone() });
                }
                other => self.wrong_type(key, "a string", other),
            }
        }
        texts
    }

    /// Secrets are never told, whatever is wrong with them.
    pub(super) fn secrets(&mut self, key: &'static str) -> Vec<Vec<u8>> {
        let nodes = match self.take(key) {
            None => return Vec::new(),
            Some(Node::List(nodes)) => nodes,
            Some(other) => {
                self.wrong_type(key, "an array of strings", other);
                return Vec::new();
            }
        };
        let mut secrets = Vec::new();
        for node in nodes {
            match node {
                Node::Text(text) if text.len() >= LEAST_SECRET => {
                    secrets.push(text.clone().into_bytes());
                }
                Node::Text(_) => self.problem(key, Trouble::Short { least: LEAST_SECRET }),
                other => self.wrong_type(key, "a string", other),
            }
        }
        secrets
    }

    /// Names of models and what they become; one step only, or shaping twice would go on.
    pub(super) fn models(&mut self, key: &'static str) -> BTreeMap<String, String> {
        let Some(node) = self.take(key) else { return BTreeMap::new() };
        let path = self.join(key);
        let section = Section::new(&path, node, self.problems);
        let mut models = BTreeMap::new();
        for (from, to) in section.members {
            let path = format!("{path}.{from}");
            let trouble = match to {
                Node::Text(to) if !to.is_empty() => {
                    models.insert(from.clone(), to.clone());
                    continue;
                }
                Node::Text(_) => {
                    Trouble::Text { expected: "the name of a model", got: String::new() }
                }
                other => Trouble::Type { expected: "a string", got: other.kind() },
            };
            self.problems.push(Problem { path, trouble });
        }
        for (from, to) in &models {
            if from != to && models.get(to).is_some_and(|next| next != to) {
                let path = format!("{path}.{from}");
                self.problems.push(Problem { path, trouble: Trouble::Chain { to: to.clone() } });
            }
        }
        models
    }
}

const HEADER: &str = "the name of a header, in lower case";

fn is_header(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
    };
    !text.is_empty() && text.len() <= 64 && text.bytes().all(allowed)
}
