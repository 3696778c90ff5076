//! A retry at another provider gets that provider's shape of what the client wrote, not of what the attempt before got.

use e2e::prompt::text;
use e2e::{Bootstrap, Gateway};
use serde_json::{Value, json};
use simulator::{Account, Fault, Provider};

use crate::{CHAT, mark, mark_for, marks};

/// Claude's name at OpenRouter; OpenAI has another model for those who ask for it.
const CLAUDE: &str = "anthropic/claude-sonnet-4.5";

/// Two accounts at OpenRouter, OpenAI between them: each is tried when those before it have failed.
async fn three() -> Gateway {
    let accounts = vec![
        Account::new("anthropic-a", Provider::OpenRouter),
        Account::new("openai-a", Provider::OpenAi),
        Account::new("anthropic-b", Provider::OpenRouter),
        Account::new("bedrock-us", Provider::Bedrock),
    ];
    let openai = json!({"provider": "openai", "models": {CLAUDE: "gpt-5.1"}}).to_string();
    let bootstrap = Bootstrap::explaining()
        .upstream("anthropic-a", r#"{"provider": "openrouter"}"#)
        .upstream("anthropic-b", r#"{"provider": "openrouter"}"#)
        .upstream("openai-a", &openai)
        .failing_over(&["anthropic-a", "openai-a", "anthropic-b"]);
    Gateway::with_accounts(accounts, bootstrap).await
}

/// A chat with marks on a tool, for an hour on the system prompt, and on what the user says.
fn chat(stream: bool) -> Value {
    let part = |number, mark: Value| json!({"type": "text", "text": text(number, 8_000), "cache_control": mark});
    let function = json!({"name": "f", "parameters": {"type": "object"}});
    json!({
        "model": CLAUDE,
        "stream": stream,
        "stream_options": {"include_usage": true},
        "tools": [{"type": "function", "function": function, "cache_control": mark_for("1h")}],
        "messages": [
            {"role": "system", "content": [part(1, mark_for("1h"))]},
            {"role": "user", "content": [part(2, mark())]},
        ],
    })
}

const MARKS: [&str; 3] = ["/tools/0 1h", "/messages/0/content/0 1h", "/messages/1/content/0"];

#[tokio::test(flavor = "multi_thread")]
async fn marks_are_gone_at_openai_and_all_back_in_the_attempt_after_it() {
    let gateway = three().await;
    for stream in [false, true] {
        for upstream in ["anthropic-a", "openai-a"] {
            gateway.providers.fail(upstream, Fault::Status(503));
        }
        let body = chat(stream);
        let answer = gateway.post(CHAT, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(gateway.served(&answer), "anthropic-b");

        let got = |upstream: &str| {
            let exchange = gateway.providers.received(upstream).pop().expect("an attempt");
            let length = exchange.header("content-length").map(|value| value.to_vec());
            assert_eq!(length, Some(exchange.body.len().to_string().into_bytes()), "{upstream}");
            String::from_utf8(exchange.body.to_vec()).expect("a text")
        };
        let parsed = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let sent = body.to_string();
        assert_eq!(marks(&parsed(&sent)), MARKS);
        assert_eq!(got("anthropic-a"), sent, "the first attempt is as the client wrote it");
        let mut bare = body.clone();
        bare["model"] = json!("gpt-5.1");
        bare["tools"][0].as_object_mut().expect("a tool").remove("cache_control");
        for message in 0..2 {
            let part = &mut bare["messages"][message]["content"][0];
            part.as_object_mut().expect("a part").remove("cache_control");
        }
        assert_eq!(parsed(&got("openai-a")), bare, "the second has no mark at all");
        assert_eq!(got("anthropic-b"), sent, "the third has all of them again");
    }
}
