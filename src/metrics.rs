//! Every metric: its name and what one increment means.
//!
//! Envoy's counters have no labels, so the names spell them out, and the bootstrap's `stats_tags`
//! turn them into labels: `warmpath.exchanges.upstream.<u>.by.<b>.total`. All are defined at
//! start, so that a rate has a zero to begin at. Labels come from the configuration and from the
//! lists below, never from a client.

use crate::affinity::{By, Events};
use crate::config::{Config, Price};
use crate::shape::Rule;
use crate::usage::Counts;

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// An answered request of a known dialect, whatever its status; an upstream that is not
    /// configured is none.
    Exchanges { upstream: Option<usize>, by: By },
    /// An answered request that was pinned, or would have been.
    Pins(Outcome),
    /// A token of an answer's usage.
    Tokens { upstream: Option<usize>, kind: Tokens },
    /// A millionth of the operator's unit of price: saved by reading, or paid more for writing, than
    /// the same tokens would have cost without a cache.
    Savings { upstream: Option<usize>, kind: Saving },
    /// A token that was written, or processed again, because Envoy served a pinned request elsewhere.
    Moved { upstream: Option<usize> },
    /// An edit of a body.
    Edits(Rule),
    /// Something left alone.
    Skips(Skip),
    /// An event at the table.
    Table(Event),
}

/// What became of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Served where pinned, retries there included.
    Kept,
    /// Envoy served it elsewhere.
    Moved,
    /// It named an upstream that is no longer configured.
    Stale,
}

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// Of the prompt, neither read from the cache nor written to it.
    Input,
    Read,
    Write5m,
    Write1h,
    /// Written, for how long is not known.
    Write,
    Output,
}

/// What a cache changes of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saving {
    Saved,
    Paid,
}

/// Why an exchange, or a part of its handling, was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The request is no JSON by its content type.
    ContentType,
    /// The request has a content encoding.
    Encoded,
    /// The body is no JSON, or is cut short.
    NotJson,
    /// The body is nested too deep.
    TooDeep,
    /// The body is JSON, but no request of its dialect.
    NoPrompt,
    /// A member that decides what the prompt is stands twice.
    Duplicate,
    /// The body has more blocks or marks than are kept.
    TooMany,
    /// The body is longer than `limits.request_body_bytes`.
    BodyTooLarge,
    /// Nothing of the body came within `limits.hold_ms`.
    LateBody,
    /// Envoy's `allow_on_headers_stop_iteration` is missing, so no prompt can be read.
    Unheld,
    /// The upstream is not in the configuration.
    UnknownUpstream,
    /// The upstream does not speak the request's dialect.
    Dialect,
    /// The body that came was not the one that was read; the client got a 502.
    BodyChanged,
    /// The answer has a content encoding.
    AnswerEncoded,
    /// The answer is longer than `limits.response_body_bytes`.
    AnswerTooLarge,
}

/// An event at the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Hit,
    Miss,
    Expired,
    Evicted,
    /// Two workers wrote one slot at a time; the second tried again.
    Conflict,
}

const OUTCOMES: [(Outcome, &str); 3] =
    [(Outcome::Kept, "kept"), (Outcome::Moved, "moved"), (Outcome::Stale, "stale")];

const TOKENS: [(Tokens, &str); 6] = [
    (Tokens::Input, "input"),
    (Tokens::Read, "read"),
    (Tokens::Write5m, "write_5m"),
    (Tokens::Write1h, "write_1h"),
    (Tokens::Write, "write"),
    (Tokens::Output, "output"),
];

const SAVINGS: [(Saving, &str); 2] = [(Saving::Saved, "saved"), (Saving::Paid, "paid")];

const SKIPS: [(Skip, &str); 15] = [
    (Skip::ContentType, "content_type"),
    (Skip::Encoded, "encoded"),
    (Skip::NotJson, "not_json"),
    (Skip::TooDeep, "too_deep"),
    (Skip::NoPrompt, "no_prompt"),
    (Skip::Duplicate, "duplicate"),
    (Skip::TooMany, "too_many"),
    (Skip::BodyTooLarge, "body_too_large"),
    (Skip::LateBody, "late_body"),
    (Skip::Unheld, "unheld"),
    (Skip::UnknownUpstream, "unknown_upstream"),
    (Skip::Dialect, "dialect"),
    (Skip::BodyChanged, "body_changed"),
    (Skip::AnswerEncoded, "answer_encoded"),
    (Skip::AnswerTooLarge, "answer_too_large"),
];

const EVENTS: [(Event, &str); 5] = [
    (Event::Hit, "hit"),
    (Event::Miss, "miss"),
    (Event::Expired, "expired"),
    (Event::Evicted, "evicted"),
    (Event::Conflict, "conflict"),
];

/// The label of an upstream that is not configured.
const UNKNOWN: &str = "unknown";

impl Skip {
    /// Its name in metrics and logs.
    pub fn name(self) -> &'static str {
        SKIPS.iter().find(|(skip, _)| *skip == self).map_or("", |(_, name)| name)
    }
}

/// The names of all counters, in the order of [`Metric::index`].
pub fn names(config: &Config) -> Vec<String> {
    let upstreams: Vec<&str> =
        config.upstreams.iter().map(|known| known.name.as_str()).chain([UNKNOWN]).collect();
    let mut names = Vec::new();
    for upstream in &upstreams {
        for by in By::ALL {
            names.push(format!("warmpath.exchanges.upstream.{upstream}.by.{}.total", by.name()));
        }
        for (_, kind) in TOKENS {
            names.push(format!("warmpath.tokens.upstream.{upstream}.kind.{kind}.total"));
        }
        for (_, kind) in SAVINGS {
            names.push(format!("warmpath.savings.upstream.{upstream}.kind.{kind}.total"));
        }
        names.push(format!("warmpath.moved_tokens.upstream.{upstream}.total"));
    }
    names.extend(OUTCOMES.map(|(_, outcome)| format!("warmpath.pins.outcome.{outcome}.total")));
    names.extend(Rule::ALL.map(|rule| format!("warmpath.edits.kind.{}.total", rule.name())));
    names.extend(SKIPS.map(|(_, reason)| format!("warmpath.skips.reason.{reason}.total")));
    names.extend(EVENTS.map(|(_, event)| format!("warmpath.table.event.{event}.total")));
    names
}

impl Metric {
    /// Its place in [`names`]; `upstreams` is how many are configured.
    pub fn index(self, upstreams: usize) -> usize {
        let tokens = By::ALL.len();
        let savings = tokens + TOKENS.len();
        let moved = savings + SAVINGS.len();
        let row = moved + 1;
        let of = |upstream: Option<usize>| upstream.unwrap_or(upstreams) * row;
        let outcomes = row * (upstreams + 1);
        let rules = outcomes + OUTCOMES.len();
        let skips = rules + Rule::ALL.len();
        let events = skips + SKIPS.len();
        match self {
            Self::Exchanges { upstream, by } => of(upstream) + by as usize,
            Self::Tokens { upstream, kind } => of(upstream) + tokens + kind as usize,
            Self::Savings { upstream, kind } => of(upstream) + savings + kind as usize,
            Self::Moved { upstream } => of(upstream) + moved,
            Self::Pins(outcome) => outcomes + outcome as usize,
            Self::Edits(rule) => rules + rule as usize,
            Self::Skips(skip) => skips + skip as usize,
            Self::Table(event) => events + event as usize,
        }
    }
}

/// The counters for what happened at the table.
pub(crate) fn of_table(events: Events) -> impl Iterator<Item = (Metric, u64)> {
    let Events { hit, miss, expired, evicted, conflict } = events;
    [
        (Event::Hit, hit),
        (Event::Miss, miss),
        (Event::Expired, expired),
        (Event::Evicted, evicted),
        (Event::Conflict, conflict),
    ]
    .into_iter()
    .map(|(event, count)| (Metric::Table(event), u64::from(count)))
}

/// The counters for the tokens of an answer.
pub(crate) fn of_tokens(
    upstream: Option<usize>,
    counts: &Counts,
) -> impl Iterator<Item = (Metric, u64)> {
    let split = counts.write_5m.is_some() || counts.write_1h.is_some();
    [
        (Tokens::Input, counts.uncached),
        (Tokens::Read, counts.read),
        (Tokens::Write5m, counts.write_5m),
        (Tokens::Write1h, counts.write_1h),
        (Tokens::Write, counts.write.filter(|_| !split)),
        (Tokens::Output, counts.output),
    ]
    .into_iter()
    .map(move |(kind, count)| (Metric::Tokens { upstream, kind }, count.unwrap_or(0)))
}

/// The counters for what an answer saved and cost, at this price.
pub(crate) fn of_savings(
    upstream: Option<usize>,
    counts: &Counts,
    price: &Price,
) -> impl Iterator<Item = (Metric, u64)> {
    let times = |tokens: Option<u64>, difference: f64| tokens.unwrap_or(0) as f64 * difference;
    // Writes that are not split live five minutes: that is what providers write unasked.
    let short = counts.write_5m.or(counts.write.filter(|_| counts.write_1h.is_none()));
    // Tokens at a price per million are millionths of its unit.
    let all = [
        times(counts.read, price.input - price.read),
        times(short, price.input - price.write_5m),
        times(counts.write_1h, price.input - price.write_1h),
    ];
    let sum = |sign: f64| all.iter().map(|part| (part * sign).max(0.0)).sum::<f64>().round() as u64;
    [(Saving::Saved, sum(1.0)), (Saving::Paid, sum(-1.0))]
        .into_iter()
        .map(move |(kind, count)| (Metric::Savings { upstream, kind }, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_its_name() {
        let text = r#"{"stage":"route","upstreams":{"a.b":{"provider":"anthropic"},"c":{"provider":"openai"}}}"#;
        let names = names(&Config::parse(text.as_bytes()).unwrap());
        let name = |metric: Metric| names[metric.index(2)].as_str();
        let some = [
            (
                Metric::Exchanges { upstream: Some(0), by: By::RequestId },
                "exchanges.upstream.a.b.by.request_id",
            ),
            (
                Metric::Exchanges { upstream: None, by: By::Off },
                "exchanges.upstream.unknown.by.off",
            ),
            (
                Metric::Tokens { upstream: Some(1), kind: Tokens::Input },
                "tokens.upstream.c.kind.input",
            ),
            (
                Metric::Tokens { upstream: Some(1), kind: Tokens::Output },
                "tokens.upstream.c.kind.output",
            ),
        ];
        for (metric, expected) in some {
            assert_eq!(name(metric), format!("warmpath.{expected}.total"));
        }
        for (outcome, label) in OUTCOMES {
            assert_eq!(name(Metric::Pins(outcome)), format!("warmpath.pins.outcome.{label}.total"));
        }
        for rule in Rule::ALL {
            assert_eq!(
                name(Metric::Edits(rule)),
                format!("warmpath.edits.kind.{}.total", rule.name())
            );
        }
        for (skip, label) in SKIPS {
            assert_eq!(name(Metric::Skips(skip)), format!("warmpath.skips.reason.{label}.total"));
        }
        for (event, label) in EVENTS {
            assert_eq!(name(Metric::Table(event)), format!("warmpath.table.event.{label}.total"));
        }
        let price = Metric::Savings { upstream: Some(1), kind: Saving::Paid };
        assert_eq!(name(price), "warmpath.savings.upstream.c.kind.paid.total");
        assert_eq!(
            name(Metric::Moved { upstream: None }),
            "warmpath.moved_tokens.upstream.unknown.total"
        );
        assert_eq!(names.len(), 3 * 17 + 3 + 13 + 15 + 5);
    }

    #[test]
    fn reads_save_and_writes_cost() {
        let price = Price { input: 5.0, read: 0.5, write_5m: 6.25, write_1h: 10.0 };
        let savings = |counts: Counts| -> Vec<u64> {
            of_savings(Some(0), &counts, &price).map(|(_, count)| count).collect()
        };
        let counts = Counts { read: Some(1_000_000), ..Counts::default() };
        assert_eq!(savings(counts), [4_500_000, 0]);
        let split = Counts { write: Some(300), write_5m: Some(200), write_1h: Some(100), ..counts };
        assert_eq!(savings(split), [4_500_000, 250 + 500]);
        let unsplit = Counts { write: Some(200), ..Counts::default() };
        assert_eq!(savings(unsplit), [0, 250]);
        assert_eq!(savings(Counts::default()), [0, 0]);
    }
}
