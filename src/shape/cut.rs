//! Cuts members out of objects, each with the comma that goes with it.

use crate::prompt::Member;
use crate::splice::Edit;

/// The edits that cut these members out. No member may lie inside another one.
pub(super) fn members(mut members: Vec<Member>) -> Vec<Edit> {
    members.sort_unstable_by_key(|member| member.start);
    // A member behind others that stay takes the comma in front of it along. The first of an
    // object takes the one behind it, and so do those right behind it that go too.
    let mut leading_until = None;
    members
        .iter()
        .map(|member| {
            let leading = member.first || leading_until == Some(member.before);
            leading_until = leading.then_some(member.end);
            let (from, to) =
                if leading { (member.start, member.next) } else { (member.before, member.end) };
            Edit::new(from, to - from, "", (member.start, b'"'))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::members;
    use crate::dialect::Dialect;
    use crate::prompt::{Member, Reader};
    use crate::splice::apply;

    /// All `ttl` and `scope` members and marks of a body, by name.
    fn found(body: &str) -> Vec<(&'static str, Member)> {
        let mut reader = Reader::new(Dialect::Messages, [].into());
        reader.push(body.as_bytes()).unwrap();
        let prompt = reader.finish().unwrap().prompt;
        let mut found = Vec::new();
        for mark in prompt.marks {
            found.push(("mark", mark.member));
            found.extend(mark.ttl.map(|(_, member)| ("ttl", member)));
            found.extend(mark.scope.map(|member| ("scope", member)));
        }
        found.extend(prompt.fields.iter().map(|field| ("field", field.member)));
        found
    }

    #[test]
    fn commas_go_with_the_members() {
        let cases = [
            (
                r#"{"cache_control":{"ttl":"1h","type":"e"}, "messages":[]}"#,
                "ttl",
                r#"{"cache_control":{"type":"e"}, "messages":[]}"#,
            ),
            (
                r#"{"cache_control":{"type":"e" , "ttl":"1h"}, "messages":[]}"#,
                "ttl",
                r#"{"cache_control":{"type":"e"}, "messages":[]}"#,
            ),
            (
                r#"{"cache_control":{ "ttl":"1h" }, "messages":[]}"#,
                "ttl",
                r#"{"cache_control":{  }, "messages":[]}"#,
            ),
            (r#"{ "cache_control":null , "messages":[]}"#, "mark", r#"{ "messages":[]}"#),
            (
                r#"{"messages":[],
                 "cache_control":null
                }"#,
                "mark",
                "{\"messages\":[]\n                }",
            ),
            (
                r#"{"cache_control":{"ttl":"1h","scope":"x","type":"e"},"messages":[]}"#,
                "ttl scope",
                r#"{"cache_control":{"type":"e"},"messages":[]}"#,
            ),
            (
                r#"{"cache_control":{"ttl":"1h","scope":"x"},"messages":[]}"#,
                "ttl scope",
                r#"{"cache_control":{},"messages":[]}"#,
            ),
            (
                r#"{"cache_control":{"ttl":"1h","type":"e","scope":"x"},"messages":[]}"#,
                "ttl scope",
                r#"{"cache_control":{"type":"e"},"messages":[]}"#,
            ),
            (
                r#"{"cache_control":null,"prompt_cache_key":"k","messages":[]}"#,
                "mark field",
                r#"{"messages":[]}"#,
            ),
            (
                r#"{"messages":[],"cache_control":null,"prompt_cache_key":"k"}"#,
                "mark field",
                r#"{"messages":[]}"#,
            ),
        ];
        for (body, names, expected) in cases {
            let members = found(body)
                .into_iter()
                .filter(|(name, _)| names.split(' ').any(|wanted| wanted == *name))
                .map(|(_, member)| member)
                .collect();
            let edits = super::members(members);
            assert_eq!(apply(body, &edits).unwrap(), expected, "{body}");
        }
        assert!(members(Vec::new()).is_empty());
    }
}
