//! What stands behind the clients: the shipped bootstrap, for Claude as it is, for OpenAI with three accounts in the places of
//! Claude's; and what must hold whoever the client is.

use e2e::{Bootstrap, Gateway};
use real::ledger::Ledger;
use simulator::{Account, Fault, Provider};

/// The names that the shipped bootstrap gives to the accounts of messages, and those that take their places.
const PLACES: [(&str, &str); 3] =
    [("anthropic-a", "openai-1"), ("anthropic-b", "openai-2"), ("bedrock-us", "openai-3")];

/// An Envoy with the plugin, the accounts behind it, and what they answer.
pub struct Stand {
    pub gateway: Gateway,
    pub ledger: Ledger,
}

impl Stand {
    pub async fn claude() -> Self {
        Self::of(Gateway::warm().await)
    }

    /// Headers with a session do not reach the plugin: some proxy before it drops them.
    pub async fn claude_without_sessions() -> Self {
        Self::of(Gateway::start(Bootstrap::shipped().filter_before("route", DROPS)).await)
    }

    pub async fn openai() -> Self {
        Self::of(Gateway::with_accounts(openai_accounts(), openai()).await)
    }

    /// Neither headers nor members with a session are looked at: members are not for a proxy to drop.
    pub async fn openai_without_sessions() -> Self {
        let fields = r#""affinity": {"body_fields": ["previous_response_id"]}"#;
        let bootstrap = openai().filter_before("route", DROPS).configure(fields);
        Self::of(Gateway::with_accounts(openai_accounts(), bootstrap).await)
    }

    fn of(gateway: Gateway) -> Self {
        let ledger = Ledger::keep(&gateway.providers);
        Self { gateway, ledger }
    }

    /// Returns what a client is told.
    pub fn url(&self) -> String {
        format!("http://{}", self.gateway.envoy.address("gateway"))
    }

    pub fn kill(&self, account: &str) {
        self.gateway.providers.fail(account, Fault::Refused);
    }

    pub fn heal(&self, account: &str) {
        self.gateway.providers.heal(account);
    }

    /// Returns how many requests were pinned by this.
    pub async fn pinned(&self, by: &str) -> u64 {
        self.gateway.envoy.stats().await.sum("warmpath_exchanges_total", &[("by", by)])
    }

    /// Asserts that clients got a good answer to each request, and asked no more often than the accounts were asked: none
    /// had to try again.
    pub async fn assert_nothing_noticed(&self) {
        // Envoy writes its log some milliseconds after the last byte.
        e2e::eventually(async || {
            let log = self.gateway.envoy.log();
            let lines: Vec<&str> = log.lines().filter(|line| line.contains(" upstream=")).collect();
            let bad: Vec<_> = lines.iter().filter(|line| !line.contains(" 200 - ")).collect();
            assert!(bad.is_empty(), "{bad:#?}");
            let posts = lines.iter().filter(|line| line.contains(" POST ")).count();
            match self.ledger.length() {
                answers if answers == posts => Ok(()),
                answers => Err(format!("{posts} requests of clients, {answers} answers: {log}")),
            }
        })
        .await;
    }
}

fn openai() -> Bootstrap {
    const UPSTREAM: &str = r#"{"provider": "openai", "cache_key": "set"}"#;
    let paths = "(/.*)?/v1/(chat/completions|responses)";
    let bootstrap = Bootstrap::shipped().replace("(/.*)?/v1/messages(/.*)?", paths);
    PLACES.iter().fold(bootstrap, |bootstrap, (place, name)| {
        bootstrap.upstream(place, UPSTREAM).rename(place, name)
    })
}

fn openai_accounts() -> Vec<Account> {
    let names = PLACES.iter().map(|(_, name)| *name);
    names.chain(["openai-a"]).map(|name| Account::new(name, Provider::OpenAi)).collect()
}

const DROPS: &str = r#"- name: drops_sessions
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
    mutations:
      request_mutations:
      - {remove: x-claude-code-session-id}
      - {remove: session-id}
      - {remove: thread-id}
      - {remove: x-client-request-id}
      - {remove: x-codex-window-id}
      - {remove: x-codex-turn-metadata}"#;
