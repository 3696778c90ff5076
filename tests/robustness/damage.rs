//! Golden inputs, cut, damaged and split.

use crate::inputs::{Form, answers, requests};
use crate::laws;
use crate::plugin::answer::{self, Purpose, usage_of};
use crate::plugin::exchange;
use crate::plugin::prompt::{Beside, apply, read};
use crate::plugin::{DIALECTS, Dialect, providers, speaks};
use crate::random::Random;
use serde_json::json;

/// Bits of each input that are flipped, one at a time.
const MOST_FLIPS: usize = 150;

const PURPOSES: [Purpose; 3] = [Purpose::Read, Purpose::Rewrite, Purpose::RewriteAndSwallow];

#[test]
fn golden_requests_are_shaped_for_every_upstream() {
    let mut random = Random::new(1);
    for input in requests() {
        for upstream in laws::request::upstreams(input.dialect) {
            laws::request::request(input.dialect, &upstream, &input.body, &mut random);
        }
    }
}

#[test]
fn reading_and_splicing_ignore_where_a_request_is_split() {
    for (index, input) in requests().iter().enumerate() {
        let body = input.body.as_slice();
        let whole = read(input.dialect, &[body]);
        let upstreams = laws::request::upstreams(input.dialect);
        let upstream = &upstreams[index % upstreams.len()];
        let shaped = whole.as_ref().ok().map(|facts| {
            let edits = upstream.shape(&facts.prompt, Beside::default()).unwrap().edits;
            (apply(&[body], &edits).unwrap(), edits)
        });
        for cut in 0..=body.len() {
            let (left, right) = body.split_at(cut);
            assert_eq!(read(input.dialect, &[left, right]), whole, "{} at {cut}", input.name);
            if let Some((sent, edits)) = &shaped {
                let spliced = apply(&[left, right], edits);
                assert_eq!(spliced.as_ref(), Ok(sent), "{} at {cut}", input.name);
            }
        }
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(read(input.dialect, &bytes), whole, "{} byte by byte", input.name);
    }
}

#[test]
fn both_stages_ignore_how_a_request_comes() {
    let mut random = Random::new(2);
    for input in requests() {
        let provider = providers().into_iter().find(|provider| speaks(provider, input.dialect));
        let settings = json!({"provider": provider, "marks": "inject", "min_tokens": 0});
        let send = |pieces: &[&[u8]]| exchange::send(&settings, input.dialect, &[], pieces);
        let whole = send(&[&input.body]);
        for _ in 0..4 {
            let pieces = laws::pieces(&input.body, &mut random);
            assert_eq!(send(&pieces), whole, "{}", input.name);
        }
    }
}

#[test]
fn cut_requests_are_left_alone() {
    for input in requests() {
        let end = input.body.trim_ascii_end().len();
        let whole = read(input.dialect, &[&input.body]).is_ok();
        for cut in (0..end).filter(|_| whole) {
            let found = read(input.dialect, &[&input.body[..cut]]);
            assert!(found.is_err(), "{} cut at {cut} is read", input.name);
        }
    }
}

#[test]
fn damaged_requests_break_no_law() {
    let mut random = Random::new(3);
    let upstreams = DIALECTS.map(|dialect| (dialect, laws::request::upstreams(dialect)));
    for input in requests() {
        let mut body = input.body.clone();
        for _ in 0..MOST_FLIPS.min(body.len() * 8) {
            let (at, bit) = (random.below(body.len()), random.below(8));
            body[at] ^= 1 << bit;
            // Sent to another dialect now and then.
            let (dialect, upstreams) = match random.once_in(8) {
                true => &upstreams[random.below(3)],
                false => upstreams.iter().find(|(dialect, _)| *dialect == input.dialect).unwrap(),
            };
            let upstream = &upstreams[random.below(upstreams.len())];
            laws::request::request(*dialect, upstream, &body, &mut random);
            body[at] ^= 1 << bit;
        }
    }
}

#[test]
fn usage_ignores_where_a_stream_is_split() {
    for input in answers().iter().filter(|input| input.form == Form::Stream) {
        let usage = usage_of(&input.provider);
        let body = input.body.as_slice();
        for purpose in PURPOSES {
            let hear = |chunks: &[&[u8]]| answer::stream(input.dialect, usage, purpose, chunks);
            let whole = hear(&[body]);
            for cut in 0..=body.len() {
                let (left, right) = body.split_at(cut);
                assert_eq!(hear(&[left, right]), whole, "{} at {cut}, {purpose:?}", input.name);
            }
            let bytes: Vec<&[u8]> = body.chunks(1).collect();
            assert_eq!(hear(&bytes), whole, "{} byte by byte, {purpose:?}", input.name);
        }
    }
}

#[test]
fn usage_ignores_where_an_answer_is_split() {
    for input in answers().iter().filter(|input| input.form == Form::Json) {
        let usage = usage_of(&input.provider);
        let body = input.body.as_slice();
        let whole = answer::json(input.dialect, usage, &[body]);
        for cut in 0..=body.len() {
            let (left, right) = body.split_at(cut);
            let heard = answer::json(input.dialect, usage, &[left, right]);
            assert_eq!(heard, whole, "{} at {cut}", input.name);
        }
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(answer::json(input.dialect, usage, &bytes), whole, "{}", input.name);
    }
}

#[test]
fn cut_answers_pass_and_tell_what_came() {
    let mut random = Random::new(4);
    for input in answers() {
        let usage = usage_of(&input.provider);
        for cut in 0..input.body.len() {
            let body = &input.body[..cut];
            match input.form {
                Form::Json => laws::answer::answer(input.dialect, usage, body, &mut random),
                Form::Stream => {
                    let purpose = PURPOSES[1 + random.below(2)];
                    laws::answer::stream(input.dialect, usage, purpose, body, &mut random);
                }
            }
        }
    }
}

#[test]
fn damaged_answers_break_no_law() {
    let mut random = Random::new(5);
    for input in answers() {
        let usage = usage_of(&input.provider);
        let mut body = input.body.clone();
        for _ in 0..2 * MOST_FLIPS {
            let (at, bit) = (random.below(body.len()), random.below(8));
            body[at] ^= 1 << bit;
            let dialect = match random.once_in(8) {
                true => Dialect::Objects,
                false => input.dialect,
            };
            match input.form {
                Form::Json => laws::answer::answer(dialect, usage, &body, &mut random),
                Form::Stream => {
                    let purpose = PURPOSES[random.below(3)];
                    laws::answer::stream(dialect, usage, purpose, &body, &mut random);
                }
            }
            body[at] ^= 1 << bit;
        }
    }
}

#[test]
fn streams_are_passed_on_as_they_come() {
    for input in answers().iter().filter(|input| input.form == Form::Stream) {
        let long = input.body.repeat(1 + 100_000 / input.body.len());
        laws::answer::stream_is_passed_on(input.dialect, usage_of(&input.provider), &long);
    }
    // A usage that never ends, and one with more than is held.
    let begun =
        [b"data: {\"choices\":[],\"usage\":{\"x\":\"", "y".repeat(100_000).as_bytes()].concat();
    for end in ["", "\"}}\n\n"] {
        let body = [&begun, end.as_bytes()].concat();
        laws::answer::stream_is_passed_on(Dialect::Chat, usage_of("openai"), &body);
    }
}
