//! Token counts on the way back: read in every provider's terms, written in the client's, counted to the token.

mod counts;
mod encodings;
mod explain;
mod json;
mod streams;

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway, Scripted, scripted::Reply};
use serde_json::{Value, json};

const MESSAGES: &str = "/v1/messages";
const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

/// A gateway whose `openai-a` counts as this provider does, and says what it is told to say.
async fn counting_as(provider: &str) -> (Gateway, Scripted) {
    let scripted = Scripted::start(Reply::json("{}")).await;
    let upstream = format!(r#"{{"provider": "{provider}"}}"#);
    let bootstrap = Bootstrap::shipped().upstream("openai-a", &upstream).steered();
    (Gateway::scripted(bootstrap, &scripted).await, scripted)
}

fn chat() -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
}

/// A chat that wants a stream, with the usage at its end where `usage` says so.
fn stream(usage: Option<bool>) -> Value {
    let mut body = chat();
    body["stream"] = json!(true);
    if let Some(usage) = usage {
        body["stream_options"] = json!({"include_usage": usage});
    }
    body
}

fn asked(dialect: Dialect, seed: u64) -> Conversation {
    let mut conversation = Conversation::new(dialect, seed);
    conversation.ask(1_000);
    conversation
}
