//! One line per turn, at most 100 columns wide.

use std::collections::BTreeMap;

use crate::played::{Outcome, Turn};

pub fn head() -> String {
    line(["conversation", "turn", "went to", "why there", "input", "from cache", "written"])
}

pub fn row(turn: &Turn) -> String {
    let number = turn.number.to_string();
    match &turn.outcome {
        Outcome::Served { went_to, why, usage } => {
            let [input, read, write] = [usage.input, usage.read, usage.write].map(grouped);
            line([turn.conversation, &number, went_to, why, &input, &read, &write])
        }
        Outcome::Failed { status } => {
            mark(&format!("{}, turn {number}: failed with {status}", turn.conversation))
        }
    }
}

/// Returns a line across the table.
pub fn mark(text: &str) -> String {
    format!("{:-<96}", format!("---- {text} "))
}

/// Says why a request went where it did, from the members of its `x-warmpath` header.
pub fn why(explanation: &BTreeMap<String, String>, went_to: &str) -> String {
    let Some(by) = explanation.get("by") else { return "by weight".into() };
    match explanation.get("pinned") {
        None => "new, by weight".into(),
        Some(pinned) if pinned == went_to => format!("pinned by {by}"),
        Some(pinned) => format!("{by}, but no {pinned}"),
    }
}

/// Writes a number with a comma before every third digit.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

fn line(cells: [&str; 7]) -> String {
    let [conversation, turn, went_to, why, input, read, written] = cells;
    let line = format!(
        "{conversation:<12}  {turn:>4}  {went_to:<11}  {why:<31}  {input:>8}  {read:>10}  {written:>8}"
    );
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use simulator::Usage;

    use super::*;

    #[test]
    fn lines_are_of_one_width_and_fit() {
        let usage = Usage { input: 1_234_567, read: 999_999_999, ..Usage::default() };
        let (why, went_to) = ("response_id, but no anthropic-a".into(), "anthropic-a".into());
        let outcome = Outcome::Served { went_to, why, usage };
        let long = row(&Turn { conversation: "ada", number: 1, outcome });
        assert!(long.len() <= 100 && head().len() == mark("").len(), "{long}");
    }

    #[test]
    fn a_reason_names_the_upstream_that_was_wanted() {
        let explanation = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
        };
        assert_eq!(why(&explanation(&[]), "a"), "by weight");
        assert_eq!(why(&explanation(&[("by", "none")]), "a"), "new, by weight");
        assert_eq!(
            why(&explanation(&[("by", "prefix"), ("pinned", "a")]), "a"),
            "pinned by prefix"
        );
        assert_eq!(
            why(&explanation(&[("by", "prefix"), ("pinned", "b")]), "a"),
            "prefix, but no b"
        );
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
