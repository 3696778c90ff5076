//! No shaped request is refused for what is in it about caching.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::server::{Answer, Server};
use cases::inputs;
use cases::normal;
use cases::plugin::prompt::{Beside, Upstream, apply, read};
use cases::plugin::{DIALECTS, Dialect, path, providers, speaks};
use cases::prompts::{Care, request};
use cases::tree::Tree;
use cases::write::{PLAIN, write};

/// Random prompts of each dialect.
const PROMPTS: usize = 120;

const BETA: (&str, &str) = ("anthropic-beta", "prompt-caching-scope-2026-01-05");

/// Whether the client has sent the beta header for scopes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scopes {
    Known,
    Unknown,
}

/// The refusals that came, each with one request that got it.
#[derive(Default)]
struct Refusals(BTreeMap<String, String>);

impl Refusals {
    fn note(&mut self, provider: &str, marks: &str, answer: &Answer, body: &[u8]) {
        let body = String::from_utf8_lossy(body).into_owned();
        let refusal = format!("{provider}, marks {marks}: {}", answer.message());
        let shortest = self.0.entry(refusal).or_insert_with(|| body.clone());
        if body.len() < shortest.len() {
            *shortest = body;
        }
    }

    #[track_caller]
    fn none(self) {
        let told: String =
            self.0.iter().map(|(refusal, body)| format!("{refusal}\n  {body}\n")).collect();
        assert!(self.0.is_empty(), "{} kinds of refusals:\n{told}", self.0.len());
    }
}

#[test]
fn no_golden_request_is_refused() {
    let server = Server::start();
    let mut refusals = Refusals::default();
    for input in inputs::requests() {
        for scopes in [Scopes::Known, Scopes::Unknown] {
            judge(&server, input.dialect, &input.body, scopes, &mut refusals);
        }
    }
    refusals.none();
}

fn no_random_request_is_refused(dialect: Dialect) {
    let server = Server::start();
    let mut refusals = Refusals::default();
    let config =
        Config { failure_persistence: None, rng_seed: RngSeed::Fixed(0), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let strategy = request(dialect, Care::Tame);
    for number in 0..PROMPTS {
        let body = strategy.new_tree(&mut runner).unwrap().current();
        let style = if number % 2 == 0 { PLAIN } else { u64::try_from(number).unwrap() };
        let scopes = if number % 3 == 0 { Scopes::Known } else { Scopes::Unknown };
        judge(&server, dialect, write(&body, style).as_bytes(), scopes, &mut refusals);
    }
    refusals.none();
}

#[test]
fn no_random_messages_are_refused() {
    no_random_request_is_refused(Dialect::Messages);
}

#[test]
fn no_random_chat_is_refused() {
    no_random_request_is_refused(Dialect::Chat);
}

#[test]
fn no_random_responses_are_refused() {
    no_random_request_is_refused(Dialect::Responses);
}

/// Sends a request to all that speak its dialect, with `keep` and with `inject`.
fn judge(server: &Server, dialect: Dialect, body: &[u8], scopes: Scopes, refusals: &mut Refusals) {
    let Ok(facts) = read(dialect, &[body]) else { return };
    let Some(bare) = bare(dialect, body) else { return };
    let headers = if scopes == Scopes::Known { &[BETA][..] } else { &[] };
    for provider in providers().into_iter().filter(|provider| speaks(provider, dialect)) {
        let post = |body: &[u8]| server.post(provider, path(dialect), headers, body);
        // What is refused without anything about caching is refused for other reasons.
        if post(bare.as_bytes()).status != 200 {
            continue;
        }
        for marks in ["keep", "inject"] {
            let beside = Beside { scope_beta: scopes == Scopes::Known, key: "" };
            let shaping = Upstream::of(provider, marks).shape(&facts.prompt, beside).unwrap();
            let shaped = apply(&[body], &shaping.edits).unwrap();
            let answer = post(&shaped);
            if answer.status != 200 {
                refusals.note(provider, marks, &answer, &shaped);
            }
        }
    }
}

/// The request without anything about caching.
fn bare(dialect: Dialect, body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let order_mark = if text.starts_with('\u{feff}') { "\u{feff}" } else { "" };
    let body = Tree::parse(text)?;
    let model = body.get("model").cloned();
    let Tree::Object(mut members) = normal::request(dialect, body) else { return None };
    members.extend(model.map(|model| ("model".to_owned(), model)));
    Some(order_mark.to_owned() + &write(&Tree::Object(members), PLAIN))
}

#[test]
fn the_referee_hears_all_dialects() {
    let server = Server::start();
    for dialect in DIALECTS {
        let heard = providers().into_iter().filter(|provider| {
            let body = match dialect {
                Dialect::Responses => r#"{"model":"m","input":"a"}"#,
                _ => r#"{"model":"m","max_tokens":8,"messages":[{"role":"user","content":"a"}]}"#,
            };
            server.post(provider, path(dialect), &[], body.as_bytes()).status == 200
        });
        let heard: Vec<_> = heard.collect();
        let mut deaf = providers();
        deaf.retain(|provider| speaks(provider, dialect) && !heard.contains(provider));
        assert_eq!(deaf, EXPECTED_DEAF[dialect as usize], "{}", dialect.name());
    }
}

const EXPECTED_DEAF: [&[&str]; 3] = [&[], &[], &["groq"]];
