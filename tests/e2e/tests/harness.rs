//! What every other test here relies on: Envoy starts from the shipped bootstrap, says why where it does not, and leaves
//! nothing behind.

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Client, Conversation, Envoy, Gateway, Raw};

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_bootstrap_starts_and_counts() {
    let gateway = Gateway::plain().await;
    assert_eq!(gateway.get("/v1/models").await.status, 404);
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.counter("cluster.openai-a.upstream_rq_404"), 1);
    assert_eq!(
        stats.sum(
            "envoy_cluster_upstream_rq",
            &[("envoy_cluster_name", "openai-a"), ("envoy_response_code", "404")]
        ),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_clients_are_served_on_the_same_port() {
    let gateway = Gateway::plain().await;
    let answer = Client::http2(gateway.envoy.address("gateway")).get("/v1/models").await;
    assert_eq!(answer.status, 404);
    assert_eq!(gateway.envoy.stats().await.counter("http.gateway.downstream_cx_http2_total"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_in_pieces_and_odd_headers_pass() {
    let gateway = Gateway::plain().await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(400);
    let mut raw = Raw::connect(gateway.envoy.address("gateway")).await;
    for cut in [100, 777, 4000] {
        raw.post("/v1/messages", &[b"transfer-encoding: chunked", b"x-odd: \xff\xfe"]).await;
        for piece in conversation.body.to_string().as_bytes().chunks(cut) {
            raw.chunk(piece).await;
        }
        raw.chunk(b"").await;
        let answer = raw.answer().await.expect("an answer");
        let (_, exchange) = gateway.exchange(&answer);
        assert_eq!(exchange.body, conversation.body.to_string().as_bytes());
        assert_eq!(exchange.header("x-odd"), Some(&b"\xff\xfe"[..]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_bootstrap_says_why() {
    let log = Envoy::refusal(
        Bootstrap::shipped().without_plugin().replace("codec_type: AUTO", "codec_tipe: AUTO"),
    )
    .await;
    assert!(log.iter().any(|line| line.contains("codec_tipe")), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn envoys_run_side_by_side_and_end_with_their_test() {
    let first = Envoy::start(Bootstrap::shipped().without_plugin().workers(2)).await;
    let second = Envoy::start(Bootstrap::shipped().without_plugin()).await;
    assert_ne!(first.address("gateway"), second.address("gateway"));
    let admin = first.admin();
    drop(first);
    Client::new(admin).get("/ready").try_send().await.expect_err("a stopped Envoy answers nobody");
    assert_eq!(Client::new(second.admin()).get("/ready").await.status, 200);
}
