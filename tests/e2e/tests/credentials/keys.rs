//! Keys, where they go and where they do not.

use std::collections::BTreeSet;

use e2e::eventually;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn each_provider_gets_its_own_credential_and_nothing_of_the_client_s() {
    let providers = Providers::start().await;
    let mut served = BTreeSet::new();
    for seed in 0..12 {
        let conversations = [Dialect::Messages, Dialect::Chat, Dialect::Responses];
        for mut conversation in conversations.map(|dialect| Conversation::new(dialect, seed)) {
            let home = providers.turn(&mut conversation).await;
            assert_eq!(providers.turn(&mut conversation).await, home, "it stays");
            served.insert(home);
        }
    }
    served.insert(providers.turn(&mut gemini(1)).await);
    assert_eq!(served, UPSTREAMS.iter().map(|(name, ..)| (*name).to_owned()).collect());
    providers.each_had_its_own_credential();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_takes_the_credential_of_where_it_goes() {
    let providers = Providers::start().await;
    let groups = [(&MESSAGES[..], Dialect::Messages), (&CHAT[..], Dialect::Chat)];
    // A credential that has run out or was taken away is the account's trouble, not the client's.
    let statuses = [401, 403, 429, 503].map(Fault::Status);
    for (group, dialect) in groups {
        for home in group {
            for fault in statuses.into_iter().chain([Fault::Refused, Fault::Reset]) {
                let mut conversation = providers.warm_at(home, group, dialect).await;
                providers.gateway.providers.fail(home, fault);
                let refuge = providers.turn(&mut conversation).await;
                assert_ne!(refuge, *home, "{fault}");
                providers.gateway.providers.heal(home);
                providers.each_had_its_own_credential();
                providers.gateway.providers.forget();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_three_gets_its_own_credential_too() {
    let providers = Providers::start().await;
    for alive in MESSAGES {
        let others = MESSAGES.iter().filter(|upstream| **upstream != alive);
        others.for_each(|upstream| providers.gateway.providers.fail(upstream, Fault::Status(503)));
        for seed in 0..4 {
            let mut conversation = Conversation::new(Dialect::Messages, seed);
            assert_eq!(providers.turn(&mut conversation).await, alive);
        }
        MESSAGES.iter().for_each(|upstream| providers.gateway.providers.heal(upstream));
    }
    providers.each_had_its_own_credential();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_used_without_a_restart() {
    let providers = Providers::start().await;
    let mut conversation = providers.warm_at("anthropic-a", &MESSAGES, Dialect::Messages).await;
    let envoy = &providers.gateway.envoy;
    envoy.replace_file("anthropic-a.yaml", &key("anthropic-a").replace("key-of", "new-key-of"));
    eventually(async || {
        assert_eq!(providers.turn(&mut conversation).await, "anthropic-a");
        let newest = providers.received("anthropic-a").pop().expect("a request");
        match text(&newest, "x-api-key") {
            key if key == "new-key-of-anthropic-a" => Ok(()),
            key => Err(format!("{key} is still in use")),
        }
    })
    .await;
}
