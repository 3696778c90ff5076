//! The rules, by subject; every shaping is checked for what holds for all.

mod fields;
mod inject;
mod order;
mod own_ways;
mod places;
mod top;

use super::*;
use crate::dialect::Dialect;
use crate::prompt::Reader;
use crate::provider::Profile;
use crate::splice::apply;

fn prompt(dialect: Dialect, body: &str) -> Prompt {
    let mut reader = Reader::new(dialect, [].into());
    reader.push(body.as_bytes()).unwrap();
    reader.finish().unwrap().prompt
}

/// Shapes a body, checks what holds for every shaping, and returns it with the rules used.
fn shaped_with(
    provider: &str,
    dialect: Dialect,
    body: &str,
    change: impl Fn(&mut Target<'_>),
) -> (String, String) {
    let once = |body: &str| {
        let prompt = prompt(dialect, body);
        let profile = Profile::named(provider).unwrap();
        let model = prompt.model.as_ref().map_or("", |model| model.name.as_str());
        let mut target = Target {
            accepts: profile.accepts(dialect, model).unwrap(),
            policy: Policy::Keep,
            min_tokens: 0,
            model: None,
            cache_key: None,
            scope_beta: false,
            ask_usage: false,
        };
        change(&mut target);
        let shaping = shape(&prompt, &target);
        let out = apply(body, &shaping.edits).unwrap();
        assert_eq!(shaping.length(prompt.length), out.len() as u64);
        serde_json::from_str::<serde_json::Value>(&out).unwrap();
        (out, shaping)
    };
    let (out, shaping) = once(body);
    let (again, twice) = once(&out);
    assert_eq!((&again, twice.edits.len()), (&out, 0), "shaping is idempotent: {body}");
    let rules: Vec<&str> = shaping.rules.iter().map(|rule| rule.name()).collect();
    (out, rules.join(" "))
}

fn shaped(provider: &str, dialect: Dialect, body: &str) -> (String, String) {
    shaped_with(provider, dialect, body, |_| {})
}

fn injected(provider: &str, dialect: Dialect, body: &str) -> (String, String) {
    shaped_with(provider, dialect, body, |target| target.policy = Policy::Inject(Ttl::FiveMinutes))
}

/// Writes `@` for a mark, `@1h` and `@5m` for one with a lifetime, `@scope` for one with a scope,
/// `@@` for a breakpoint.
fn long(short: &str) -> String {
    short
        .replace("@@", r#""prompt_cache_breakpoint":{"mode":"explicit"}"#)
        .replace("@1h", r#""cache_control":{"type":"ephemeral","ttl":"1h"}"#)
        .replace("@5m", r#""cache_control":{"type":"ephemeral","ttl":"5m"}"#)
        .replace("@scope", r#""cache_control":{"type":"ephemeral","scope":"global"}"#)
        .replace('@', r#""cache_control":{"type":"ephemeral"}"#)
}

fn user(blocks: &str) -> String {
    format!(r#"{{"messages":[{{"role":"user","content":[{blocks}]}}]}}"#)
}

const A: &str = r#"{"type":"text","text":"a"}"#;

#[track_caller]
fn check(provider: &str, dialect: Dialect, body: &str, expected: &str, rules: &str) {
    let (out, used) = shaped(provider, dialect, &long(body));
    assert_eq!((out, used.as_str()), (long(expected), rules));
}

#[track_caller]
fn check_user(provider: &str, blocks: &str, expected: &str, rules: &str) {
    check(provider, Dialect::Messages, &user(blocks), &user(expected), rules);
}
