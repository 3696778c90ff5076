//! Envoy in front of simulated accounts: what a test starts with.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use simulator::{Account, Exchange, Provider, Simulator};

use crate::client::Call;
use crate::{Answer, Bootstrap, Client, Conversation, Envoy, Raw, Scripted};

/// The accounts that `envoy/envoy.yaml` reaches.
pub fn accounts() -> Vec<Account> {
    vec![
        Account::new("anthropic-a", Provider::Anthropic),
        Account::new("anthropic-b", Provider::Anthropic),
        Account::new("bedrock-us", Provider::Bedrock),
        Account::new("openai-a", Provider::OpenAi),
    ]
}

/// An Envoy, the accounts behind it and a client in front of it.
pub struct Gateway {
    // Dropped in this order: Envoy stops before the accounts do.
    pub envoy: Envoy,
    pub providers: Arc<Simulator>,
    accounts: Vec<Account>,
    client: Client,
}

impl Gateway {
    /// Starts the shipped bootstrap as it is.
    pub async fn warm() -> Self {
        Self::start(Bootstrap::shipped()).await
    }

    /// Starts the shipped bootstrap without the plugin.
    pub async fn plain() -> Self {
        Self::start(Bootstrap::shipped().without_plugin()).await
    }

    /// Starts a bootstrap that reaches [`accounts`] and has a listener named `gateway`. Upstreams that the test has pointed
    /// somewhere stay there.
    pub async fn start(bootstrap: Bootstrap) -> Self {
        Self::with_accounts(accounts(), bootstrap).await
    }

    /// Starts a bootstrap that reaches these accounts; the plugin's configuration must say the same of their providers.
    pub async fn with_accounts(accounts: Vec<Account>, bootstrap: Bootstrap) -> Self {
        let providers = Simulator::start(accounts.clone()).await.expect("simulated providers");
        Self::before(Arc::new(providers), accounts, bootstrap).await
    }

    /// Starts another Envoy in front of the same accounts.
    pub async fn beside(&self, bootstrap: Bootstrap) -> Self {
        Self::before(self.providers.clone(), self.accounts.clone(), bootstrap).await
    }

    /// Starts a bootstrap whose upstreams are all the same scripted provider.
    pub async fn scripted(bootstrap: Bootstrap, provider: &Scripted) -> Self {
        let point = |bootstrap: Bootstrap, account: Account| {
            bootstrap.point(&account.name, provider.address())
        };
        Self::start(accounts().into_iter().fold(bootstrap, point)).await
    }

    async fn before(
        providers: Arc<Simulator>,
        accounts: Vec<Account>,
        mut bootstrap: Bootstrap,
    ) -> Self {
        for Account { name, .. } in &accounts {
            if !bootstrap.is_pointed(name) {
                bootstrap = bootstrap.point(name, providers.address(name));
            }
        }
        Self::reaching(providers, accounts, bootstrap).await
    }

    /// Starts a bootstrap that reaches these accounts by itself.
    pub async fn reaching(
        providers: Arc<Simulator>,
        accounts: Vec<Account>,
        bootstrap: Bootstrap,
    ) -> Self {
        let envoy = Envoy::start(bootstrap).await;
        let client = Client::new(envoy.address("gateway"));
        Self { envoy, providers, accounts, client }
    }

    /// Returns a client with connections of its own.
    pub fn client(&self) -> Client {
        Client::new(self.envoy.address("gateway"))
    }

    /// Returns a client that speaks HTTP/2.
    pub fn http2(&self) -> Client {
        Client::http2(self.envoy.address("gateway"))
    }

    /// Returns a bare connection.
    pub async fn raw(&self) -> Raw {
        Raw::connect(self.envoy.address("gateway")).await
    }

    pub fn post(&self, path: &str, body: &Value) -> Call {
        self.client.post(path, body)
    }

    pub fn get(&self, path: &str) -> Call {
        self.client.get(path)
    }

    /// Sends a conversation as it stands.
    pub fn send(&self, conversation: &Conversation) -> Call {
        self.post(conversation.path(), &conversation.body)
    }

    /// Takes a whole turn: asks so many bytes and hears the answer.
    pub async fn turn(&self, conversation: &mut Conversation, bytes: usize) -> Answer {
        conversation.ask(bytes);
        let answer = self.send(conversation).await;
        conversation.hear(&answer);
        answer
    }

    /// Returns the account that gave an answer, and what it knows of the exchange.
    ///
    /// # Panics
    ///
    /// When none did.
    pub fn exchange(&self, answer: &Answer) -> (String, Exchange) {
        let id = Some(answer.id());
        let gave = |account: &Account| {
            let received = self.providers.received(&account.name);
            let exchange = received.into_iter().find(|exchange| exchange.response_id == id)?;
            Some((account.name.clone(), exchange))
        };
        self.accounts.iter().find_map(gave).unwrap_or_else(|| panic!("no account gave {id:?}"))
    }

    /// Returns the account that gave an answer.
    pub fn served(&self, answer: &Answer) -> String {
        self.exchange(answer).0
    }

    /// Returns the statuses that each account has answered with so far, 0 where a fault kept the answer away.
    pub fn statuses(&self) -> BTreeMap<String, Vec<u16>> {
        let statuses = |name: &str| {
            self.providers.received(name).iter().map(|exchange| exchange.status).collect()
        };
        self.accounts
            .iter()
            .map(|account| (account.name.clone(), statuses(&account.name)))
            .collect()
    }
}
