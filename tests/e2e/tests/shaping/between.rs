//! Another filter that changes the body between the stages: it is shaped as it then is, or not sent at all.

use e2e::prompt::{Dialect, text};
use e2e::{Bootstrap, Conversation, Gateway, Reply, Scripted};
use serde_json::{Value, json};
use simulator::Fault;

use crate::MESSAGES;

const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;

/// A filter that replaces a text in every body, and tells the new length or none.
fn replacing(from: &str, to: &str, length: &str) -> String {
    format!(
        r#"- name: envoy.filters.http.lua
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
    default_source_code:
      inline_string: |
        function envoy_on_request(handle)
          local body = handle:body()
          local bytes = body:getBytes(0, body:length())
          local from, to = string.find(bytes, '{from}', 1, true)
          local length = body:setBytes(string.sub(bytes, 1, from - 1) .. '{to}' .. string.sub(bytes, to + 1))
          {length}
        end"#
    )
}

const TELL: &str = r#"handle:headers():replace("content-length", length)"#;
const CONCEAL: &str = r#"handle:headers():remove("content-length")"#;

/// Sends a body whose last block gets a mark, through such a filter.
async fn through(filter: String, body: &str) -> (Gateway, Scripted, e2e::Answer) {
    let provider = Scripted::start(Reply::json("{}")).await;
    let marking = r#"{"provider": "anthropic", "marks": "inject", "min_tokens": 0}"#;
    let bootstrap = Bootstrap::shipped()
        .upstream("anthropic-a", marking)
        .upstream("anthropic-b", marking)
        .upstream("bedrock-us", marking)
        .filter_behind("route", &filter);
    let gateway = Gateway::scripted(bootstrap, &provider).await;
    let answer = gateway.post(MESSAGES, &Value::Null).body(body.to_owned()).await;
    (gateway, provider, answer)
}

fn body(words: &str) -> String {
    format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"text","text":"{words}"}}]}}]}}"#
    )
}

fn marked(words: &str) -> String {
    body(words).replace("\"}]}]}", &format!("\"{MARK}}}]}}]}}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_length_is_read_again() {
    for length in [TELL, CONCEAL] {
        for to in ["somebody else", "me", ""] {
            let (gateway, provider, answer) =
                through(replacing("somebody", to, length), &body("ask somebody")).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let received = provider.last();
            assert_eq!(received.body, marked(&format!("ask {to}")));
            assert_eq!(received.headers["content-length"], received.body.len().to_string());
            assert_eq!(gateway.envoy.stats().await.sum("warmpath_skips_total", &[]), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_the_same_length_is_edited_where_it_was_read() {
    let (_gateway, provider, answer) =
        through(replacing("somebody", "nobodies", TELL), &body("ask somebody")).await;
    assert_eq!((answer.status, provider.last().body), (200, marked("ask nobodies").into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_another_at_the_place_of_an_edit_is_not_sent() {
    let moved = replacing(r#""}]}]}"#, r#"x"}]}]"#, TELL);
    let (gateway, provider, answer) = through(moved, &body("x")).await;
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("changed on its way"), "{}", answer.text());
    assert!(provider.received().is_empty());
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.skips("body_changed"), 1);
    // Others, and the next one on the same connection, are none the worse for it.
    assert_eq!(gateway.get("/v1/models").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_body_that_changed_far_behind_its_beginning_is_not_sent_either() {
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    let blocks =
        json!([{"type": "text", "text": text(1, 2_000_000)}, {"type": "text", "text": "END"}]);
    conversation.body["messages"] = json!([{"role": "user", "content": blocks}]);
    let sent = conversation.body.to_string();
    let (_gateway, provider, answer) =
        through(replacing(r#""END"}"#, r#""EN"} "#, TELL), &sent).await;
    // What was sent of it before cannot have been a whole request.
    assert!(answer.status == 502 && provider.received().is_empty(), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_length_is_read_again_in_every_attempt() {
    let filter = replacing("somebody", "somebody else", TELL);
    let soon = Bootstrap::explaining()
        .replace("per_try_idle_timeout: 300s", "per_try_idle_timeout: 5s")
        .filter_behind("route", &filter);
    let gateway = Gateway::start(soon).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.body["cache_control"] = json!({"type": "ephemeral"});
    conversation.body["messages"] =
        json!([{"role": "user", "content": format!("ask somebody {}", text(1, 5_000))}]);
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us"] {
        gateway.providers.fail(upstream, Fault::Status(503));
    }
    let answer = gateway.send(&conversation).await;
    assert_eq!((answer.status, &*answer.explanation()["attempts"]), (503, "3"));
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us"] {
        let received = gateway.providers.received(upstream).pop().expect("a request");
        let body: Value = serde_json::from_slice(&received.body).expect("JSON");
        let last = &body["messages"][0]["content"];
        let words = last.as_str().or(last[0]["text"].as_str()).expect("a text");
        assert!(words.starts_with("ask somebody else #1"), "{upstream}: {words}");
        let is_bedrock = upstream == "bedrock-us";
        assert_eq!(body.get("cache_control").is_none(), is_bedrock, "{upstream}");
        assert_eq!(last[0].get("cache_control").is_some(), is_bedrock, "{upstream}");
    }
}
