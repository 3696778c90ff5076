//! One block, part, tool or message: the unit that a mark can stand on.

use std::time::Duration;

use crate::json::{Json, Members};
use crate::refusal::Path;

#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) section: Section,
    /// Hashed but not counted: the role and what kind of thing this is.
    pub(crate) seal: String,
    /// Hashed and counted, four bytes a token: what was sent, less the marks.
    pub(crate) bytes: Vec<u8>,
    pub(crate) mark: Option<Ttl>,
    /// Whether an automatic mark may stand here.
    pub(crate) can_carry: bool,
    pub(crate) path: Path,
}

/// Providers process these in this order, wherever they are in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    Tools,
    System,
    Messages,
}

impl Piece {
    /// A plain string.
    pub(super) fn text(section: Section, role: &str, text: &str, path: Path) -> Self {
        let bytes = text.as_bytes().to_vec();
        Self {
            section,
            seal: format!("{role} text"),
            bytes,
            mark: None,
            can_carry: !text.trim().is_empty(),
            path,
        }
    }

    /// An object; one that is plain text equals the same string.
    pub(super) fn block(
        section: Section,
        role: &str,
        block: &Members<'_>,
        mark: Option<Ttl>,
        path: Path,
    ) -> Self {
        if let Some(text) = plain_text(block) {
            return Self { mark, ..Self::text(section, role, text, path) };
        }
        let mut bytes = Vec::new();
        unmarked(block, &[], &mut bytes);
        Self { section, seal: format!("{role} block"), bytes, mark, can_carry: true, path }
    }

    pub(crate) fn tokens(&self) -> u64 {
        self.bytes.len().div_ceil(4) as u64
    }
}

/// How long a mark asks its entry to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ttl {
    FiveMinutes,
    ThirtyMinutes,
    OneHour,
    TwelveHours,
}

impl Ttl {
    pub(crate) fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::FiveMinutes => 5 * 60,
            Self::ThirtyMinutes => 30 * 60,
            Self::OneHour => 60 * 60,
            Self::TwelveHours => 12 * 60 * 60,
        })
    }
}

/// The bytes of a value as sent, less the marks that stand on it or inside its content, and less
/// the members `without`.
pub(super) fn unmarked(members: &Members<'_>, without: &[&str], bytes: &mut Vec<u8>) {
    bytes.push(b'{');
    for (name, value) in members.iter() {
        if MARKS.contains(&name) || without.contains(&name) {
            continue;
        }
        bytes.extend(serde_json::to_string(&name).unwrap_or_default().bytes());
        bytes.push(b':');
        match name {
            "content" | "output" => match value.items() {
                Some(items) => items.into_iter().for_each(|item| unmarked_value(item, bytes)),
                None => bytes.extend(value.raw().bytes()),
            },
            "function" => unmarked_value(value, bytes),
            _ => bytes.extend(value.raw().bytes()),
        }
        bytes.push(b',');
    }
    bytes.push(b'}');
}

fn unmarked_value(json: Json<'_>, bytes: &mut Vec<u8>) {
    match json.members() {
        Some(members) => unmarked(&members, &[], bytes),
        None => bytes.extend(json.raw().bytes()),
    }
}

/// The text of a block that is nothing but text, between its quotes; such a block weighs as much as
/// the same plain string.
fn plain_text<'a>(block: &Members<'a>) -> Option<&'a str> {
    let mut text = None;
    for (name, value) in block.iter() {
        match name {
            "text" => text = Some(value.quoted()?),
            "type" if matches!(value.quoted()?, "text" | "input_text" | "output_text") => {}
            // Clients send back what they got, with members that say nothing.
            _ if value.is_empty() || MARKS.contains(&name) => {}
            _ => return None,
        }
    }
    text
}

/// The members that are marks: never part of what is cached.
const MARKS: [&str; 2] = ["cache_control", "prompt_cache_breakpoint"];

#[cfg(test)]
mod tests {
    use super::*;

    fn without_marks(text: &str) -> String {
        let mut bytes = Vec::new();
        unmarked_value(Json::parse(text.as_bytes()).unwrap(), &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_mark_is_no_part_of_the_bytes_but_all_else_is() {
        let marked =
            r#"{"type":"tool_use","cache_control":{"type":"ephemeral"},"input":{"b": 1.0}}"#;
        assert_eq!(
            without_marks(marked),
            without_marks(r#"{"type":"tool_use","input":{"b": 1.0}}"#)
        );
        assert_ne!(
            without_marks(marked),
            without_marks(r#"{"type":"tool_use","input":{"b":1.0}}"#)
        );
        assert_ne!(
            without_marks(marked),
            without_marks(r#"{"input":{"b": 1.0},"type":"tool_use"}"#)
        );
    }

    #[test]
    fn a_schema_property_with_the_name_of_a_mark_is_no_mark() {
        let tool =
            r#"{"name":"a","input_schema":{"properties":{"cache_control":{"type":"string"}}}}"#;
        assert!(without_marks(tool).contains("cache_control"));
    }

    #[test]
    fn plain_text_is_what_has_no_other_member() {
        let text = |text: &'static str| {
            plain_text(&Json::parse(text.as_bytes()).unwrap().members().unwrap())
        };
        assert_eq!(text(r#"{"text":"a\n","type":"text"}"#), Some(r"a\n"));
        assert_eq!(text(r#"{"type":"text","text":"a","cache_control":null}"#), Some("a"));
        assert_eq!(text(r#"{"type":"text","text":"a","citations":[]}"#), Some("a"));
        assert_eq!(text(r#"{"type":"text","text":"a","citations":[{}]}"#), None);
    }
}
