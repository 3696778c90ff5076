//! Turns a plan of marks into edits: the least that makes the body as planned.

use super::plan::{Plan, Planned, TopMark};
use super::{Rule, Shaping, Target};
use crate::dialect::{Dialect, Role};
use crate::prompt::{Carrier, Mark, Member, Place, Prompt, Ttl};
use crate::provider::{Accepts, Marks};
use crate::splice::Edit;

/// Writes the edits for the marks of a plan; members to cut go to `cuts`.
pub(super) fn marks(
    prompt: &Prompt,
    target: &Target<'_>,
    plan: &Plan,
    shaping: &mut Shaping,
    cuts: &mut Vec<Member>,
) {
    for (index, rule) in &plan.gone {
        if let Some(mark) = prompt.marks.get(*index) {
            shaping.cut(mark.member, *rule, cuts);
        }
    }
    for planned in &plan.marks {
        place_mark(prompt, target, planned, shaping, cuts);
    }
    if let Some(top) = &plan.top {
        top_mark(prompt, target, top, shaping, cuts);
    }
    shaping.marked = plan.top.is_some() || !plan.marks.is_empty();
    let hour = plan.marks.iter().filter(|planned| planned.ttl == Ttl::OneHour);
    shaping.hour_until = match &plan.top {
        Some(top) if top.ttl == Ttl::OneHour => prompt.length,
        _ => hour
            .filter_map(|planned| prompt.places.get(planned.place))
            .filter(|place| place.message != Place::NO_MESSAGE)
            .map(|place| place.end)
            .max()
            .unwrap_or(0),
    };
}

fn place_mark(
    prompt: &Prompt,
    target: &Target<'_>,
    planned: &Planned,
    shaping: &mut Shaping,
    cuts: &mut Vec<Member>,
) {
    let Some(place) = prompt.places.get(planned.place) else { return };
    let accepts = &target.accepts;
    let origin = planned.origin.and_then(|origin| prompt.marks.get(origin));
    match (origin, planned.rule) {
        (None, _) => {
            shaping.rules.push(Rule::Inject);
            add(prompt, place, accepts, planned.ttl, &mut shaping.edits);
        }
        (Some(mark), None) => {
            adjust(mark, target, planned.ttl, planned.lowered, shaping, cuts);
        }
        (Some(mark), Some(Rule::Convert)) => {
            shaping.rules.push(Rule::Convert);
            let Member { start, end, .. } = mark.member;
            let member = written(accepts, planned.ttl);
            shaping.edits.push(Edit::new(start, end - start, member, (start, b'"')));
        }
        (Some(mark), Some(rule)) => {
            shaping.cut(mark.member, rule, cuts);
            add(prompt, place, accepts, planned.ttl, &mut shaping.edits);
        }
    }
}

fn top_mark(
    prompt: &Prompt,
    target: &Target<'_>,
    top: &TopMark,
    shaping: &mut Shaping,
    cuts: &mut Vec<Member>,
) {
    match top.origin.and_then(|origin| prompt.marks.get(origin)) {
        Some(mark) => adjust(mark, target, top.ttl, top.lowered, shaping, cuts),
        None => {
            let converted = prompt.marks.iter().any(|mark| !mark.shadowed);
            if !converted {
                shaping.rules.push(Rule::Inject);
            }
            let member = written(&target.accepts, top.ttl) + ",";
            shaping.edits.push(at_top(prompt, member));
        }
    }
}

/// An edit that adds members at the top level of a body.
pub(super) fn at_top(prompt: &Prompt, members: String) -> Edit {
    Edit::new(prompt.inside, 0, members, (prompt.inside - 1, b'{'))
}

/// Makes a mark that stays where it is legal.
fn adjust(
    mark: &Mark,
    target: &Target<'_>,
    ttl: Ttl,
    lowered: bool,
    shaping: &mut Shaping,
    cuts: &mut Vec<Member>,
) {
    if let Some((_, member)) = mark.ttl {
        if !target.accepts.ttl_1h {
            shaping.cut(member, Rule::Ttl, cuts);
        } else if lowered && ttl == Ttl::FiveMinutes {
            shaping.rules.push(Rule::Order);
            let length = member.end - member.value;
            shaping.edits.push(Edit::new(member.value, length, "\"5m\"", (member.value, b'"')));
        }
    }
    if let Some(member) = mark.scope
        && !(target.accepts.scope && target.scope_beta)
    {
        shaping.cut(member, Rule::Scope, cuts);
    }
}

/// Adds a mark to a place that has none of its kind.
fn add(prompt: &Prompt, place: &Place, accepts: &Accepts, ttl: Ttl, edits: &mut Vec<Edit>) {
    let member = written(accepts, ttl);
    let (open, close) = match place.carrier {
        Carrier::Object => {
            edits.push(Edit::new(place.end, 0, format!(",{member}"), (place.end, b'}')));
            return;
        }
        Carrier::Text => {
            (format!("[{{{},\"text\":", part_type(prompt, place)), format!(",{member}}}]"))
        }
        Carrier::Input if accepts.marks == Marks::Items => {
            (r#"[{"role":"user","content":"#.to_owned(), format!(",{member}}}]"))
        }
        Carrier::Input => (
            format!(r#"[{{"role":"user","content":[{{{},"text":"#, part_type(prompt, place)),
            format!(",{member}}}]}}]"),
        ),
    };
    let last = place.end.saturating_sub(1);
    edits.push(Edit::new(place.start, 0, open, (place.start, b'"')));
    edits.push(Edit::new(place.end, 0, close, (last, b'"')));
}

/// The `type` member of the part that a string becomes.
fn part_type(prompt: &Prompt, place: &Place) -> &'static str {
    match (prompt.dialect, place.role) {
        (Dialect::Responses, Role::Assistant) => r#""type":"output_text""#,
        (Dialect::Responses, _) => r#""type":"input_text""#,
        _ => r#""type":"text""#,
    }
}

/// A mark as the upstream takes it.
fn written(accepts: &Accepts, ttl: Ttl) -> String {
    let text = match (accepts.marks, ttl) {
        (Marks::Breakpoints, _) => r#""prompt_cache_breakpoint":{"mode":"explicit"}"#,
        (_, Ttl::OneHour) => r#""cache_control":{"type":"ephemeral","ttl":"1h"}"#,
        _ => r#""cache_control":{"type":"ephemeral"}"#,
    };
    text.to_owned()
}
