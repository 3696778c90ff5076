//! Istio's control plane, on this machine alone, with the objects that a test gives it.

use std::net::SocketAddr;
use std::process::Command;

use e2e::{Client, eventually};
use serde_json::{Value, json};

use crate::kubernetes::Kubernetes;
use crate::manifest::Manifests;
use crate::program::{Program, free_port};
use crate::tool;

/// What the shipped gateway is selected by, and where it is.
pub const LABEL: &str = "llm-gateway";
pub const NAMESPACE: &str = "istio-ingress";

/// What is not in an Envoy that Istio did not build, or needs a certificate authority.
const MESH: &str = "{enablePrometheusMerge: false, enableAutoMtls: false, enableTracing: false}";
const ENVIRONMENT: [(&str, &str); 9] = [
    ("ENABLE_CA_SERVER", "false"),
    ("PILOT_CERT_PROVIDER", "none"),
    ("XDS_AUTH", "false"),
    ("PILOT_ENABLE_METADATA_EXCHANGE", "false"),
    ("PILOT_ENABLE_ALPN_FILTER", "false"),
    ("INJECT_ENABLED", "false"),
    ("VALIDATION_WEBHOOK_CONFIG_NAME", ""),
    ("INJECTION_WEBHOOK_CONFIG_NAME", ""),
    ("PILOT_ENABLE_GATEWAY_API", "false"),
];

/// A running istiod.
pub struct Istio {
    program: Program,
    _kubernetes: Kubernetes,
    http: Client,
    /// Where it tells Envoys what to do.
    pub discovery: SocketAddr,
}

impl Istio {
    /// Starts istiod with these objects in its Kubernetes, and waits until it is ready.
    pub async fn start(manifests: &Manifests) -> Self {
        let kubernetes = Kubernetes::start(manifests).await;
        let [discovery, http, monitoring] =
            [(); 3].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let mut program = Program::start("istiod", |folder| {
            let file = |name: &str, text: &str| {
                let path = folder.join(name);
                std::fs::write(&path, text).expect("a written file");
                path
            };
            let mut command = Command::new(tool("PILOT_DISCOVERY"));
            command.arg("discovery").arg("--kubeconfig");
            command.arg(file("kubeconfig", &kubernetes.configuration()));
            command.arg("--meshConfig").arg(file("mesh.yaml", MESH));
            command.args([
                "--networksConfig=/dev/null",
                "--secureGRPCAddr=",
                "--httpsAddr=",
                "--ctrlz_port=0",
            ]);
            command.args([
                format!("--grpcAddr={discovery}"),
                format!("--httpAddr={http}"),
                format!("--monitoringAddr={monitoring}"),
            ]);
            command.envs(ENVIRONMENT);
            command.env("POD_NAMESPACE", "istio-system").env("POD_NAME", "istiod-0");
            command
        });
        let client = Client::new(http);
        eventually(async || {
            assert!(program.runs(), "istiod has ended: {}", program.log());
            match client.get("/ready").try_send().await? {
                answer if answer.status == 200 => Ok(()),
                answer => Err(format!("istiod is not ready: {}", answer.status)),
            }
        })
        .await;
        Self { program, _kubernetes: kubernetes, http: client, discovery }
    }

    /// Asks the webhook that a cluster would ask before it takes an object; returns its complaint and its warnings.
    pub async fn review(&self, object: &Value) -> Result<Vec<String>, String> {
        let (group, version) =
            object["apiVersion"].as_str().and_then(|name| name.split_once('/')).expect("a group");
        let review = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "1",
                "operation": "CREATE",
                "kind": {"group": group, "version": version, "kind": object["kind"]},
                "object": object,
            },
        });
        let answer = self.http.post("/validate", &review).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let response = answer.json()["response"].clone();
        if response["allowed"] != true {
            return Err(response["status"]["message"].to_string());
        }
        let warnings = response["warnings"].as_array().into_iter().flatten();
        Ok(warnings.map(ToString::to_string).collect())
    }

    /// Returns the bootstrap of a plain Envoy that this istiod is to make a gateway of.
    pub fn bootstrap(&self) -> String {
        let (ip, port) = (self.discovery.ip(), self.discovery.port());
        format!(
            r#"
node:
  id: router~127.0.0.1~gateway-1.{NAMESPACE}~{NAMESPACE}.svc.cluster.local
  cluster: gateway.{NAMESPACE}
  metadata: {{LABELS: {{istio: {LABEL}}}, STATIC_LABELS: {{istio: {LABEL}}}, NAMESPACE: {NAMESPACE}, ISTIO_VERSION: 1.31.0, CLUSTER_ID: Kubernetes}}
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}}}
dynamic_resources:
  ads_config: {{api_type: GRPC, transport_api_version: V3, grpc_services: [{{envoy_grpc: {{cluster_name: xds-grpc}}}}]}}
  lds_config: {{ads: {{}}, resource_api_version: V3}}
  cds_config: {{ads: {{}}, resource_api_version: V3}}
static_resources:
  clusters:
  - name: xds-grpc
    type: STATIC
    connect_timeout: 5s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{http2_protocol_options: {{}}}}
    load_assignment:
      cluster_name: xds-grpc
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: {ip}, port_value: {port}}}}}}}
"#
        )
    }

    pub fn log(&self) -> String {
        self.program.log()
    }
}
