//! Requests: read alike in any pieces, edited as little as they must be, and only once.

use serde::de::IgnoredAny;

use super::{pieces, text};
use crate::normal;
use crate::plugin::prompt::{Beside, Edit, Facts, Upstream, apply, read};
use crate::plugin::{Dialect, providers, speaks};
use crate::random::Random;
use crate::tree::Tree;

/// Most bytes that shaping adds: four marks on strings, a key, a usage option and a long model.
const MOST_ADDED: usize = 1024;

/// Every provider that speaks a dialect, with every policy; `min_tokens` is 0.
pub fn upstreams(dialect: Dialect) -> Vec<Upstream> {
    let spoken = providers().into_iter().filter(|provider| speaks(provider, dialect));
    let policies = ["keep", "inject", "strip"];
    spoken.flat_map(|provider| policies.map(|marks| Upstream::of(provider, marks))).collect()
}

/// A body is read the same however it is cut; what is read is shaped as it must be.
pub fn request(dialect: Dialect, upstream: &Upstream, body: &[u8], random: &mut Random) {
    let found = read(dialect, &[body]);
    let pieces = pieces(body, random);
    assert_eq!(read(dialect, &pieces), found, "reading ignores windows");
    let Ok(facts) = found else { return };
    assert!(places_are_inside(&facts, body), "{facts:?}");
    let Some(shaping) = upstream.shape(&facts.prompt, Beside::default()) else { return };
    let edits = &shaping.edits;
    edits_are_in_order(edits, body);
    let sent = apply(&[body], edits).expect("the body is the one that was read");
    assert_eq!(shaping.length(facts.prompt.length), sent.len() as u64, "the length is told");
    assert!(sent.len() <= body.len() + MOST_ADDED, "{} became {}", body.len(), sent.len());
    assert_eq!(apply(&pieces, edits).as_ref(), Ok(&sent), "splicing ignores pieces");
    assert_eq!(undone(&sent, edits, body), body, "what is outside the edits stays");
    assert_eq!(shaping.rules.is_empty(), edits.is_empty(), "an edit has a rule: {shaping:?}");

    let again = read(dialect, &[&sent]).expect("what leaves can be read");
    let twice = upstream.shape(&again.prompt, Beside::default()).expect("it is spoken here");
    assert_eq!(twice.edits, [], "shaping is idempotent: {}", text(&sent));
    same_but_for_marks(dialect, body, &sent);
}

fn places_are_inside(facts: &Facts, body: &[u8]) -> bool {
    let length = body.len();
    let prompt = &facts.prompt;
    prompt.length as usize == length
        && prompt.places.iter().all(|place| place.start < place.end && place.end as usize <= length)
        && prompt.marks.iter().all(|mark| {
            let member = mark.member;
            member.before <= member.start
                && member.start < member.value
                && member.value < member.end
                && member.end <= member.next
                && member.next as usize <= length
                && body[member.start as usize] == b'"'
        })
}

fn edits_are_in_order(edits: &[Edit], body: &[u8]) {
    let mut behind = 0;
    for edit in edits {
        assert!(behind <= edit.at, "edits are in order and apart: {edits:?}");
        behind = edit.at + edit.remove;
        let (at, byte) = edit.guard;
        assert_eq!(body.get(at as usize), Some(&byte), "what is guarded is there: {edit:?}");
    }
    assert!(behind as usize <= body.len(), "edits are inside: {edits:?}");
}

/// Takes out of `sent` what the edits inserted, and puts back what they removed.
fn undone(sent: &[u8], edits: &[Edit], body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut from = 0;
    // How much further behind the bytes are in `sent` than in the body.
    let mut shift = 0_isize;
    for edit in edits {
        let (at, removed) = (edit.at as usize, edit.remove as usize);
        let place = at.wrapping_add_signed(shift);
        let behind = place + edit.insert.len();
        out.extend_from_slice(&sent[from..place]);
        assert_eq!(&sent[place..behind], edit.insert.as_bytes(), "{edit:?}");
        out.extend_from_slice(&body[at..at + removed]);
        shift += edit.insert.len().cast_signed() - removed.cast_signed();
        from = behind;
    }
    out.extend_from_slice(&sent[from..]);
    out
}

/// What leaves is JSON that says the same, but for what shaping is for.
fn same_but_for_marks(dialect: Dialect, body: &[u8], sent: &[u8]) {
    let bare = |bytes: &'_ [u8]| bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).to_vec();
    let parsed = serde_json::from_slice::<IgnoredAny>(&bare(sent));
    assert!(parsed.is_ok(), "what leaves is JSON: {parsed:?}: {}", text(sent));
    let [before, after] = [body, sent].map(|bytes| Tree::parse(core::str::from_utf8(bytes).ok()?));
    if let (Some(before), Some(after)) = (before, after) {
        let [before, after] = [before, after].map(|tree| normal::request(dialect, tree));
        assert_eq!(after, before, "what leaves says the same: {}", text(sent));
    }
}
