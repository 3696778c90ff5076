//! A cache that is never read, because something on the way was lost or written anew.

use cases::plugin::Dialect::{self, Chat, Messages, Responses};
use cases::plugin::prompt::{hash, read};
use serde_json::{Value, json};

use super::{marked, messages, sent, text, tool};
use crate::server::Server;

/// BerriAI/litellm#32154, maximhq/bifrost#4378.
#[test]
fn an_hour_stays_an_hour_and_where_it_cannot_the_edit_is_told() {
    let server = Server::start();
    let hour = |object: Value| marked(object, Some("1h"));
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}});
    let result = json!({"type": "tool_result", "tool_use_id": "t", "content": "done"});
    let call = json!({"type": "tool_use", "id": "t", "name": "f", "input": {}});
    let worked = json!({
        "model": "claude-opus-4-8", "max_tokens": 64, "messages": [
            {"role": "user", "content": [hour(image)]},
            {"role": "assistant", "content": [hour(call)]},
            {"role": "user", "content": [hour(result)]},
        ],
    });
    let said = messages(hour(tool()), json!([hour(text("s"))]), json!([hour(text("a"))]));
    let function = json!({"type": "function", "function": {"name": "f", "parameters": {}}});
    let chat = json!({
        "model": "anthropic/claude-opus-4.8", "tools": [hour(function)],
        "messages": [{"role": "user", "content": [hour(text("a"))]}],
    });
    let item = json!({"role": "user", "content": "a"});
    let input = json!({"model": "claude-opus-4-8", "input": [hour(item)]});
    let cases: [(Dialect, &'static str, String); 5] = [
        (Messages, "anthropic", worked.to_string()),
        (Messages, "anthropic", said.clone()),
        (Messages, "vertex", said.clone()),
        (Chat, "openrouter", chat.to_string()),
        (Responses, "concentrate", input.to_string()),
    ];
    for (dialect, provider, body) in cases {
        assert_eq!(sent(&server, provider, json!({}), dialect, &body).text, body, "{provider}");
    }
    let short = sent(&server, "minimax", json!({}), Messages, &said);
    assert_eq!((short.marks().len(), short.text.contains("1h")), (3, false));
    assert_eq!(short.rules, ["ttl"; 3]);
}

/// envoyproxy/ai-gateway#2478, agentgateway/agentgateway#2628, Portkey-AI/gateway#1579.
#[test]
fn no_mark_is_lost_or_moved_where_it_is_legal() {
    let server = Server::start();
    let chat = |system: Value, user: Value, tool: Value| {
        json!({
            "model": "anthropic/claude-opus-4.8", "tools": [tool],
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        })
        .to_string()
    };
    let function = || json!({"type": "function", "function": {"name": "f", "parameters": {}}});
    let mark = |object: Value| marked(object, None);
    let [fixed, changing] = [text("the same every day"), text("today is another day")];
    let two = json!([mark(fixed.clone()), changing]);
    let input = json!({"model": "claude-opus-4-8", "input": [
        mark(json!({"role": "system", "content": "s"})), mark(json!({"role": "user", "content": "a"})),
    ]});
    let cases: [(Dialect, &'static str, String); 7] = [
        (Messages, "anthropic", messages(mark(tool()), two.clone(), json!([mark(text("a"))]))),
        (Messages, "bedrock", messages(mark(tool()), two.clone(), json!([mark(text("a"))]))),
        (Chat, "openrouter", chat(two.clone(), json!([mark(text("a"))]), mark(function()))),
        (Chat, "litellm", chat(two.clone(), json!([mark(text("a"))]), mark(function()))),
        (Chat, "requesty", chat(two.clone(), json!([mark(text("a"))]), function())),
        (Chat, "knox", chat(two.clone(), json!([mark(text("a"))]), function())),
        (Responses, "concentrate", input.to_string()),
    ];
    for (dialect, provider, body) in cases {
        let sent = sent(&server, provider, json!({}), dialect, &body);
        assert_eq!(sent.text, body, "{provider}: each stays on its block, and blocks stay apart");
    }
}

/// agentgateway/agentgateway#3371, maximhq/bifrost#2163.
#[test]
fn nothing_but_the_marks_is_written_anew() {
    let server = Server::start();
    const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;
    let body = "{ \"max_tokens\":64 ,\t\"messages\": [{\"content\":[ {\"text\":\"\\u0061\\/\\ud83d\\ude00 \u{1f600}\",\"type\":\"text\"}],\n\
        \"role\":\"user\"}],\"model\":\"claude-opus-4-8\",\r\n\"temperature\":1e-0,\"top_k\": 12345678901234567890,\
        \"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\",\"z\":1.0,\"a\":1E3,\"Z\":-0,\"a \":null}} ] }";
    for provider in ["anthropic", "bedrock", "vertex"] {
        let sent = sent(&server, provider, json!({"marks": "inject"}), Messages, body);
        assert!(!sent.marks().is_empty(), "{provider}");
        assert_eq!(sent.text.replace(MARK, ""), body, "{provider}");
    }
}

/// anthropics/claude-code#68900, ollama/ollama#14918.
#[test]
fn a_nonce_in_the_first_block_of_the_system_prompt_moves_no_conversation() {
    let server = Server::start();
    let body = |nonce: &str, user: Value| {
        let billing = format!("x-anthropic-billing-header: cc_version=2.1.197; cch={nonce};");
        messages(tool(), json!([text(&billing), marked(text("s"), None)]), user)
    };
    let [one, other] = ["0df41", "533ab"].map(|nonce| body(nonce, json!([text("a")])));
    let facts = [&one, &other].map(|body| read(Messages, &[body.as_bytes()]).unwrap());
    let [first, second] = &facts;
    assert_ne!(one, other);
    assert_eq!(first.prefix, second.prefix, "both are the same conversation");
    assert_eq!(hash(first, b"key"), hash(second, b"key"), "and begin at the same account");
    for body in [one, other] {
        assert_eq!(sent(&server, "anthropic", json!({}), Messages, &body).text, body);
    }
}
