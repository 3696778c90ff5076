//! What else a request says about caching, and what is set where it says nothing.

use e2e::prompt::{Dialect, text};
use e2e::{Bootstrap, Conversation, Gateway, Reply, Scripted};
use serde_json::{Value, json};

use crate::{CHAT, CLAUDES, MESSAGES, block, injecting, keeping, mark, marks, request, sent};

#[tokio::test(flavor = "multi_thread")]
async fn members_that_an_upstream_refuses_do_not_reach_it() {
    let gateway = keeping().await;
    let mut body = request(vec![block(3)]);
    body["prompt_cache_key"] = json!("k");
    body["prompt_cache_retention"] = json!("24h");
    body["prompt_cache_options"] = json!({"mode": "implicit"});
    for (_, upstream) in CLAUDES {
        let (answer, received) = sent(&gateway, upstream, MESSAGES, &body).await;
        assert_eq!(received, request(vec![block(3)]));
        assert_eq!(answer.explanation()["edits"], "field");
    }
    let mut chat = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]});
    let plain = chat.clone();
    chat["prompt_cache_retention"] = json!("24h");
    chat["prompt_cache_options"] = Value::Null;
    chat["cache_control"] = mark();
    let (_, received) = sent(&gateway, "openai-a", CHAT, &chat).await;
    assert_eq!(received, plain);
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_do_not_reach_an_upstream_that_refuses_them() {
    let gateway = keeping().await;
    for model in ["gpt-4o", "gpt-5.1"] {
        let plain = json!({"model": model, "messages": [
            {"role": "system", "content": [{"type": "text", "text": text(1, 8_000)}]},
            {"role": "user", "content": [{"type": "text", "text": "hi"}]}],
            "tools": [{"type": "function", "function": {"name": "a", "parameters": {}}}]});
        let mut marked = plain.clone();
        for place in [
            "/messages/0/content/0",
            "/messages/1/content/0",
            "/messages/1",
            "/tools/0",
            "/tools/0/function",
        ] {
            marked.pointer_mut(place).expect("a place")["cache_control"] = mark();
        }
        let (_, received) = sent(&gateway, "openai-a", CHAT, &marked).await;
        assert_eq!(received, plain);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_become_breakpoints_where_those_are_known() {
    let gateway = keeping().await;
    let mut chat = json!({"model": "gpt-5.6", "messages": [
        {"role": "system", "content": [{"type": "text", "text": text(1, 8_000), "cache_control": mark()}]},
        {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": mark()}]}]});
    let (answer, received) = sent(&gateway, "openai-a", CHAT, &chat).await;
    assert_eq!(marks(&received), [""; 0]);
    for place in ["/messages/0/content/0", "/messages/1/content/0"] {
        let block = received.pointer(place).expect("a place");
        assert_eq!(block["prompt_cache_breakpoint"], json!({"mode": "explicit"}), "{place}");
    }
    assert!(answer.usage()["prompt_tokens_details"]["cache_write_tokens"].as_u64() > Some(1_900));
    chat["messages"][1]["content"][0]["text"] = json!("something else");
    let (answer, _) = sent(&gateway, "openai-a", CHAT, &chat).await;
    assert!(answer.usage()["prompt_tokens_details"]["cached_tokens"].as_u64() > Some(1_900));
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_are_placed_where_the_client_set_none() {
    let gateway = injecting().await;
    for (_, upstream) in CLAUDES {
        let mut body = request(vec![block(3), block(4)]);
        let (_, received) = sent(&gateway, upstream, MESSAGES, &body).await;
        assert_eq!(marks(&received), ["/tools/1", "/system/1", "/messages/0/content/1"]);
        let turns = body["messages"].as_array_mut().expect("turns");
        turns.push(json!({"role": "assistant", "content": "well"}));
        turns.push(json!({"role": "user", "content": "go on"}));
        let (answer, received) = sent(&gateway, upstream, MESSAGES, &body).await;
        let expected = ["/tools/1", "/system/1", "/messages/0/content/1", "/messages/2/content/0"];
        assert_eq!(marks(&received), expected);
        assert_eq!(
            received["messages"][2]["content"][0]["text"], "go on",
            "a string becomes a block"
        );
        assert!(answer.usage()["cache_read_input_tokens"].as_u64() > Some(2_500));
    }
    // Below what a provider caches, a mark is for nothing.
    let short = json!({"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
    let (_, received) = sent(&gateway, "anthropic-a", MESSAGES, &short).await;
    assert_eq!(received, short);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_key_is_set_where_the_client_set_none() {
    let gateway = Gateway::warm().await;
    let mut keys = Vec::new();
    for (caller, session, seed) in
        [("1", "a", 1), ("1", "a", 2), ("1", "b", 1), ("2", "a", 1), ("1", "", 1), ("1", "", 2)]
    {
        let mut conversation = Conversation::new(Dialect::Chat, seed);
        let mut of_turns = Vec::new();
        for _ in 0..2 {
            conversation.ask(1_000);
            let call = gateway.send(&conversation).header("x-api-key", caller);
            let call = if session.is_empty() { call } else { call.header("x-session-id", session) };
            conversation.hear(&call.await);
            let received = gateway.providers.received("openai-a").pop().expect("a request");
            let received: Value = serde_json::from_slice(&received.body).expect("JSON");
            of_turns.push(received["prompt_cache_key"].as_str().expect("a key").to_owned());
        }
        assert_eq!(of_turns[0], of_turns[1], "the same from turn to turn");
        keys.push(of_turns.remove(0));
    }
    assert_eq!(keys[0], keys[1], "a session says more than how its conversation began");
    keys.remove(0);
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 5, "{keys:?}");
    let mut own = Conversation::new(Dialect::Chat, 1);
    own.ask(100);
    own.body["prompt_cache_key"] = json!("own");
    gateway.send(&own).await;
    let received = gateway.providers.received("openai-a").pop().expect("a request");
    assert!(received.body == own.body.to_string().as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_gets_the_name_that_the_upstream_has_for_it() {
    let provider = Scripted::start(Reply::json("{}")).await;
    let models = r#"{"provider": "bedrock", "models": {"claude-opus-4-6": "us.anthropic.claude-opus-4-6-v1"}}"#;
    let bootstrap = Bootstrap::explaining().steered().upstream("bedrock-us", models);
    let gateway = Gateway::scripted(bootstrap, &provider).await;
    for (asked, expected) in [
        ("claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1"),
        ("claude\\u002dopus-4-6", "us.anthropic.claude-opus-4-6-v1"),
        ("claude-opus-5", "claude-opus-5"),
    ] {
        let body =
            |model: &str| format!(r#"{{"messages":[],"model" : "{model}" ,"max_tokens":1}}"#);
        let call = gateway.post(MESSAGES, &Value::Null).header("upstream", "bedrock-us");
        assert_eq!(call.body(body(asked)).await.status, 200);
        assert_eq!(provider.last().body, body(expected));
    }
}
