//! Where requests go, and why: every source of affinity, in real Envoy.

mod hard;
mod holders;
mod ids;
mod many;
mod replicas;
mod sources;

use e2e::client::Call;
use e2e::{Answer, Bootstrap, Gateway, Reply, Scripted};
use serde_json::{Value, json};

const MESSAGES: &str = "/v1/messages";
const CHAT: &str = "/v1/chat/completions";

/// A gateway whose upstreams take anything and say the same; the explanation tells which of them served.
struct Desk {
    gateway: Gateway,
    provider: Scripted,
}

impl Desk {
    /// Starts it without affinity by prefix, so that ids and sessions alone decide.
    async fn ids_only(more: &str) -> Self {
        let affinity = format!(r#""affinity": {{"prefix": false{more}}}"#);
        Self::start(Bootstrap::explaining().configure(&affinity)).await
    }

    async fn start(bootstrap: Bootstrap) -> Self {
        let provider = Scripted::start(Reply::json("{}")).await;
        Self { gateway: Gateway::scripted(bootstrap.steered(), &provider).await, provider }
    }

    /// Begins a request for messages; its words make another hash, so that some go elsewhere when nothing pins them.
    fn ask(&self, words: u32) -> Call {
        self.gateway.post(MESSAGES, &prompt(words))
    }

    /// Begins one that goes to this upstream whatever the plugin says.
    fn ask_at(&self, upstream: &str, words: u32) -> Call {
        self.ask(words).header("upstream", upstream)
    }
}

fn prompt(words: u32) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": format!("question {words}")}]})
}

/// What pinned a request, and where it was served.
fn why(answer: &Answer) -> (String, String) {
    let explanation = answer.explanation();
    (explanation["by"].clone(), explanation.get("upstream").cloned().unwrap_or_default())
}

fn pinned(by: &str, upstream: &str) -> (String, String) {
    (by.to_owned(), upstream.to_owned())
}
