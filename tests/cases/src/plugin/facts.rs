//! Facts as people read them: one line for each place, mark and member, with the bytes that it is.

use serde_json::{Value, json};
use warmpath::prompt::{Carrier, Mark, Member, Place, Prompt, Seat, Span};
use warmpath::splice::Edit;

use super::prompt::Facts;

/// Everything that was read in a body.
pub fn of_body(facts: &Facts, body: &[u8]) -> Value {
    let Facts { prompt, prefix, ids, items } = facts;
    let model = prompt.model.as_ref();
    let cuts = prefix.cuts.iter().map(|cut| {
        format!("{:032x} up to byte {}, {} bytes of chain", cut.chain, cut.offset, cut.length)
    });
    let ids = ids.iter().map(|(index, id)| format!("{index}: {}", String::from_utf8_lossy(id)));
    let items = items.iter().map(|id| format!("item: {}", String::from_utf8_lossy(id)));
    json!({
        "dialect": prompt.dialect.name(),
        "length": prompt.length,
        "model": model.map(|model| format!("{} at {}", model.name, span(model.value))),
        "stream": prompt.stream,
        "usage_option": format!("{:?}", prompt.usage_option),
        "tools": span(prompt.tools),
        "system": span(prompt.system),
        "messages": span(prompt.messages),
        "places": prompt.places.iter().map(|one| place(one, body)).collect::<Vec<_>>(),
        "marks": marks(prompt, body),
        "fields": prompt.fields.iter().map(|field| {
            let hidden = if field.shadowed { ", hidden" } else { "" };
            let ttl = field.ttl.map(|ttl| format!(", {ttl:?}")).unwrap_or_default();
            format!("{}{ttl}{hidden}", member(field.member, body))
        }).collect::<Vec<_>>(),
        "ids": ids.chain(items).collect::<Vec<_>>(),
        "prefix": {
            "tools": format!("{:032x}", prefix.tools),
            "system": format!("{:032x}", prefix.system),
            "opener": format!("{:032x}", prefix.opener),
        },
        "cuts": cuts.collect::<Vec<_>>(),
    })
}

/// The marks of a body: where each stands, and its bytes.
pub fn marks(prompt: &Prompt, body: &[u8]) -> Vec<String> {
    prompt
        .marks
        .iter()
        .map(|mark| format!("{}: {}", seat(mark, prompt), whole(mark, body)))
        .collect()
}

/// Edits, each with what goes and what comes.
pub fn edits(edits: &[Edit], body: &[u8]) -> Vec<Value> {
    let told = edits.iter().map(|edit| {
        let (at, end) = (edit.at as usize, (edit.at + edit.remove) as usize);
        let removed = String::from_utf8_lossy(&body[at..end]);
        json!({ "at": at, "remove": removed, "insert": edit.insert })
    });
    told.collect()
}

fn span(span: Span) -> String {
    format!("{}..{}", span.start, span.end)
}

fn place(place: &Place, body: &[u8]) -> String {
    let end = match place.carrier {
        Carrier::Object => place.end + 1,
        Carrier::Text | Carrier::Input => place.end,
    };
    let bytes = &body[place.start as usize..end as usize];
    format!("{}, turn {}, {}..{}: {}", name(place), place.turn, place.start, end, head(bytes))
}

fn name(place: &Place) -> String {
    let message = match place.message {
        Place::NO_MESSAGE => String::new(),
        number => format!(" {number}"),
    };
    let written = match place.carrier {
        Carrier::Object => "",
        Carrier::Text => " as string",
        Carrier::Input => " as whole input",
    };
    format!("{:?}{message} {:?} {:?}{written}", place.section, place.role, place.block)
}

fn seat(mark: &Mark, prompt: &Prompt) -> String {
    let place = |index: u32| match prompt.places.get(index as usize) {
        Some(place) => format!("place {index}, {}", name(place)),
        None => format!("place {index}, which is none"),
    };
    let seat = match mark.seat {
        Seat::Top => "top".to_owned(),
        Seat::Message(number) => format!("message {number}"),
        Seat::Place(index) => place(index),
        Seat::Inside(index) => format!("inside {}", place(index)),
    };
    let hidden = if mark.shadowed { ", hidden" } else { "" };
    format!("{seat}{hidden}")
}

fn whole(mark: &Mark, body: &[u8]) -> String {
    member(mark.member, body)
}

fn member(member: Member, body: &[u8]) -> String {
    head(&body[member.start as usize..member.end as usize])
}

/// The beginning of some bytes, on one line.
fn head(bytes: &[u8]) -> String {
    const MOST: usize = 72;
    let text = String::from_utf8_lossy(bytes);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
