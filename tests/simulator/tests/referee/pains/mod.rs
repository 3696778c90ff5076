//! What users of other gateways complain of, one test each, by what they see: each request goes through both stages, and
//! what leaves is taken by a provider that is as strict as the real one, which has refused what the client wrote where
//! that is the complaint.

mod fields;
mod kept;
mod legal;

use cases::inputs;
use cases::plugin::exchange;
use cases::plugin::{Dialect, path};
use serde_json::{Value, json};

use crate::server::Server;

/// What has left for a provider, and was taken there.
struct Sent {
    text: String,
    body: Value,
    rules: Vec<&'static str>,
}

impl Sent {
    fn marks(&self) -> Vec<String> {
        marks(&self.body)
    }
}

/// Sends a client's body to a provider with these settings beside its name.
#[track_caller]
fn sent(
    server: &Server,
    provider: &'static str,
    more: Value,
    dialect: Dialect,
    body: &str,
) -> Sent {
    let mut settings = json!({"provider": provider, "min_tokens": 0});
    for (name, value) in more.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    let exchange::Sent { body: left, rules, skips, .. } =
        exchange::send(&settings, dialect, &[], &[body.as_bytes()]);
    assert_eq!(skips, Vec::<String>::new(), "{provider}: nothing is left alone");
    let answer = server.post(provider, path(dialect), &[], &left);
    let text = String::from_utf8(left).unwrap();
    assert_eq!(answer.status, 200, "{provider}: {}: {text}", answer.message());
    Sent { body: serde_json::from_str(&text).unwrap(), text, rules }
}

/// The words with which a provider refuses what the client wrote.
#[track_caller]
fn refusal(server: &Server, provider: &'static str, dialect: Dialect, body: &str) -> String {
    let answer = server.post(provider, path(dialect), &[], body.as_bytes());
    assert!((400..500).contains(&answer.status), "{provider} takes {body}");
    answer.message()
}

/// A golden input.
fn golden(dialect: Dialect, name: &str) -> String {
    let mut inputs = inputs::requests().into_iter();
    let found = inputs.find(|input| input.dialect == dialect && input.name == name);
    String::from_utf8(found.expect("the input is there").body).unwrap()
}

/// A request for messages with these blocks of system and user, and one tool.
fn messages(tool: Value, system: Value, user: Value) -> String {
    json!({
        "model": "claude-opus-4-8", "max_tokens": 64, "tools": [tool], "system": system,
        "messages": [{"role": "user", "content": user}],
    })
    .to_string()
}

fn text(words: &str) -> Value {
    json!({"type": "text", "text": words})
}

fn tool() -> Value {
    json!({"name": "f", "input_schema": {"type": "object"}})
}

/// The same object with a mark of this lifetime, in words of the wire.
fn marked(mut object: Value, ttl: Option<&str>) -> Value {
    object["cache_control"] = json!({"type": "ephemeral"});
    if let Some(ttl) = ttl {
        object["cache_control"]["ttl"] = json!(ttl);
    }
    object
}

/// The places of all marks in the order of the bytes, each with its ttl.
fn marks(value: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, found: &mut Vec<String>) {
        let members = value.as_object().into_iter().flatten();
        for (name, member) in members {
            if name == "cache_control" {
                let ttl = member["ttl"].as_str().map_or(String::new(), |ttl| format!(" {ttl}"));
                found.push(format!("{path}{ttl}"));
            } else {
                walk(member, &format!("{path}/{name}"), found);
            }
        }
        for (index, element) in value.as_array().into_iter().flatten().enumerate() {
            walk(element, &format!("{path}/{index}"), found);
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}
