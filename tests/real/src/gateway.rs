//! Envoy Gateway, on this machine alone: its host mode, in which it starts Envoy itself and reads its resources from files.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use e2e::{Client, eventually};
use serde_json::{Value, json};

use crate::manifest::Manifests;
use crate::program::Program;
use crate::tool;

/// Gives its arguments a root of their own, in which `/certs` and the hosts file are what Envoy Gateway counts on: it lets
/// Envoy fetch plugins from a name of the cluster, with certificates from there. All else is the machine's.
const ROOM: &str = r#"
set -e
home=$1; shift
mkdir "$home/root"
mount -t tmpfs tmpfs "$home/root"
for entry in /*; do
  if [ "$entry" = /certs ]; then continue
  elif [ -L "$entry" ]; then cp -P "$entry" "$home/root"
  elif [ -d "$entry" ]; then mkdir "$home/root$entry" && mount --rbind "$entry" "$home/root$entry"
  fi
done
ln -s "$home/config/certs/envoy" "$home/root/certs"
{ cat /etc/hosts; echo 127.0.0.1 envoy-gateway.envoy-gateway-system.svc.cluster.local; } > "$home/hosts"
mount --bind "$home/hosts" "$home/root/etc/hosts"
exec chroot "$home/root" "$@"
"#;

/// A running Envoy Gateway, with its Envoy.
pub struct EnvoyGateway {
    program: Program,
    pub client: Client,
}

impl EnvoyGateway {
    /// Starts it with these resources, whose gateway listens at this port, and waits until it answers.
    pub async fn start(manifests: &Manifests, port: u16) -> Self {
        let version = version();
        let manifests = manifests.clone().edit("EnvoyProxy", "llm", |proxy| {
            proxy["spec"]["provider"] = json!({"type": "Host", "host": {"envoyVersion": version}});
        });
        let mut program = Program::start("envoy-gateway", |home| {
            prepare(home, &version);
            let secret = Manifests { objects: vec![secret(home)] }.text();
            let resources = home.join("resources");
            std::fs::create_dir(&resources).expect("a folder");
            std::fs::write(resources.join("all.yaml"), manifests.text() + &secret)
                .expect("written resources");
            let mut command = Command::new("unshare");
            command.args(["--mount", "sh", "-c", ROOM, "sh"]).arg(home).arg(tool("ENVOY_GATEWAY"));
            command.args(["server", "--config-path"]).arg(home.join("gateway.json"));
            command.env("HOME", home);
            command
        });
        let client = Client::new(SocketAddr::from(([127, 0, 0, 1], port)));
        eventually(async || {
            assert!(program.runs(), "Envoy Gateway has ended: {}", program.log());
            match client.get("/v1/models").try_send().await? {
                // From a provider: Envoy's own have no body.
                answer if answer.status == 404 && !answer.body.is_empty() => Ok(()),
                answer => Err(format!("{}: {}", answer.status, answer.text())),
            }
        })
        .await;
        Self { program, client }
    }

    /// Returns the metrics of its Envoy, as Prometheus gets them.
    pub async fn metrics(&self) -> String {
        let mut runs = std::fs::read_dir(self.program.file("runtime")).expect("a folder");
        let run = runs.next().expect("a run").expect("a folder").path();
        let admin = std::fs::read_to_string(run.join("admin-address.txt")).expect("an address");
        let admin = admin.trim().parse().expect("an address");
        Client::new(admin).get("/stats/prometheus").await.text()
    }

    /// Returns what it and its Envoy have printed.
    pub fn log(&self) -> String {
        let mut log = self.program.log();
        let mut folders = vec![self.program.file("state"), self.program.file("runtime")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "log") {
                    log += &String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default());
                }
            }
        }
        log
    }
}

/// Makes certificates and the configuration, and puts Envoy where it would be fetched to.
fn prepare(home: &Path, version: &str) {
    let envoy = home.join("data/envoy-versions").join(version).join("bin");
    std::fs::create_dir_all(&envoy).expect("a folder");
    std::os::unix::fs::symlink(tool("ENVOY_PATH"), envoy.join("envoy")).expect("a link");
    let made = Command::new(tool("ENVOY_GATEWAY"))
        .args(["certgen", "--local", "--config-home"])
        .arg(home.join("config"))
        .env("HOME", home)
        .output()
        .expect("Envoy Gateway");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let configuration = json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyGateway",
        "gateway": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
        "provider": {"type": "Custom", "custom": {
            "resource": {"type": "File", "file": {"paths": [home.join("resources")]}},
            "infrastructure": {"type": "Host", "host": {
                "configHome": home.join("config"),
                "dataHome": home.join("data"),
                "stateHome": home.join("state"),
                "runtimeDir": home.join("runtime"),
            }},
        }},
        "extensionApis": {"enableBackend": true, "enableEnvoyPatchPolicy": true},
    });
    std::fs::write(home.join("gateway.json"), configuration.to_string()).expect("a written file");
}

/// The certificate by which Envoy fetches plugins: with resources from files, Envoy Gateway would make up another.
fn secret(home: &Path) -> Value {
    let file = |name: &str| {
        let text = std::fs::read_to_string(home.join("config/certs/envoy").join(name));
        text.unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let names = ["ca.crt", "tls.crt", "tls.key"];
    let data: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).into(), STANDARD.encode(file(name)).into())).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": "envoy", "namespace": "envoy-gateway-system"},
        "data": data,
    })
}

/// The version of the Envoy under test, as in `1.40.0`.
fn version() -> String {
    let told = Command::new(tool("ENVOY_PATH")).arg("--version").output().expect("Envoy");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let version =
        told.split('/').find(|part| part.split('.').count() == 3 && part.starts_with('1'));
    version.unwrap_or_else(|| panic!("no version in `{told}`")).to_owned()
}
