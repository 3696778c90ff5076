//! Many conversations at a time over several accounts: every follow-up is served where its conversation is warm, and the
//! accounts' own caches say so.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use e2e::fleet::{Policy, bootstrap};
use e2e::prompt::Dialect;
use e2e::{Client, Conversation, Gateway};
use simulator::{Account, Provider, Recording, Simulator, Usage};
use tokio::task::JoinSet;

const CONVERSATIONS: u64 = 50;
const TURNS: usize = 20;
/// How many talk at the same moment; each of them holds its share of the conversations.
const CLIENTS: u64 = 10;

/// Envoy with two workers in front of so many accounts of one provider; clients send no header that tells a conversation.
async fn gateway(accounts: usize, provider: Provider, upstream: &str) -> Gateway {
    let account = |number| Account::new(format!("account-{number}"), provider);
    let accounts: Vec<Account> = (1..=accounts).map(account).collect();
    let providers = Simulator::start(accounts.clone()).await.expect("simulated providers");
    providers.record(Recording::Usage);
    let address = |account: &Account| (account.name.clone(), providers.address(&account.name));
    let addresses: Vec<(String, SocketAddr)> = accounts.iter().map(address).collect();
    let bootstrap = bootstrap(Policy::Warmpath, &addresses, upstream).workers(2);
    Gateway::reaching(Arc::new(providers), accounts, bootstrap).await
}

/// The conversations of one client, a turn of each in every round. Returns the ids of the answers to each.
async fn talk(client: Client, mut conversations: Vec<Conversation>) -> Vec<Vec<String>> {
    let mut ids = vec![Vec::new(); conversations.len()];
    for _ in 0..TURNS {
        for (conversation, ids) in conversations.iter_mut().zip(&mut ids) {
            conversation.ask(300);
            let answer = client.post(conversation.path(), &conversation.body).await;
            conversation.hear(&answer);
            ids.push(answer.id());
        }
    }
    ids
}

fn conversation(dialect: Dialect, seed: u64) -> Conversation {
    let conversation = Conversation::new(dialect, seed);
    match (dialect, seed % 4) {
        (_, 0) => conversation.streaming(),
        (Dialect::Messages, 1) => conversation.marking(),
        _ => conversation,
    }
}

/// What an account's cache did for an answer.
struct Served {
    account: String,
    usage: Usage,
}

/// Plays all conversations; `step` is in how many tokens the provider reads.
async fn stay_warm(gateway: Gateway, dialect: Dialect, step: u64) {
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let seeds = (number..CONVERSATIONS).step_by(CLIENTS as usize);
        let conversations = seeds.map(|seed| conversation(dialect, seed)).collect();
        clients.spawn(talk(gateway.client(), conversations));
    }
    let conversations: Vec<Vec<String>> = clients.join_all().await.into_iter().flatten().collect();
    let mut served = served(&gateway);
    assert_eq!(served.len(), CONVERSATIONS as usize * TURNS);
    let mut homes: HashMap<String, usize> = HashMap::new();
    for ids in conversations {
        let turns: Vec<Served> = ids
            .iter()
            .map(|id| served.remove(id).expect("an answer that an account gave"))
            .collect();
        for pair in turns.windows(2) {
            let (before, after) = (&pair[0].usage, &pair[1].usage);
            assert_eq!(pair[1].account, pair[0].account);
            // All that was sent with the turn before is read.
            assert!(after.read + step > before.input, "{after:?} after {before:?}");
        }
        *homes.entry(turns[0].account.clone()).or_default() += 1;
    }
    assert_eq!(homes.len(), gateway.statuses().len(), "every account holds some: {homes:?}");
}

fn served(gateway: &Gateway) -> HashMap<String, Served> {
    let mut served = HashMap::new();
    for account in gateway.statuses().into_keys() {
        for exchange in gateway.providers.received(&account) {
            let id = exchange.response_id.expect("an id");
            let usage = exchange.usage.expect("usage");
            served.insert(id, Served { account: account.clone(), usage });
        }
    }
    served
}

const CLAUDE: &str = r#""provider": "anthropic", "marks": "inject""#;

#[tokio::test(flavor = "multi_thread")]
async fn every_follow_up_is_warm_at_two_accounts() {
    let gateway = gateway(2, Provider::Anthropic, CLAUDE).await;
    stay_warm(gateway, Dialect::Messages, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_follow_up_is_warm_at_four_accounts_with_automatic_caches() {
    let gateway = gateway(4, Provider::OpenAi, r#""provider": "openai""#).await;
    // OpenAI reads in steps of 128 tokens.
    stay_warm(gateway, Dialect::Chat, 128).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_follow_up_is_warm_at_eight_accounts() {
    let gateway = gateway(8, Provider::Anthropic, CLAUDE).await;
    stay_warm(gateway, Dialect::Messages, 1).await;
}
