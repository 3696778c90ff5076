//! Vertex AI: a token of the machine's own, asked of Google's metadata server.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn vertex_gets_the_token_of_the_machine() {
    let providers = Providers::start().await;
    let mut conversation = gemini(1);
    for _ in 0..3 {
        assert_eq!(providers.turn(&mut conversation).await, "vertex-gemini");
    }
    providers.turn(&mut Conversation::new(Dialect::Chat, 1)).await;
    providers.turn(&mut Conversation::new(Dialect::Messages, 1)).await;
    providers.each_had_its_own_credential();
    assert_eq!(providers.turn(&mut gemini(2).streaming()).await, "vertex-gemini");
    assert_eq!(providers.received("vertex-gemini").len(), 4);

    let asked = providers.metadata.received();
    // Older Envoys cannot ask; there the token is in a file.
    let times = if file() == NEWEST { 1 } else { 0 };
    assert_eq!(asked.len(), times, "the token is kept, and nobody else needs it");
    for request in asked {
        assert_eq!(request.headers["metadata-flavor"], "Google");
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        assert!(request.path.starts_with(path), "{}", request.path);
        assert!(!format!("{request:?}").contains(CLIENTS));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_of_the_client_s_goes_out() {
    let providers = Providers::start().await;
    providers.metadata.say(Reply::new(500, "no"));
    let mut conversation = gemini(1);
    conversation.ask(100);
    providers.send(&conversation).await;
    for exchange in providers.received("vertex-gemini") {
        // Where the token is in a file, there still is one.
        let found = credentials(&exchange);
        assert!(found.is_empty() || found == expected("vertex-gemini", &exchange), "{found:?}");
    }
    let mut other = Conversation::new(Dialect::Chat, 1);
    assert!(CHAT.contains(&&*providers.turn(&mut other).await), "others go on");
}
