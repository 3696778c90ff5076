//! The shipped files for Istio: what its own validation says of them, and what a gateway does that a real istiod has made of
//! them.

use std::net::SocketAddr;
use std::process::Command;

use e2e::{Bootstrap, Client, Envoy, eventually};
use real::istio::{Istio, LABEL, NAMESPACE};
use real::manifest::{Manifests, replace};
use real::program::{Program, free_port};
use real::registry::Registry;
use real::story::{self, CLAUDES, Story};
use real::tool;
use serde_json::{Value, json};
use simulator::Simulator;

const IMAGE: &str = "oci://registry.example/warmpath:0.1.0";

/// The shipped providers and routes with this plugin, reaching simulated accounts, listening at this port.
fn shipped(plugin: &str, providers: &Simulator, port: u16) -> Manifests {
    let mut manifests = Manifests::shipped(&["istio/providers.yaml", "istio/routes.yaml", plugin]);
    for account in CLAUDES.into_iter().chain(["openai-a"]) {
        let address = providers.address(account);
        manifests = manifests
            .edit("ServiceEntry", account, |entry| {
                entry["spec"]["ports"][0]["targetPort"] = address.port().into();
                entry["spec"]["endpoints"] = json!([{"address": "localhost"}]);
            })
            .edit("DestinationRule", account, |rule| {
                rule["spec"]["trafficPolicy"]["tls"] = json!({"mode": "DISABLE"});
            });
    }
    manifests.edit("Gateway", "llm", |gateway| {
        let server = &mut gateway["spec"]["servers"][0];
        replace(server, &json!(8080), &json!(port), 1);
        server["bind"] = "127.0.0.1".into();
    })
}

/// Starts a plain Envoy that gets all else from istiod.
async fn gateway(istio: &Istio, port: u16) -> (Envoy, Client) {
    let envoy = Envoy::start(Bootstrap::custom(istio.bootstrap())).await;
    let client = Client::new(SocketAddr::from(([127, 0, 0, 1], port)));
    eventually(async || {
        let answer = client.get("/").try_send().await;
        answer.map_err(|error| format!("{error}\n{}", envoy.log()))
    })
    .await;
    (envoy, client)
}

fn file() -> Value {
    json!({"local": {"filename": tool("WARMPATH_WASM")}})
}

#[tokio::test(flavor = "multi_thread")]
async fn istio_takes_the_shipped_files_without_a_warning() {
    let files =
        ["providers", "routes", "warmpath", "wasmplugin"].map(|file| format!("istio/{file}.yaml"));
    let istio = Istio::start(&Manifests::default()).await;
    let mut taken = 0;
    for object in Manifests::shipped(&files.each_ref().map(String::as_str)).objects {
        let what = format!("{} {}", object["kind"], object["metadata"]["name"]);
        let warnings =
            istio.review(&object).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        // What Istio says of every EnvoyFilter.
        let others =
            warnings.iter().find(|warning| !warning.contains("exposes internal implementation"));
        assert_eq!(others, None, "{what}");
        taken += 1;
    }
    println!("istiod's validation took {taken} objects");
    // It does judge.
    let mut wrong = Manifests::shipped(&["istio/warmpath.yaml"]).objects.remove(0);
    wrong["spec"]["configPatches"][0]["patch"]["operation"] = "INSERT_NEAR".into();
    istio.review(&wrong).await.expect_err("no such operation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_a_mounted_plugin_keeps_conversations_warm() {
    let (providers, port) = (story::simulator().await, free_port());
    let remote = Manifests::shipped(&["istio/warmpath.yaml"]).objects[0]["spec"]["configPatches"]
        [2]["patch"]["value"]["typed_config"]["config"]["vm_config"]["code"]
        .clone();
    let manifests = shipped("istio/warmpath.yaml", &providers, port).edit(
        "EnvoyFilter",
        "warmpath",
        |filter| replace(filter, &remote, &file(), 2),
    );
    let istio = Istio::start(&manifests).await;
    let (envoy, client) = gateway(&istio, port).await;
    let story = Story { client, providers: &providers, accounts: &CLAUDES };
    story.conversations_stay().await;
    story.an_upstream_dies().await;
    story.usage_comes_back().await;
    story.nothing_of_ours_reaches_a_provider("localhost");
    // Without bootstrap.yaml the labels are in the names.
    let kept = "wasmcustom.warmpath.pins.outcome.kept.total";
    assert!(envoy.stats().await.counter(kept) > 8, "{:?}", envoy.stats().await.counter(kept));
}

#[tokio::test(flavor = "multi_thread")]
async fn istio_s_agent_fetches_the_plugin_from_a_registry() {
    let (providers, port, registry) =
        (story::simulator().await, free_port(), Registry::start().await);
    let digest = registry.push("warmpath:0.1.0");
    let image = format!("oci://{}/warmpath@{digest}", registry.address);
    let manifests = shipped("istio/warmpath.yaml", &providers, port).edit(
        "EnvoyFilter",
        "warmpath",
        |filter| {
            replace(filter, &json!(IMAGE), &json!(image), 2);
        },
    );
    let istio = Istio::start(&manifests).await;
    let admin = free_port();
    let agent = agent(&istio, &registry, admin);
    let client = Client::new(SocketAddr::from(([127, 0, 0, 1], port)));
    eventually(async || match client.get("/v1/models").try_send().await? {
        answer if answer.status == 404 => Ok(()),
        answer => Err(format!("{}: {}", answer.status, answer.text())),
    })
    .await;
    let story = Story { client, providers: &providers, accounts: &CLAUDES };
    story.conversations_stay().await;
    story.an_upstream_dies().await;
    story.usage_comes_back().await;
    println!("the agent fetched {image}");
    let admin = Client::new(SocketAddr::from(([127, 0, 0, 1], admin)));
    let metrics = admin.get("/stats/prometheus").await.text();
    println!("{}", story.tokens_are_labelled(&metrics).join("\n"));
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wasm_plugin_hangs_nobody_and_pins_by_headers() {
    let (providers, port) = (story::simulator().await, free_port());
    let url = format!("file://{}", tool("WARMPATH_WASM").display());
    let manifests = shipped("istio/wasmplugin.yaml", &providers, port).edit(
        "WasmPlugin",
        "warmpath",
        |plugin| replace(plugin, &json!(IMAGE), &json!(url), 1),
    );
    let istio = Istio::start(&manifests).await;
    let (envoy, client) = gateway(&istio, port).await;
    let story = Story { client, providers: &providers, accounts: &CLAUDES };
    story.a_missing_flag_hangs_nobody().await;
    eventually(async || match envoy.log().matches("allow_on_headers_stop_iteration").count() {
        1 => Ok(()),
        times => Err(format!("the log names the missing field {times} times")),
    })
    .await;
    story.sessions_stay().await;
}

/// Starts Istio's agent with an Envoy of its own, as a gateway's pod would, with the shipped addition to its bootstrap.
fn agent(istio: &Istio, registry: &Registry, admin: u16) -> Program {
    let bootstrap = Manifests::shipped(&["istio/bootstrap.yaml"]).objects.remove(0);
    Program::start("agent", |folder| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", PRIVATE, "sh"]);
        command.arg(tool("PILOT_AGENT")).args(["proxy", "router"]);
        command.args(["--domain", &format!("{NAMESPACE}.svc.cluster.local")]);
        command.arg("--proxyLogLevel=warning").current_dir(folder);
        let labels = json!({"istio": LABEL}).to_string();
        let proxy = json!({
            "binaryPath": tool("ENVOY_PATH"),
            "configPath": folder.join("proxy"),
            "discoveryAddress": istio.discovery.to_string(),
            "controlPlaneAuthPolicy": "NONE",
            "statusPort": free_port(),
            "proxyAdminPort": admin,
        });
        command.envs([
            ("POD_NAME", "gateway-1"),
            ("POD_NAMESPACE", NAMESPACE),
            ("INSTANCE_IP", "127.0.0.1"),
            ("ISTIO_META_CLUSTER_ID", "Kubernetes"),
            ("CA_ADDR", ""),
            ("CA_ROOT_CA", "SYSTEM"),
            ("ISTIO_METAJSON_LABELS", &labels),
            ("WASM_INSECURE_REGISTRIES", &registry.address),
            ("PROXY_CONFIG", &proxy.to_string()),
        ]);
        command.env("ISTIO_BOOTSTRAP", tool("ISTIO_BOOTSTRAP"));
        let added = folder.join("custom_bootstrap.json");
        let text = bootstrap["data"]["custom_bootstrap.json"].as_str().expect("a bootstrap");
        std::fs::write(&added, text).expect("a written file");
        command.env("ISTIO_BOOTSTRAP_OVERRIDE", added);
        command
    })
}

/// Gives the agent a /var/lib that is its own: it keeps its files below /var/lib/istio, whatever it is told.
const PRIVATE: &str =
    r#"mount -t tmpfs tmpfs /var/lib && mkdir -p /var/lib/istio/data && exec "$@""#;
