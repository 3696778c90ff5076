//! A 400 for a member beside the prompt.

use cases::plugin::Dialect::{Chat, Responses};
use serde_json::{Value, json};

use super::{refusal, sent};
use crate::server::Server;

const FIELDS: [&str; 3] = ["prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"];

/// vectorize-io/hindsight#3518, All-Hands-AI/OpenHands#2295.
#[test]
fn a_cache_key_and_a_retention_reach_those_that_take_them_and_never_contradict() {
    let server = Server::start();
    let chat = |model: &str, fields: &[(&str, Value)]| {
        let mut body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
        fields.iter().for_each(|(name, value)| body[*name] = value.clone());
        body.to_string()
    };
    let key = ("prompt_cache_key", json!("k"));
    let options = ("prompt_cache_options", json!({"mode": "implicit", "ttl": "30m"}));
    let retention = ("prompt_cache_retention", json!("24h"));
    let all = [key.clone(), options, retention.clone()];
    for (provider, model, left) in [
        ("openai", "gpt-5.6", &FIELDS[..2]),
        ("openai", "gpt-5.1", &["prompt_cache_key", "prompt_cache_retention"][..]),
        ("azure_openai", "gpt-5.6", &FIELDS[..2]),
        ("mistral", "mistral-large-latest", &FIELDS[..1]),
        ("cerebras", "gpt-oss-120b", &FIELDS[..1]),
        ("deepseek", "deepseek-chat", &FIELDS[..1]),
        ("groq", "openai/gpt-oss-120b", &[]),
        ("gemini", "gemini-2.5-pro", &[]),
    ] {
        let body = chat(model, &all);
        let sent = sent(&server, provider, json!({}), Chat, &body);
        let kept: Vec<_> = FIELDS.into_iter().filter(|name| !sent.body[*name].is_null()).collect();
        assert_eq!(kept, left, "{provider}, {model}");
        assert_eq!(sent.rules, vec!["field"; FIELDS.len() - kept.len()], "each is counted");
    }
    for (provider, model) in [("groq", "openai/gpt-oss-120b"), ("gemini", "gemini-2.5-pro")] {
        refusal(&server, provider, Chat, &chat(model, &all));
    }
    let taken = chat("gpt-5.1", &[key, retention]);
    assert_eq!(sent(&server, "openai", json!({}), Chat, &taken).text, taken);
    let input = json!({"model": "gpt-5.6", "input": "hi", "prompt_cache_key": "k"}).to_string();
    assert_eq!(sent(&server, "openai", json!({}), Responses, &input).text, input);
}
