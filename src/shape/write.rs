//! Turns a plan of marks into edits: the least that makes the body as planned.

use super::plan::{Plan, Planned, TopMark};
use super::{Rule, Shaping, Target};
use crate::dialect::{Dialect, MarkKind, Role};
use crate::prompt::{Carrier, Form, Mark, Member, Place, Prompt, Seat, Ttl};
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
            set(prompt, planned, place, accepts, &mut shaping.edits);
        }
        (Some(mark), None) => {
            adjust(mark, target, planned.ttl, planned.lowered, shaping, cuts);
        }
        (Some(mark), Some(Rule::Convert)) if vacant(prompt, planned.place, accepts).is_none() => {
            shaping.rules.push(Rule::Convert);
            shaping.edits.push(replace(mark.member, written(accepts, planned.ttl)));
        }
        (Some(mark), Some(rule)) => {
            shaping.cut(mark.member, rule, cuts);
            set(prompt, planned, place, accepts, &mut shaping.edits);
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
            let counts = |mark: &Mark| mark.form == Form::Object && !mark.shadowed;
            let converted = prompt.marks.iter().any(counts);
            if !converted {
                shaping.rules.push(Rule::Inject);
            }
            let member = written(&target.accepts, top.ttl);
            let edit = match vacant_where(prompt, &target.accepts, |seat| seat == Seat::Top) {
                Some(vacant) => replace(vacant, member),
                None => at_top(prompt, member + ","),
            };
            shaping.edits.push(edit);
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
    if let Some((asked, member)) = mark.ttl {
        let known = match mark.kind {
            MarkKind::Breakpoint => target.accepts.cache_ttls.contains(&asked),
            MarkKind::CacheControl => {
                target.accepts.ttl_1h && matches!(asked, Ttl::FiveMinutes | Ttl::OneHour)
            }
        };
        if !known {
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

/// Sets a mark on a place that has none that counts. Where a `null` stands for it, that becomes the
/// mark: beside it the mark would stand twice.
fn set(
    prompt: &Prompt,
    planned: &Planned,
    place: &Place,
    accepts: &Accepts,
    edits: &mut Vec<Edit>,
) {
    let member = written(accepts, planned.ttl);
    match vacant(prompt, planned.place, accepts) {
        Some(vacant) => edits.push(replace(vacant, member)),
        None => add(prompt, place, accepts, &member, edits),
    }
}

/// The member of a place where the upstream expects a mark, though it is none that counts.
fn vacant(prompt: &Prompt, place: usize, accepts: &Accepts) -> Option<Member> {
    let message = prompt.places.get(place)?.message;
    vacant_where(prompt, accepts, |seat| match seat {
        Seat::Place(index) => index as usize == place,
        Seat::Message(number) => accepts.marks == Marks::Items && number == message,
        Seat::Top | Seat::Inside(_) => false,
    })
}

fn vacant_where(
    prompt: &Prompt,
    accepts: &Accepts,
    wanted: impl Fn(Seat) -> bool,
) -> Option<Member> {
    let kind = accepts.marks.kind();
    let is_vacant = |mark: &&Mark| mark.form == Form::Null && mark.kind == kind && !mark.shadowed;
    prompt.marks.iter().filter(is_vacant).find(|mark| wanted(mark.seat)).map(|mark| mark.member)
}

/// An edit that puts another member in the place of one.
fn replace(Member { start, end, .. }: Member, member: String) -> Edit {
    Edit::new(start, end - start, member, (start, b'"'))
}

/// Adds a mark to a place.
fn add(prompt: &Prompt, place: &Place, accepts: &Accepts, member: &str, edits: &mut Vec<Edit>) {
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
