//! A JSON text, looked into without being rewritten: what is the beginning of a value in the bytes
//! stays known, so a cache can be keyed by the bytes that were sent (key order, white space and
//! escapes included). It validates nothing beyond the grammar.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One value of a JSON text that is known to be well formed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a>(&'a str);

/// The members of an object in the order sent, a name that comes twice included.
#[derive(Debug, Default)]
pub(crate) struct Members<'a>(Vec<(String, Json<'a>)>);

impl<'a> Members<'a> {
    /// The value of a member that is not null; of several with that name the last counts, as
    /// parsers have it.
    pub(crate) fn get(&self, name: &str) -> Option<Json<'a>> {
        let found = self.0.iter().rfind(|(other, _)| other == name);
        found.map(|(_, value)| *value).filter(|value| !value.is_null())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Json<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }
}

impl<'a> Json<'a> {
    pub(crate) const EMPTY: Json<'static> = Json("{}");

    /// Takes a whole text, which may end in white space but in nothing else.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        Ok(Self(raw.get()))
    }

    pub(crate) fn raw(self) -> &'a str {
        self.0
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// As [`Members::get`], for a look at one member of a small object.
    pub(crate) fn get(self, name: &str) -> Option<Json<'a>> {
        self.members()?.get(name)
    }

    /// Whether this says no more than that the member is not there.
    pub(crate) fn is_empty(self) -> bool {
        matches!(self.0, "null" | "[]")
    }

    pub(crate) fn members(self) -> Option<Members<'a>> {
        if !self.0.starts_with('{') {
            return None;
        }
        serde_json::Deserializer::from_str(self.0).deserialize_map(MembersVisitor).ok()
    }

    pub(crate) fn items(self) -> Option<Vec<Json<'a>>> {
        if !self.0.starts_with('[') {
            return None;
        }
        let raw: Vec<&RawValue> = serde_json::from_str(self.0).ok()?;
        Some(raw.into_iter().map(|value| Json(value.get())).collect())
    }

    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.quoted()?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        serde_json::from_str::<String>(self.0).ok().map(Cow::Owned)
    }

    /// What stands between the quotes of a string, escapes as they were sent.
    pub(crate) fn quoted(self) -> Option<&'a str> {
        self.0.strip_prefix('"')?.strip_suffix('"')
    }

    pub(crate) fn number(self) -> Option<u64> {
        self.0.parse().ok()
    }

    pub(crate) fn is_true(self) -> bool {
        self.0 == "true"
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
            members.push((name, Json(raw.get())));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_the_bytes_that_were_sent() {
        let json = Json::parse(br#" {"b" : [1.0, "\u00e9"], "a": {"x":  1} } "#).unwrap();
        let members = json.members().unwrap();
        let raw: Vec<_> = members.iter().map(|(name, value)| (name, value.raw())).collect();
        assert_eq!(raw, [("b", r#"[1.0, "\u00e9"]"#), ("a", r#"{"x":  1}"#)]);
        assert_eq!(json.get("b").unwrap().items().unwrap()[1].text().unwrap(), "é");
    }

    #[test]
    fn a_name_is_what_a_parser_makes_of_it_and_the_last_one_counts() {
        let json = Json::parse(br#"{"a":1,"\u0061":2,"n":null}"#).unwrap();
        assert_eq!(json.get("a").unwrap().number(), Some(2));
        assert!(json.get("n").is_none());
        assert_eq!(json.members().unwrap().iter().count(), 3);
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "{", "{}x", "nul", "\"\u{1}\""] {
            assert!(Json::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
