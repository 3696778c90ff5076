//! A 400 where the client, or a gateway in between, has set marks.

use cases::plugin::Dialect::{Chat, Messages};
use serde_json::{Value, json};

use super::{golden, marked, marks, messages, refusal, sent, text, tool};
use crate::server::Server;

/// BerriAI/litellm#30480, griffinmartin/opencode-claude-auth#121.
#[test]
fn five_marks_or_more_are_cut_to_the_best_four_instead_of_being_refused() {
    let server = Server::start();
    for name in ["five_marks.json", "six_marks.json", "twelve_marks.json"] {
        let body = golden(Messages, name);
        assert!(refusal(&server, "anthropic", Messages, &body).contains("maximum of 4"));
        let client = marks(&serde_json::from_str(&body).unwrap());
        let last = |section: &str| client.iter().rfind(|mark| mark.starts_with(section));
        for policy in ["keep", "inject"] {
            let sent = sent(&server, "anthropic", json!({"marks": policy}), Messages, &body);
            let kept = sent.marks();
            assert_eq!((kept.len(), sent.rules.contains(&"cap")), (4, true), "{name}: {kept:?}");
            for section in ["/tools", "/system", "/messages"] {
                assert_eq!(kept.iter().rfind(|mark| mark.starts_with(section)), last(section));
            }
        }
    }
    let four = golden(Messages, "four_marks.json");
    assert_eq!(sent(&server, "anthropic", json!({}), Messages, &four).text, four);
}

/// Portkey-AI/gateway#1762, cnighswonger/claude-code-cache-fix#44.
#[test]
fn an_hour_behind_five_minutes_becomes_five_minutes_and_is_not_refused() {
    let server = Server::start();
    let ttls = [None, Some("5m"), Some("1h")];
    for all in 0..3_usize.pow(4) {
        let [first, second, third, fourth] = [0, 1, 2, 3].map(|n| ttls[all / 3_usize.pow(n) % 3]);
        let user = json!([marked(text("a"), third), marked(text("b"), fourth)]);
        let body = messages(marked(tool(), first), json!([marked(text("s"), second)]), user);
        let sent = sent(&server, "anthropic", json!({}), Messages, &body);
        let asked = [first, second, third, fourth].map(|ttl| ttl == Some("1h"));
        let order = ["/tools", "/system", "/messages/0/content/0", "/messages/0/content/1"];
        let found = sent.marks();
        let hours = order.map(|place| {
            let mark = found.iter().find(|mark| mark.starts_with(place)).expect("none is lost");
            mark.ends_with("1h")
        });
        let lead = asked.iter().take_while(|hour| **hour).count();
        assert_eq!(hours, [0, 1, 2, 3].map(|place| place < lead), "{body}");
        if !asked[lead..].contains(&true) {
            assert_eq!(sent.text, body, "it was in order");
        } else {
            assert!(sent.rules.contains(&"order"));
            refusal(&server, "anthropic", Messages, &body);
        }
    }
}

/// vercel/eve#2753, anthropics/claude-code#50082, Wei-Shaw/sub2api#225.
#[test]
fn no_mark_lands_on_an_empty_text_or_on_thinking() {
    let server = Server::start();
    let unmarkable = [
        text(""),
        json!({"type": "thinking", "thinking": "hm", "signature": "c2ln"}),
        json!({"type": "redacted_thinking", "data": "ZGF0YQ=="}),
    ];
    for last in unmarkable {
        let body = |last: &Value| {
            let said = json!([text("before"), last]);
            let turns = json!([
                {"role": "user", "content": "go"}, {"role": "assistant", "content": said},
                {"role": "user", "content": "on"},
            ]);
            json!({"model": "claude-opus-4-8", "max_tokens": 64, "messages": turns}).to_string()
        };
        let body = body(&marked(last, None));
        refusal(&server, "anthropic", Messages, &body);
        let sent = sent(&server, "anthropic", json!({}), Messages, &body);
        assert_eq!(sent.marks(), ["/messages/1/content/0"], "the nearest before it");
        assert_eq!(sent.rules, ["move"]);
    }
    let empty_last = golden(Messages, "empty_last.json");
    let placed = sent(&server, "anthropic", json!({"marks": "inject"}), Messages, &empty_last);
    assert!(!placed.marks().is_empty(), "what is placed is placed in front of the empty block");
}

/// UKGovernmentBEIS/inspect_ai#3851, vercel/ai#13986, maximhq/bifrost#1558.
#[test]
fn a_mark_on_the_whole_request_is_no_extra_input_where_nobody_knows_it() {
    let server = Server::start();
    let mut body: Value =
        serde_json::from_str(&messages(tool(), json!([text("s")]), json!([text("a"), text("b")])))
            .unwrap();
    body["cache_control"] = json!({"type": "ephemeral"});
    let body = body.to_string();
    assert!(refusal(&server, "bedrock", Messages, &body).contains("cache_control"));
    // Reports on Vertex disagree; a block's mark is right by all of them.
    for provider in ["bedrock", "vertex"] {
        let sent = sent(&server, provider, json!({}), Messages, &body);
        assert_eq!(sent.marks(), ["/messages/0/content/1"], "{provider}");
        assert_eq!(sent.rules, ["top_level"], "{provider}");
    }
    assert_eq!(sent(&server, "anthropic", json!({}), Messages, &body).text, body);
}

/// maximhq/bifrost#1558, caozhiyuan/copilot-api#145.
#[test]
fn a_scope_is_no_extra_input_where_nobody_knows_it() {
    let server = Server::start();
    let mut system = marked(text("s"), Some("1h"));
    system["cache_control"]["scope"] = json!("global");
    let body = messages(tool(), json!([system]), json!("a"));
    for provider in ["bedrock", "vertex"] {
        refusal(&server, provider, Messages, &body);
        let sent = sent(&server, provider, json!({}), Messages, &body);
        assert!(sent.rules.contains(&"scope"), "{provider}: {:?}", sent.rules);
        assert_eq!((sent.marks().len(), sent.text.contains("scope")), (1, false), "{provider}");
    }
}

/// BerriAI/litellm#38790, NousResearch/hermes-agent#100819.
#[test]
fn failover_hands_no_cache_control_to_a_provider_that_speaks_openai() {
    let server = Server::start();
    let part = |words: &str, ttl| marked(text(words), ttl);
    let function = json!({"name": "f", "parameters": {"type": "object"}});
    let body = json!({
        "model": "anthropic/claude-opus-4.8",
        "tools": [marked(json!({"type": "function", "function": function}), Some("1h"))],
        "messages": [
            {"role": "system", "content": [part("s", Some("1h"))]},
            {"role": "user", "content": [part("a", None)]},
        ],
    })
    .to_string();
    let models = json!({"models": {"anthropic/claude-opus-4.8": "gpt-5.1"}});
    assert_eq!(sent(&server, "openrouter", json!({}), Chat, &body).text, body, "the first attempt");
    refusal(&server, "openai", Chat, &body);
    for provider in ["openai", "azure_openai"] {
        let sent = sent(&server, provider, models.clone(), Chat, &body);
        assert_eq!((sent.marks().len(), sent.body["model"].as_str()), (0, Some("gpt-5.1")));
    }
    assert_eq!(sent(&server, "openrouter", json!({}), Chat, &body).text, body, "and back");
}
