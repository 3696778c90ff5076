//! Places marks in a request that has none: where a provider caches most for the next turns.
//!
//! The last block of the last message writes what the next turn reads; where the request of the turn
//! before ended, that one wrote, so a mark there is a sure hit however many blocks came since; tools and system change more rarely than messages, so they get one each.

use super::Target;
use super::plan::{Carries, MOST_MARKS, Plan, Planned, TopMark, carries, order};
use crate::dialect::Role;
use crate::prompt::{Place, Prompt, Section, Ttl};
use crate::provider::Marks;

/// How many blocks a provider looks back from a mark for an entry that it wrote before
/// (platform.claude.com, prompt caching, read 2026-08-22).
const LOOK_BACK: usize = 20;
/// Distance of the marks that bridge a turn longer than that, in blocks: inside the look-back with
/// room for blocks that a provider counts otherwise.
const STRIDE: usize = 15;
/// Bytes of JSON for one token; text in English has about four, which errs to the safe side for
/// others: a mark on a prefix that is too short costs nothing.
const BYTES_PER_TOKEN: u32 = 4;

/// Plans marks with the lifetime `ttl`, as far as the upstream takes that.
pub(super) fn marks(prompt: &Prompt, target: &Target<'_>, ttl: Ttl) -> Plan {
    let ttl = if target.accepts.ttl_1h { ttl } else { Ttl::FiveMinutes };
    let mut plan = Plan::default();
    match target.accepts.marks {
        // Caches by itself; a mark would only take slots from that.
        Marks::Breakpoints => {}
        Marks::Top => {
            let length = [prompt.tools, prompt.system, prompt.messages].map(|span| span.length());
            if length.iter().sum::<u32>() / BYTES_PER_TOKEN >= target.min_tokens {
                plan.top = Some(TopMark { ttl, origin: None, lowered: false });
            }
        }
        style => {
            let places = choose(prompt, style, target.min_tokens);
            plan.marks = places
                .into_iter()
                .map(|place| Planned { place, ttl, origin: None, rule: None, lowered: false })
                .collect();
        }
    }
    plan
}

/// The places to mark, in the order of providers.
fn choose(prompt: &Prompt, style: Marks, min_tokens: u32) -> Vec<usize> {
    let fits = |place: &Place| {
        // A system message in the midst of the conversation may be gone in the next turn.
        let stays = place.section != Section::Messages || place.role != Role::System;
        stays
            && carries(style, place) == Carries::Yes
            && prefix_bytes(prompt, place) / BYTES_PER_TOKEN >= min_tokens
    };
    let last_in = |section: Section, end: usize| {
        let places = prompt.places.get(..end).unwrap_or_default();
        places.iter().rposition(|place| place.section == section && fits(place))
    };
    let all = prompt.places.len();
    let last = last_in(Section::Messages, all);
    let before = end_before(prompt).and_then(|end| last_in(Section::Messages, end));
    let mut chosen: Vec<usize> =
        [last, before, last_in(Section::System, all), last_in(Section::Tools, all)]
            .into_iter()
            .flatten()
            .collect();
    chosen.dedup();
    if let Some(last) = last {
        bridge(prompt, before, last, &fits, &mut chosen);
    }
    chosen.sort_unstable_by_key(|place| order(prompt, *place));
    chosen
}

/// Where the request of the turn before ended: behind the last place that no assistant wrote, before
/// this turn. What was marked there is at or before it, whoever wrote that.
fn end_before(prompt: &Prompt) -> Option<usize> {
    let in_messages = |place: &&Place| place.section == Section::Messages;
    let turn = prompt.places.iter().rfind(in_messages).map(|place| match place.role {
        Role::Assistant => place.turn + 1,
        _ => place.turn,
    })?;
    let ended =
        |place: &Place| in_messages(&place) && place.role != Role::Assistant && place.turn < turn;
    prompt.places.iter().rposition(ended).map(|index| index + 1)
}

/// Adds marks between `before` and `last` where that is more than a provider looks back.
fn bridge(
    prompt: &Prompt,
    before: Option<usize>,
    last: usize,
    fits: &dyn Fn(&Place) -> bool,
    chosen: &mut Vec<usize>,
) {
    let from = before.map_or(0, |before| before + 1);
    let between: Vec<usize> = (from..last)
        .filter(|index| {
            prompt.places.get(*index).is_some_and(|place| place.section == Section::Messages)
        })
        .collect();
    if between.len() < LOOK_BACK {
        return;
    }
    // From the end: the next turn may begin anywhere behind them.
    let mut at = between.len();
    while let Some(back) = at.checked_sub(STRIDE) {
        at = back;
        let place = between.get(..=at).and_then(|some| {
            some.iter().rev().find(|index| prompt.places.get(**index).is_some_and(fits))
        });
        match place {
            Some(place) if chosen.len() < MOST_MARKS && !chosen.contains(place) => {
                chosen.push(*place);
            }
            _ => return,
        }
    }
}

/// Bytes of the prompt up to the end of a place, in the order of providers.
fn prefix_bytes(prompt: &Prompt, place: &Place) -> u32 {
    let tools = prompt.tools.length();
    // In chat, leading system messages stand among the messages.
    let in_messages = place.message != Place::NO_MESSAGE;
    match place.section {
        Section::Tools => place.end.saturating_sub(prompt.tools.start),
        Section::System if !in_messages => tools + place.end.saturating_sub(prompt.system.start),
        _ => {
            let system = prompt.system.length();
            tools + system + place.end.saturating_sub(prompt.messages.start)
        }
    }
}
