//! Client libraries: each talks in two conversations at a time, plain and in streams, with a tool; then the account of one of
//! them dies.

use std::path::PathBuf;

use e2e::prompt::text;
use real::client::{Home, Talk};
use real::ledger::{Entry, assert_warm, summary};
use real::{loopback, tool};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::accounts::Stand;
use crate::report;

const CLAUDE: &str = "claude-sonnet-5";
const GPT: &str = "gpt-5.5";

/// The instructions of all conversations, long enough for every cache.
const INSTRUCTIONS_BYTES: usize = 9_000;

#[test]
fn the_anthropic_sdk_for_python_stays_warm() {
    loopback::only(async || {
        scenario("Anthropic SDK, Python", python("anthropic_messages.py"), CLAUDE).await
    });
}

#[test]
fn the_anthropic_sdk_for_javascript_stays_warm() {
    loopback::only(async || {
        scenario("Anthropic SDK, JavaScript", node("anthropic_messages.cjs"), CLAUDE).await
    });
}

#[test]
fn the_openai_sdk_for_python_stays_warm_in_chat() {
    loopback::only(async || {
        scenario("OpenAI SDK, Python, chat", python("openai_chat.py"), GPT).await
    });
}

#[test]
fn the_openai_sdk_for_python_stays_warm_in_responses() {
    loopback::only(async || {
        scenario("OpenAI SDK, Python, responses", python("openai_responses.py"), GPT).await
    });
}

#[test]
fn the_openai_sdk_for_javascript_stays_warm_in_chat() {
    loopback::only(async || {
        scenario("OpenAI SDK, JavaScript, chat", node("openai_chat.cjs"), GPT).await
    });
}

#[test]
fn the_openai_sdk_for_javascript_stays_warm_in_responses() {
    loopback::only(async || {
        scenario("OpenAI SDK, JavaScript, responses", node("openai_responses.cjs"), GPT).await
    });
}

#[test]
fn the_ai_sdk_stays_warm_with_claude() {
    loopback::only(async || scenario("AI SDK with Claude", node("ai_sdk.cjs"), CLAUDE).await);
}

#[test]
fn the_ai_sdk_stays_warm_with_openai() {
    loopback::only(async || scenario("AI SDK with OpenAI", node("ai_sdk.cjs"), GPT).await);
}

#[test]
fn litellm_stays_warm_with_claude() {
    let program = python("litellm_completion.py");
    loopback::only(async || {
        scenario("LiteLLM with Claude", program, "anthropic/claude-sonnet-5").await
    });
}

#[test]
fn litellm_stays_warm_with_openai() {
    let program = python("litellm_completion.py");
    loopback::only(async || scenario("LiteLLM with OpenAI", program, "openai/gpt-5.5").await);
}

/// A program that talks, and what runs it.
type Program = (PathBuf, String);

fn python(script: &str) -> Program {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/python");
    (tool("PYTHON_CLIENTS").join("bin/python"), format!("{folder}/{script}"))
}

fn node(script: &str) -> Program {
    (tool("NODE"), format!("{}/npm/{script}", env!("CARGO_MANIFEST_DIR")))
}

/// Nothing is set but base URLs and keys, by the names that the libraries look for.
fn command(home: &Home, (runner, script): &Program, stand: &Stand) -> Command {
    let mut command = home.command(runner);
    command.arg(script).env("NPM_CLIENTS", tool("NPM_CLIENTS")).env("PYTHONDONTWRITEBYTECODE", "1");
    let url = stand.url();
    command.env("ANTHROPIC_BASE_URL", &url).env("ANTHROPIC_API_KEY", "sk-of-a-test");
    command.env("OPENAI_BASE_URL", format!("{url}/v1")).env("OPENAI_API_KEY", "sk-of-a-test");
    command
}

/// One conversation, in a process of its own.
struct Conversation {
    talk: Talk,
    word: &'static str,
    /// Whether it is in streams. All of it or nothing: some clients send other tools with them, which is another cache.
    streams: bool,
}

impl Conversation {
    async fn begin(
        stand: &Stand,
        home: &Home,
        program: &Program,
        start: &Value,
        word: &'static str,
        streams: bool,
    ) -> Self {
        let talk = Talk::start(command(home, program, stand), start).await;
        let mut conversation = Self { talk, word, streams };
        conversation.turn(stand, &format!("Say something about the {word}.")).await;
        conversation
    }

    /// Takes a turn; the client must be told the tokens that the account really had read from its cache.
    async fn turn(&mut self, stand: &Stand, say: &str) {
        let answer = self.talk.ask(&json!({"say": say, "stream": self.streams}), |_| true).await;
        let said = answer["said"].as_str().unwrap_or_default();
        assert!(said.starts_with("Simulated answer"), "{answer}");
        let entries = self.entries(stand);
        let last = entries.last().expect("an answer of an account");
        assert_eq!(answer["read"].as_u64(), Some(last.usage.read), "{answer}, {entries:#?}");
    }

    fn entries(&self, stand: &Stand) -> Vec<Entry> {
        stand.ledger.of(self.word)
    }
}

async fn scenario(name: &str, program: Program, model: &str) {
    let claude = model.contains("claude");
    let stand = if claude { Stand::claude().await } else { Stand::openai().await };
    let home = Home::new();
    let start = json!({"model": model, "system": text(0, INSTRUCTIONS_BYTES)});
    let mut one = Conversation::begin(&stand, &home, &program, &start, "ocelot", true).await;
    let mut other = Conversation::begin(&stand, &home, &program, &start, "walrus", false).await;
    for conversation in [&mut one, &mut other] {
        let call = r#"Now use the tool shout with {"text": "how loud"} please."#;
        conversation.turn(&stand, call).await;
    }
    for conversation in [&mut one, &mut other] {
        conversation.turn(&stand, "And what else?").await;
    }
    let dead = assert_warm(&one.entries(&stand));
    let neighbour = assert_warm(&other.entries(&stand));
    stand.kill(&dead);
    for conversation in [&mut one, &mut other] {
        conversation.turn(&stand, "Is anybody there?").await;
    }
    stand.heal(&dead);
    for conversation in [&mut one, &mut other] {
        conversation.turn(&stand, "Good. Where were we?").await;
    }
    assert_ne!(assert_warm(&one.entries(&stand)[4..]), dead);
    let entries = other.entries(&stand);
    let stayed = if neighbour == dead {
        assert_warm(&entries[4..]) != dead
    } else {
        assert_warm(&entries) == neighbour
    };
    assert!(stayed, "{entries:#?}");
    stand.assert_nothing_noticed().await;
    // All but the first requests of both: none of these clients sends a session.
    assert_eq!(stand.pinned("prefix").await, 10);
    for conversation in [one, other] {
        report(name, &summary(&conversation.entries(&stand)));
    }
}
