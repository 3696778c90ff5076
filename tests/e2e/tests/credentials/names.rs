//! By what names and paths providers are asked, and what happens to those that cannot prove their names.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn each_provider_is_asked_at_its_own_name_and_path() {
    let providers = Providers::start().await;
    for home in MESSAGES {
        let mut conversation = providers.warm_at(home, &MESSAGES, Dialect::Messages).await;
        conversation.ask(100);
        // As the SDKs of Anthropic ask.
        let call = providers.gateway.post("/v1/messages?beta=true", &conversation.body);
        assert_eq!(call.header("authorization", CLIENTS).await.status, 200);
    }
    for home in CHAT {
        providers.warm_at(home, &CHAT, Dialect::Chat).await;
        providers.warm_at(home, &CHAT, Dialect::Responses).await;
    }
    providers.turn(&mut gemini(1)).await;
    for (name, _, host) in UPSTREAMS {
        let paths: &[&str] = match name {
            "anthropic-a" | "anthropic-b" => &["/v1/messages", "/v1/messages?beta=true"],
            "bedrock-us" => &["/anthropic/v1/messages", "/anthropic/v1/messages?beta=true"],
            "openai-a" => &["/v1/chat/completions", "/v1/responses"],
            "azure-openai" => &["/openai/v1/chat/completions", "/openai/v1/responses"],
            _ => &["/v1/projects/PROJECT/locations/global/endpoints/openapi/chat/completions"],
        };
        let received = providers.received(name);
        assert!(!received.is_empty(), "{name}");
        for exchange in received {
            assert_eq!(text(&exchange, "host"), host, "{name}");
            assert!(paths.contains(&&*exchange.path), "{name}: {}", exchange.path);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_prove_its_name_is_told_nothing() {
    let impostor = |upstream: &str, host: &str| match upstream {
        "anthropic-a" => "impostor.test".to_owned(),
        _ => host.to_owned(),
    };
    let authority = Authority::new();
    let providers = Providers::start_with(&authority, &authority, impostor).await;
    for seed in 0..8 {
        let mut conversation = Conversation::new(Dialect::Messages, seed);
        assert_ne!(providers.turn(&mut conversation).await, "anthropic-a");
    }
    assert!(providers.received("anthropic-a").is_empty());
    let stats = providers.gateway.envoy.stats().await;
    let failed = ["anthropic-a", "anthropic-a-outside"]
        .map(|cluster| stats.counter(&format!("cluster.{cluster}.ssl.fail_verify_san")));
    assert!(failed.iter().sum::<u64>() > 0, "it was tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_authority_nobody_trusts_is_told_nothing() {
    let (unknown, trusted) = (Authority::new(), Authority::new());
    let providers = Providers::start_with(&unknown, &trusted, |_, host| host.into()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(100);
    let answer = providers.send(&conversation).await;
    assert_eq!((answer.status, &*attempts(&answer)), (503, "3"), "{}", answer.text());
    assert!(MESSAGES.iter().all(|upstream| providers.received(upstream).is_empty()));
}
