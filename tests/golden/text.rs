//! JSON laid out so that a diff reads well: one line for each member, and for each entry of a list.

use serde_json::Value;

/// The members of an object, lists with one entry a line.
pub(crate) fn lines(object: &Value) -> String {
    let members = object.as_object().expect("an object").iter().map(|(name, value)| {
        let value = match value {
            Value::Array(entries) if !entries.is_empty() => {
                let entries: Vec<_> = entries.iter().map(|entry| format!("    {entry}")).collect();
                format!("[\n{}\n  ]", entries.join(",\n"))
            }
            other => other.to_string(),
        };
        format!("  \"{name}\": {value}")
    });
    format!("{{\n{}\n}}\n", members.collect::<Vec<_>>().join(",\n"))
}
