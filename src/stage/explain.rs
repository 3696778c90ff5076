//! The header that tells a client, and whoever looks over its shoulder, what was done and why: a
//! structured-field dictionary (RFC 9651).

use crate::shape::Rule;
use crate::usage::Counts;

/// The largest integer of a structured field: RFC 9651 allows fifteen digits.
const LARGEST: u64 = 999_999_999_999_999;

/// What is told.
#[derive(Debug, Default)]
pub(super) struct Explanation<'e> {
    pub(super) by: &'e str,
    pub(super) upstream: Option<&'e str>,
    pub(super) pinned: Option<&'e str>,
    pub(super) rules: Vec<Rule>,
    pub(super) attempts: u64,
    pub(super) counts: Counts,
}

impl Explanation<'_> {
    /// The header's value.
    pub(super) fn write(&self) -> String {
        let rules: Vec<&str> = self.rules.iter().map(|rule| rule.name()).collect();
        let edits = rules.join(" ");
        let strings = [
            ("by", Some(self.by)),
            ("upstream", self.upstream),
            ("pinned", self.pinned),
            ("edits", Some(edits.as_str()).filter(|edits| !edits.is_empty())),
        ];
        let integers = [
            ("attempts", Some(self.attempts).filter(|attempts| *attempts > 0)),
            ("input", self.counts.input),
            ("read", self.counts.read),
            ("write", self.counts.write),
        ];
        let mut out = String::with_capacity(160);
        for (key, value) in strings {
            if let Some(value) = value {
                begin(key, &mut out);
                out.push('"');
                for char in value.chars() {
                    // Names of upstreams are visible ASCII; only these two need an escape.
                    if matches!(char, '\\' | '"') {
                        out.push('\\');
                    }
                    out.push(char);
                }
                out.push('"');
            }
        }
        for (key, value) in integers {
            if let Some(value) = value.filter(|value| *value <= LARGEST) {
                begin(key, &mut out);
                out.push_str(&value.to_string());
            }
        }
        out
    }
}

/// Begins a member of the dictionary.
fn begin(key: &str, out: &mut String) {
    if !out.is_empty() {
        out.push_str(", ");
    }
    out.push_str(key);
    out.push('=');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_dictionary() {
        let explanation = Explanation {
            by: "prefix",
            upstream: Some("a\"b"),
            pinned: Some("c"),
            rules: vec![Rule::Cap, Rule::Ttl],
            attempts: 2,
            counts: Counts { input: Some(10), read: Some(0), ..Counts::default() },
        };
        assert_eq!(
            explanation.write(),
            r#"by="prefix", upstream="a\"b", pinned="c", edits="cap ttl", attempts=2, input=10, read=0"#
        );
        assert_eq!(Explanation { by: "none", ..Explanation::default() }.write(), r#"by="none""#);
        let counts = Counts { input: Some(LARGEST + 1), read: Some(LARGEST), ..Counts::default() };
        let long = Explanation { by: "off", counts, ..Explanation::default() };
        assert_eq!(long.write(), r#"by="off", read=999999999999999"#);
    }
}
