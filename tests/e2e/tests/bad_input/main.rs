//! What nobody should send or answer: it passes byte for byte, and a skip says why.

mod bodies;
mod headers;
mod limits;

use e2e::{Bootstrap, Gateway, Reply, Scripted};

const CHAT: &str = "/v1/chat/completions";

/// A gateway with the plugin, in front of a provider that says the same to all.
async fn gateway(reply: Reply) -> (Gateway, Scripted) {
    let provider = Scripted::start(reply).await;
    (Gateway::scripted(Bootstrap::explaining(), &provider).await, provider)
}

fn answer() -> Reply {
    Reply::json(r#"{"id":"x"}"#)
}

/// What is counted under all reasons.
async fn skips(gateway: &Gateway) -> Vec<(String, u64)> {
    let stats = gateway.envoy.stats().await;
    let counted = stats.series("warmpath_skips_total").filter(|series| series.value > 0.0);
    counted.map(|series| (series.labels["reason"].clone(), series.value as u64)).collect()
}
