//! Random prompts, for every upstream.

use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

use crate::laws;
use crate::plugin::Dialect;
use crate::prompts::{Care, request};
use crate::random::Random;
use crate::tree::Tree;
use crate::write::{PLAIN, write};

/// One prompt in two spellings, for some upstreams.
fn holds(dialect: Dialect, body: &Tree, style: u64, picks: &[Index]) {
    let mut random = Random::new(style);
    let upstreams = laws::request::upstreams(dialect);
    for style in [PLAIN, style] {
        let body = write(body, style);
        for pick in picks {
            let upstream = &upstreams[pick.index(upstreams.len())];
            laws::request::request(dialect, upstream, body.as_bytes(), &mut random);
        }
    }
}

/// Upstreams that each prompt is shaped for.
const UPSTREAMS: usize = 6;

/// The same prompts in every run; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for others.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 400,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn messages_break_no_law(
        body in request(Dialect::Messages, Care::Wild),
        style in any::<u64>(),
        picks in any::<[Index; UPSTREAMS]>(),
    ) {
        holds(Dialect::Messages, &body, style, &picks);
    }

    #[test]
    fn chats_break_no_law(
        body in request(Dialect::Chat, Care::Wild),
        style in any::<u64>(),
        picks in any::<[Index; UPSTREAMS]>(),
    ) {
        holds(Dialect::Chat, &body, style, &picks);
    }

    #[test]
    fn responses_break_no_law(
        body in request(Dialect::Responses, Care::Wild),
        style in any::<u64>(),
        picks in any::<[Index; UPSTREAMS]>(),
    ) {
        holds(Dialect::Responses, &body, style, &picks);
    }

    #[test]
    fn tame_requests_break_no_law(
        messages in request(Dialect::Messages, Care::Tame),
        chat in request(Dialect::Chat, Care::Tame),
        responses in request(Dialect::Responses, Care::Tame),
        style in any::<u64>(),
        picks in any::<[Index; UPSTREAMS]>(),
    ) {
        holds(Dialect::Messages, &messages, style, &picks);
        holds(Dialect::Chat, &chat, style, &picks);
        holds(Dialect::Responses, &responses, style, &picks);
    }
}

#[test]
fn an_hour_never_follows_five_minutes() {
    let mark = |ttl: usize| {
        [
            "",
            r#","cache_control":{"type":"ephemeral"}"#,
            r#","cache_control":{"type":"ephemeral","ttl":"5m"}"#,
            r#","cache_control":{"type":"ephemeral","ttl":"1h"}"#,
        ][ttl]
    };
    let upstreams = laws::request::upstreams(Dialect::Messages);
    let mut random = Random::new(8);
    for ttls in 0..4_usize.pow(4) {
        let [tool, system, first, second] = [0, 1, 2, 3].map(|place| mark(ttls >> (2 * place) & 3));
        let body = format!(
            r#"{{"model":"claude-opus-4-8","messages":[{{"role":"user","content":[{{"type":"text","text":"a"{first}}},{{"type":"text","text":"b"{second}}}]}}],"system":[{{"type":"text","text":"s"{system}}}],"tools":[{{"name":"f"{tool}}}]}}"#
        );
        for upstream in &upstreams {
            laws::request::request(Dialect::Messages, upstream, body.as_bytes(), &mut random);
        }
    }
}
