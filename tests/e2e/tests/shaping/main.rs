//! What providers receive: legal there, cacheable there, and otherwise as the client wrote it. The simulated providers refuse
//! what the real ones refuse, and their caches say what a mark was worth.

mod alone;
mod between;
mod fields;
mod marks;
mod retries;
mod strict;
mod turns;

use e2e::gateway::accounts;
use e2e::prompt::text;
use e2e::{Answer, Bootstrap, Gateway};
use serde_json::{Value, json};
use simulator::{Account, Provider};

const MESSAGES: &str = "/v1/messages";
const CHAT: &str = "/v1/chat/completions";

/// Anthropic, Vertex and Bedrock for messages, OpenAI for chat; all keep the client's marks, as far as they take them.
async fn keeping() -> Gateway {
    start(|provider| format!(r#"{{"provider": "{provider}"}}"#)).await
}

/// The same, and where the client set no mark, some are placed.
async fn injecting() -> Gateway {
    start(|provider| format!(r#"{{"provider": "{provider}", "marks": "inject"}}"#)).await
}

async fn start(configuration: impl Fn(&str) -> String) -> Gateway {
    let mut accounts = accounts();
    accounts[1] = Account::new("anthropic-b", Provider::Vertex);
    let bootstrap = Bootstrap::explaining()
        .steered()
        .upstream("anthropic-a", &configuration("anthropic"))
        .upstream("anthropic-b", &configuration("vertex"))
        .upstream("bedrock-us", &configuration("bedrock"))
        .upstream("openai-a", &configuration("openai"));
    Gateway::with_accounts(accounts, bootstrap).await
}

/// Where Claude is, by provider.
const CLAUDES: [(&str, &str); 3] =
    [("anthropic", "anthropic-a"), ("vertex", "anthropic-b"), ("bedrock", "bedrock-us")];

/// Sends a body to an upstream; returns what it answered and what it got.
async fn sent(gateway: &Gateway, upstream: &str, path: &str, body: &Value) -> (Answer, Value) {
    let answer = gateway.post(path, body).header("upstream", upstream).await;
    let received = gateway.providers.received(upstream).pop().expect("a request");
    let length = received.header("content-length").map(|value| value.to_vec());
    assert_eq!(length, Some(received.body.len().to_string().into_bytes()));
    assert_eq!(answer.status, 200, "{upstream}: {}", answer.text());
    (answer, serde_json::from_slice(&received.body).expect("JSON"))
}

/// A block of text; some 50 tokens.
fn block(number: u64) -> Value {
    json!({"type": "text", "text": text(number, 200)})
}

/// A request for messages with two tools, two system blocks and a turn of these blocks.
fn request(blocks: Vec<Value>) -> Value {
    let tool = |name: &str| json!({"name": name, "description": text(9, 5_000), "input_schema": {"type": "object"}});
    json!({
        "model": "claude-sonnet-4-5", "max_tokens": 64,
        "tools": [tool("a"), tool("b")],
        "system": [block(1), block(2)],
        "messages": [{"role": "user", "content": blocks}],
    })
}

fn mark() -> Value {
    json!({"type": "ephemeral"})
}

fn mark_for(ttl: &str) -> Value {
    json!({"type": "ephemeral", "ttl": ttl})
}

/// The places of all marks, as JSON pointers in the order of the body, with their ttl.
fn marks(body: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match name.as_str() {
                        "cache_control" => {
                            let ttl = member.get("ttl").and_then(Value::as_str);
                            found.push(format!(
                                "{path}{}",
                                ttl.map_or(String::new(), |ttl| format!(" {ttl}"))
                            ));
                        }
                        _ => walk(member, &format!("{path}/{name}"), found),
                    }
                }
            }
            Value::Array(values) => {
                values
                    .iter()
                    .enumerate()
                    .for_each(|(index, value)| walk(value, &format!("{path}/{index}"), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(body, "", &mut found);
    found
}
