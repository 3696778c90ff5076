//! What Warmpath relies on Envoy to do, through the plugin: should an Envoy do otherwise, a test here says so by name.

mod attempts;
mod ends;
mod hold;
mod properties;
mod unheld;

use e2e::{Gateway, eventually};

/// How many requests Envoy has sent on to an upstream.
async fn sent_on(gateway: &Gateway, upstream: &str) -> u64 {
    gateway.envoy.stats().await.counter(&format!("cluster.{upstream}.upstream_rq_total"))
}

/// Waits until Envoy has sent so many requests on.
async fn is_sent_on(gateway: &Gateway, upstream: &str, requests: u64) {
    eventually(async || match sent_on(gateway, upstream).await {
        sent if sent == requests => Ok(()),
        sent => Err(format!("{sent} of {requests} requests were sent on to {upstream}")),
    })
    .await;
}
