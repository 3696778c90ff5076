//! Codex: a session, resumed, with a tool, over three accounts of OpenAI's.

use real::client::{Home, finish, finish_child};
use real::ledger::{assert_warm, summary};
use real::{loopback, tool};
use serde_json::json;
use tokio::process::Command;

use crate::accounts::Stand;
use crate::report;

/// A session in a home of its own. Its word is in what is asked first, so that its requests can be told from others.
struct Session {
    home: Home,
    word: &'static str,
}

impl Session {
    fn new(stand: &Stand, word: &'static str) -> Self {
        let home = Home::new();
        let configuration = format!(
            r#"model = "gpt-5.5"
model_provider = "gateway"
[model_providers.gateway]
name = "gateway"
base_url = "{}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
"#,
            stand.url()
        );
        home.write(".codex/config.toml", &configuration);
        Self { home, word }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(tool("NPM_CLIENTS").join("codex"));
        command.env("GATEWAY_KEY", "sk-of-a-test").args(["exec", "--skip-git-repo-check"]);
        // Its own sandbox cannot be set up in every container; the commands are this test's.
        command.args(["--sandbox", "danger-full-access"]).args(arguments);
        command
    }

    async fn begin(&self) {
        heard(&finish(self.command(&[&format!("Say something about a {}.", self.word)])).await);
    }

    fn resume(&self, prompt: &str) -> Command {
        self.command(&["resume", "--last", prompt])
    }

    async fn go_on(&self, prompt: &str) {
        heard(&finish(self.resume(prompt)).await);
    }

    /// Three runs: a question, a tool, another question.
    async fn three_runs(&self) {
        self.begin().await;
        let echo = json!({"cmd": format!("echo {}", self.word)});
        self.go_on(&format!("Now use the tool exec_command with {echo} please.")).await;
        self.go_on("And what else?").await;
    }
}

fn heard(said: &str) {
    assert!(said.contains("Simulated answer"), "{said}");
}

#[test]
fn two_sessions_at_a_time_stay_where_they_are_warm() {
    loopback::only(async || {
        let stand = Stand::openai().await;
        let (ada, ben) = (Session::new(&stand, "ocelot"), Session::new(&stand, "walrus"));
        tokio::join!(ada.three_runs(), ben.three_runs());
        for session in [&ada, &ben] {
            let entries = stand.ledger.of(session.word);
            assert_eq!(entries.len(), 4, "{entries:#?}");
            assert_warm(&entries);
            report("Codex, three runs, a tool", &summary(&entries));
        }
        assert_eq!(stand.pinned("field").await, 6);
        stand.assert_nothing_noticed().await;
    });
}

#[test]
fn without_session_headers_the_prefix_alone_finds_the_warm_account() {
    loopback::only(async || {
        let stand = Stand::openai_without_sessions().await;
        let (ada, ben) = (Session::new(&stand, "ocelot"), Session::new(&stand, "walrus"));
        tokio::join!(ada.three_runs(), ben.three_runs());
        for session in [&ada, &ben] {
            let entries = stand.ledger.of(session.word);
            assert!(!entries.iter().any(|entry| entry.has_header("session-id")));
            assert_warm(&entries);
            report("Codex without its session headers", &summary(&entries));
        }
        assert_eq!(stand.pinned("prefix").await, 6);
        stand.assert_nothing_noticed().await;
    });
}

#[test]
fn an_account_that_dies_while_a_tool_runs_is_not_noticed() {
    loopback::only(async || {
        let stand = Stand::openai().await;
        let session = Session::new(&stand, "ocelot");
        session.begin().await;
        let home = stand.ledger.of("ocelot")[0].account.clone();
        let wait = session.home.waiting_script();
        let wait = json!({"cmd": wait, "yield_time_ms": 120_000});
        let prompt = format!("Now use the tool exec_command with {wait} please.");
        let running = session.resume(&prompt).spawn().expect("Codex");
        session.home.script_begun().await;
        stand.kill(&home);
        session.home.let_script_end();
        heard(&finish_child(running).await);
        stand.heal(&home);
        session.go_on("And what else?").await;
        let entries = stand.ledger.of("ocelot");
        let (before, after) = entries.split_at(2);
        assert_eq!(assert_warm(before), home);
        assert_ne!(assert_warm(after), home);
        stand.assert_nothing_noticed().await;
        report("Codex, its account dead while a tool ran", &summary(&entries));
    });
}
