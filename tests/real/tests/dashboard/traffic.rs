//! Traffic in which everything happens that the dashboard shows.

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Client, Conversation, Gateway, eventually};
use real::program::free_port;
use simulator::Fault;

use crate::prometheus::{LISTENER, Prometheus, shipped};

/// The shipped bootstrap, with prices, which it has none of.
pub async fn gateway() -> Gateway {
    const PRICED: &str = r#""price": {"input": 5, "read": 0.5, "write_5m": 6.25, "write_1h": 10}"#;
    let upstream =
        |provider: &str| format!(r#"{{"provider": "{provider}", "marks": "inject", {PRICED}}}"#);
    let openai = format!(r#"{{"provider": "openai", "cache_key": "set", {PRICED}}}"#);
    let bootstrap = Bootstrap::shipped()
        .upstream("anthropic-a", &upstream("anthropic"))
        .upstream("anthropic-b", &upstream("anthropic"))
        .upstream("bedrock-us", &upstream("bedrock"))
        .upstream("openai-a", &openai);
    Gateway::start(scraped_from_outside(bootstrap)).await
}

/// Adds the shipped listener for a Prometheus elsewhere; all of it stays at loopback.
fn scraped_from_outside(bootstrap: Bootstrap) -> Bootstrap {
    let port = free_port();
    let shipped = shipped(LISTENER)
        .replace("0.0.0.0, port_value: 9902", "127.0.0.1, port_value: 0")
        .replace("port_value: 9901", &format!("port_value: {port}"));
    let (_, resources) = shipped.split_once("  listeners:\n").expect("a listener");
    let (listener, cluster) = resources.split_once("  clusters:\n").expect("a cluster");
    let admin = "admin:\n  address: {socket_address: {address: 127.0.0.1, port_value: ";
    bootstrap
        .replace(&format!("{admin}0"), &format!("{admin}{port}"))
        .replace("\n  listeners:\n", &format!("\n  listeners:\n{listener}"))
        .replace("\n  clusters:\n", &format!("\n  clusters:\n{cluster}"))
}

/// What the listener passes on is the counters, and nothing else of what Envoy's admin interface does.
pub async fn only_counters_are_passed_on(gateway: &Gateway) {
    let outside = Client::new(gateway.envoy.address("stats"));
    let counters = outside.get("/stats/prometheus").await;
    assert!(counters.status == 200 && counters.text().contains("warmpath_exchanges_total"));
    for path in
        ["/", "/stats", "/config_dump", "/stats/prometheus/../../config_dump", "/stats/prometheus/"]
    {
        assert_eq!(outside.get(path).await.status, 404, "{path}");
    }
    for path in ["/quitquitquit", "/stats/prometheus", "/reset_counters"] {
        assert_eq!(outside.post(path, &serde_json::json!({})).await.status, 404, "{path}");
    }
    println!("the listener for Prometheus passes on the counters and nothing else");
}

/// Conversations in every dialect, a failover, and requests that are left alone.
pub async fn flows(gateway: &Gateway) {
    let dialects = [
        Dialect::Messages,
        Dialect::Messages,
        Dialect::Chat,
        Dialect::Messages,
        Dialect::Responses,
    ];
    let mut conversations: Vec<Conversation> = (0..20)
        .map(|seed| Conversation::new(dialects[seed % dialects.len()], seed as u64))
        .map(|conversation| {
            if conversation.path().ends_with("completions") {
                conversation.streaming()
            } else {
                conversation
            }
        })
        .collect();
    let mut home = String::new();
    for turn in 0..4 {
        if turn == 2 {
            gateway.providers.fail(&home, Fault::Status(529));
        }
        for conversation in &mut conversations {
            let answer = gateway.turn(conversation, 6_000).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            if turn == 0 && conversation.path().ends_with("messages") {
                home = gateway.served(&answer);
            }
        }
        // Between two scrapes, so that rates have several points.
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    }
    gateway.providers.heal(&home);
    gateway.post("/v1/messages", &serde_json::json!([])).await;
}

/// Waits until Prometheus knows as many exchanges as Envoy does.
pub async fn is_scraped(gateway: &Gateway, prometheus: &Prometheus) {
    let counted = gateway.envoy.stats().await.sum("warmpath_exchanges_total", &[]);
    eventually(async || {
        let samples = prometheus.query("sum(warmpath_exchanges_total)").await;
        match samples.first() {
            Some(sample) if sample.value >= counted as f64 => Ok(()),
            _ => Err(format!("{counted} exchanges, and Prometheus knows of {samples:?}")),
        }
    })
    .await;
    println!("{counted} exchanges through Envoy, scraped");
}
