//! Writes counts back into a usage object: the members that differ, and nothing else.

use super::Counts;
use crate::dialect::Dialect;
use crate::json::{Kind, Lexer, Text, Visitor, Want};
use crate::splice::{Edit, Splicer};

/// The names of a dialect with inclusive counts.
struct Names {
    input: &'static str,
    output: &'static str,
    details: &'static str,
}

const TOTAL: &str = "total_tokens";
/// What was read; the names of the writes are OpenAI's and Requesty's, and clients know either.
const READ: &str = "cached_tokens";
const WRITES: [&str; 2] = ["cache_write_tokens", "caching_tokens"];

fn names(dialect: Dialect) -> Option<Names> {
    match dialect {
        Dialect::Chat => Some(Names {
            input: "prompt_tokens",
            output: "completion_tokens",
            details: "prompt_tokens_details",
        }),
        Dialect::Responses => Some(Names {
            input: "input_tokens",
            output: "output_tokens",
            details: "input_tokens_details",
        }),
        // Exclusive on every wire that speaks it: nothing to write.
        Dialect::Messages | Dialect::Objects => None,
    }
}

/// Whether answers of this dialect can need a change at all.
pub fn writes(dialect: Dialect) -> bool {
    names(dialect).is_some()
}

/// The usage object with these counts; none if it is right as it is.
pub(super) fn rewrite(object: &[u8], counts: &Counts, dialect: Dialect) -> Option<Vec<u8>> {
    let names = names(dialect)?;
    let mut found = Found::new(&names);
    let mut lexer = Lexer::default();
    lexer.push(object, &mut found).ok()?;
    lexer.finish().ok()?;
    let mut edits = found.edits(counts, &names);
    edits.sort_by_key(|edit| edit.at);
    if edits.is_empty() {
        return None;
    }
    let mut splicer = Splicer::new(edits);
    splicer.splice(object, object.len()).ok()
}

/// The members that matter, as they are.
struct Found<'n> {
    names: &'n Names,
    members: Vec<Member>,
    depth: u32,
    /// Where members of the object and of its details can be added: the closing brace, and
    /// whether nothing stands in front of it.
    end: (usize, bool),
    details_end: Option<(usize, bool)>,
    is_empty: [bool; 2],
    open: Option<&'static str>,
}

struct Member {
    name: &'static str,
    start: usize,
    end: usize,
    /// Whether it is written as a number: some relays send texts, which clients cannot add up.
    is_number: bool,
    count: Option<u64>,
}

impl<'n> Found<'n> {
    fn new(names: &'n Names) -> Self {
        Self {
            names,
            members: Vec::new(),
            depth: 0,
            end: (0, true),
            details_end: None,
            is_empty: [true; 2],
            open: None,
        }
    }

    fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    fn edits(&self, counts: &Counts, names: &Names) -> Vec<Edit> {
        let total =
            counts.input.zip(counts.output).map(|(input, output)| input.saturating_add(output));
        let mut edits = Vec::new();
        for (name, count) in
            [(names.input, counts.input), (names.output, counts.output), (TOTAL, total)]
        {
            // A count that the wire did not tell is not invented.
            if let (Some(member), Some(count)) = (self.member(name), count)
                && member.count.is_some()
            {
                edits.extend(member.set(count));
            }
        }
        let details: Vec<(&str, u64)> = [(READ, counts.read)]
            .into_iter()
            .chain(WRITES.map(|name| (name, counts.write)))
            .filter_map(|(name, count)| Some((name, count?)))
            .collect();
        let mut missing = Vec::new();
        for (name, count) in details {
            match self.member(name) {
                Some(member) => edits.extend(member.set(count)),
                None => missing.push(format!("\"{name}\":{count}")),
            }
        }
        if !missing.is_empty() {
            edits.push(self.add_details(&missing.join(",")));
        }
        edits
    }

    /// Adds members to the details, and the details where there are none.
    fn add_details(&self, members: &str) -> Edit {
        let comma = |is_empty: bool| if is_empty { "" } else { "," };
        let (at, remove, insert) = match (self.details_end, self.member(self.names.details)) {
            (Some((at, is_empty)), _) => (at, 0, format!("{}{members}", comma(is_empty))),
            (None, Some(null)) => (null.start, null.end - null.start, format!("{{{members}}}")),
            (None, None) => {
                let (at, is_empty) = self.end;
                let name = self.names.details;
                (at, 0, format!("{}\"{name}\":{{{members}}}", comma(is_empty)))
            }
        };
        edit(at, remove, insert)
    }
}

impl Member {
    /// The edit that makes it the number `count`, if it is anything else.
    fn set(&self, count: u64) -> Option<Edit> {
        (self.count != Some(count) || !self.is_number)
            .then(|| edit(self.start, self.end - self.start, count.to_string()))
    }
}

fn edit(at: usize, remove: usize, insert: String) -> Edit {
    // The object was just read, so there is nothing to guard against: the guard lies outside.
    let [at, remove] = [at, remove].map(|offset| u32::try_from(offset).unwrap_or(u32::MAX));
    Edit::new(at, remove, insert, (u32::MAX, 0))
}

impl Visitor for Found<'_> {
    fn begin(&mut self, kind: Kind, at: usize) -> Want {
        let details = self.open == Some(self.names.details);
        if kind == Kind::Object && (self.depth == 0 || (self.depth == 1 && details)) {
            self.depth += 1;
            return Want::Enter;
        }
        if let Some(name) = self.open {
            let is_number = kind == Kind::Number;
            self.members.push(Member { name, start: at, end: at, is_number, count: None });
        }
        Want::Text(20)
    }

    fn key(&mut self, name: Text<'_>, _at: usize) {
        let names = self.names;
        let level = usize::from(self.depth > 1);
        if let Some(is_empty) = self.is_empty.get_mut(level) {
            *is_empty = false;
        }
        let wanted: &[&'static str] = match level {
            0 => &[names.input, names.output, TOTAL, names.details],
            _ => &[READ, "cache_write_tokens", "caching_tokens"],
        };
        self.open = wanted.iter().find(|wanted| wanted.as_bytes() == name.bytes).copied();
    }

    fn raw(&mut self, _piece: &[u8]) {}

    fn end(&mut self, end: usize, text: Text<'_>) {
        if let (Some(name), Some(member)) = (self.open.take(), self.members.last_mut()) {
            debug_assert_eq!(member.name, name);
            member.end = end;
            member.count = core::str::from_utf8(text.bytes).ok().and_then(|text| text.parse().ok());
        }
    }

    fn leave(&mut self, at: usize) {
        let [usage, details] = self.is_empty;
        self.depth -= 1;
        self.open = None;
        if self.depth == 0 {
            self.end = (at, usage);
        } else {
            self.details_end = Some((at, details));
        }
    }
}
