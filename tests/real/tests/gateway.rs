//! The shipped files for Envoy Gateway, and what a gateway does that it has made of them.

use e2e::eventually;
use real::gateway::EnvoyGateway;
use real::manifest::{Manifests, replace};
use real::program::free_port;
use real::registry::Registry;
use real::story::{CLAUDES, Story};
use real::tool;
use serde_json::{Value, json};
use simulator::Simulator;

const IMAGE: &str = "registry.example/warmpath:0.1.0";

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

/// The shipped policy whose image is in this registry.
fn from_registry(registry: &Registry, providers: &Simulator, port: u16) -> Manifests {
    registry.push("warmpath:0.1.0");
    let image = format!("{}/warmpath:0.1.0", registry.address);
    shipped("gateway/extension.yaml", providers, port).edit(
        "EnvoyExtensionPolicy",
        "warmpath",
        |policy| {
            replace(policy, &json!(IMAGE), &json!(image), 1);
            policy["spec"]["wasm"][0]["config"]["explain"] = json!(true);
        },
    )
}

/// Starts a gateway that fetches the plugin, and waits until it has: up to then requests pass without it.
async fn fetching(manifests: &Manifests, port: u16) -> EnvoyGateway {
    let gateway = EnvoyGateway::start(manifests, port).await;
    eventually(async || {
        let answer = gateway.client.get("/v1/videos/none").try_send().await?;
        if answer.header("x-warmpath").is_some() { Ok(()) } else { Err("no plugin".to_owned()) }
    })
    .await;
    gateway
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
    let metrics = gateway.metrics().await;
    println!("{}", story.tokens_are_labelled(&metrics).join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_from_a_registry_keeps_conversations_warm() {
    let (providers, port) = (real::story::simulator().await, free_port());
    let registry = Registry::start().await;
    let gateway = fetching(&from_registry(&registry, &providers, port), port).await;
    let story = Story { client: gateway.client.clone(), providers: &providers, accounts: &CLAUDES };
    story.conversations_stay().await;
    story.an_upstream_dies().await;
    story.usage_comes_back().await;
    story.nothing_of_ours_reaches_a_provider("localhost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_without_the_patched_field_hangs_nobody() {
    let (providers, port) = (real::story::simulator().await, free_port());
    let registry = Registry::start().await;
    let manifests =
        from_registry(&registry, &providers, port).edit("EnvoyPatchPolicy", "warmpath", |policy| {
            let patches = policy["spec"]["jsonPatches"].as_array_mut().expect("patches");
            let field = patches.iter().position(adds_the_field).expect("the patch of the field");
            patches.remove(field);
        });
    let gateway = fetching(&manifests, port).await;
    let story = Story { client: gateway.client.clone(), providers: &providers, accounts: &CLAUDES };
    story.a_missing_flag_hangs_nobody().await;
    story.sessions_stay().await;
}

fn adds_the_field(patch: &Value) -> bool {
    patch["operation"]["path"] == "typed_config/config/allow_on_headers_stop_iteration"
}
