//! Claude Code: sessions, resumed ones, tools, and many turns in one process.

use real::client::{Home, Talk, finish, finish_child};
use real::ledger::{assert_warm, summary};
use real::{loopback, tool};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::accounts::Stand;
use crate::report;

/// A session in a home of its own. Its word is in what is asked first, so that its requests can be told from others.
struct Session {
    home: Home,
    word: &'static str,
    url: String,
}

impl Session {
    fn new(stand: &Stand, word: &'static str) -> Self {
        Self { home: Home::new(), word, url: stand.url() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(tool("NPM_CLIENTS").join("claude"));
        command.env("ANTHROPIC_BASE_URL", &self.url).env("ANTHROPIC_API_KEY", "sk-of-a-test");
        // Without a model the first turn and a resumed one differ in it: another cache at every provider.
        command.args([
            "--model",
            "claude-opus-4-8",
            "--allowedTools",
            "Bash(sh:*)",
            "Bash(echo:*)",
        ]);
        command.args(arguments);
        command
    }

    async fn begin(&self) -> String {
        finish(self.command(&["-p", &format!("Say something about a {}.", self.word)])).await
    }

    async fn go_on(&self, prompt: &str) -> String {
        finish(self.command(&["-c", "-p", prompt])).await
    }

    /// Three runs: a question, a tool, another question.
    async fn three_runs(&self) {
        let said = self.begin().await;
        let echo = json!({"command": format!("echo {}", self.word), "description": "Says it"});
        let with_tool = self.go_on(&format!("Now use the tool Bash with {echo} please.")).await;
        let last = self.go_on("And what else?").await;
        for answer in [said, with_tool, last] {
            assert!(answer.starts_with("Simulated answer"), "{answer}");
        }
    }
}

#[test]
fn two_sessions_at_a_time_stay_where_they_are_warm() {
    loopback::only(async || {
        let stand = Stand::claude().await;
        let (ada, ben) = (Session::new(&stand, "ocelot"), Session::new(&stand, "walrus"));
        tokio::join!(ada.three_runs(), ben.three_runs());
        for session in [&ada, &ben] {
            let entries = stand.ledger.of(session.word);
            assert_eq!(entries.len(), 4, "{entries:#?}");
            assert_warm(&entries);
            report("Claude Code, three runs, a tool", &summary(&entries));
        }
        // All but the first requests; those by which it asks for a title may come before or after these.
        assert!(stand.pinned("session").await >= 6);
        stand.assert_nothing_noticed().await;
    });
}

#[test]
fn without_session_headers_the_prefix_alone_finds_the_warm_account() {
    loopback::only(async || {
        let stand = Stand::claude_without_sessions().await;
        let (ada, ben) = (Session::new(&stand, "ocelot"), Session::new(&stand, "walrus"));
        tokio::join!(ada.three_runs(), ben.three_runs());
        for session in [&ada, &ben] {
            let entries = stand.ledger.of(session.word);
            assert!(!entries.iter().any(|entry| entry.has_header("x-claude-code-session-id")));
            assert_warm(&entries);
            report("Claude Code without its session header", &summary(&entries));
        }
        assert_eq!(stand.pinned("prefix").await, 6);
        stand.assert_nothing_noticed().await;
    });
}

#[test]
fn an_account_that_dies_while_a_tool_runs_is_not_noticed() {
    loopback::only(async || {
        let stand = Stand::claude().await;
        let session = Session::new(&stand, "ocelot");
        session.begin().await;
        let home = stand.ledger.of("ocelot")[0].account.clone();
        let wait = json!({"command": session.home.waiting_script(), "description": "Waits"});
        let prompt = format!("Now use the tool Bash with {wait} please.");
        let running = session.command(&["-c", "-p", &prompt]).spawn().expect("Claude Code");
        session.home.script_begun().await;
        stand.kill(&home);
        session.home.let_script_end();
        let said = finish_child(running).await;
        assert!(said.starts_with("Simulated answer"), "{said}");
        stand.heal(&home);
        session.go_on("And what else?").await;
        let entries = stand.ledger.of("ocelot");
        let (before, after) = entries.split_at(2);
        assert_eq!(assert_warm(before), home);
        assert_ne!(assert_warm(after), home);
        stand.assert_nothing_noticed().await;
        report("Claude Code, its account dead while a tool ran", &summary(&entries));
    });
}

#[test]
fn many_turns_in_one_process_survive_their_account_and_stay_at_the_next() {
    loopback::only(async || {
        let stand = Stand::claude().await;
        let session = Session::new(&stand, "ocelot");
        let stream = ["--input-format", "stream-json", "--output-format", "stream-json"];
        let mut talk = Talk::open(session.command(&[&["-p", "--verbose"][..], &stream].concat()));
        for turn in 1..=3 {
            say(&mut talk, &format!("Say something about ocelot number {turn}.")).await;
        }
        let home = assert_warm(&stand.ledger.of("ocelot"));
        stand.kill(&home);
        say(&mut talk, "Is anybody there?").await;
        stand.heal(&home);
        say(&mut talk, "And what else?").await;
        let entries = stand.ledger.of("ocelot");
        assert_ne!(assert_warm(&entries[3..]), home);
        stand.assert_nothing_noticed().await;
        report(
            "Claude Code, five turns in a process, its account dead after three",
            &summary(&entries),
        );
    });
}

async fn say(talk: &mut Talk, text: &str) {
    let line = json!({"type": "user", "message": {"role": "user", "content": text}});
    let result = talk.ask(&line, |said: &Value| said["type"] == "result").await;
    assert_eq!(
        (&result["subtype"], &result["is_error"]),
        (&json!("success"), &json!(false)),
        "{result}"
    );
    let said = result["result"].as_str().unwrap_or_default();
    assert!(said.starts_with("Simulated answer"), "{result}");
}
