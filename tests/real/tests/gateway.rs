//! The shipped files for Envoy Gateway, and what a gateway does that it has made of them.

use real::gateway::EnvoyGateway;
use real::manifest::{Manifests, replace};
use real::program::free_port;
use real::story::{CLAUDES, Story};
use real::tool;
use serde_json::json;
use simulator::Simulator;

/// The shipped gateway with this policy, reaching simulated accounts, listening at this port.
fn shipped(policy: &str, providers: &Simulator, port: u16) -> Manifests {
    let mut manifests = Manifests::shipped(&["gateway/gateway.yaml", policy]);
    for account in CLAUDES.into_iter().chain(["openai-a"]) {
        let address = providers.address(account);
        manifests = manifests.edit("Backend", account, |backend| {
            backend["spec"] = json!({"endpoints": [{"fqdn": {"hostname": "localhost", "port": address.port()}}]});
        });
    }
    manifests.edit("Gateway", "llm", |gateway| replace(gateway, &json!(8080), &json!(port), 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patched_gateway_keeps_conversations_warm() {
    let (providers, port) = (real::story::simulator().await, free_port());
    let manifests = shipped("gateway/warmpath.yaml", &providers, port).edit(
        "EnvoyPatchPolicy",
        "warmpath",
        |policy| {
            replace(policy, &json!("/plugins/warmpath.wasm"), &json!(tool("WARMPATH_WASM")), 2);
        },
    );
    let gateway = EnvoyGateway::start(&manifests, port).await;
    let story = Story { client: gateway.client.clone(), providers: &providers, accounts: &CLAUDES };
    story.conversations_stay().await;
    story.an_upstream_dies().await;
    story.usage_comes_back().await;
    story.nothing_of_ours_reaches_a_provider("localhost");
}
