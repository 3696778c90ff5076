//! A real Prometheus with the shipped configuration, from start to stop.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Output};

use e2e::{Client, eventually};
use real::program::Program;
use real::tool;
use serde_json::Value;

/// Files of `envoy/prometheus/`.
pub const CONFIGURATION: &str = "prometheus.yml";
pub const ALERTS: &str = "alerts.yml";
pub const ALERT_TESTS: &str = "alerts.test.yml";
pub const LISTENER: &str = "listener.yaml";

/// A running Prometheus. It stops with this value.
pub struct Prometheus {
    client: Client,
    _program: Program,
}

/// A sample of an instant query: the labels, and the value.
#[derive(Debug)]
pub struct Sample {
    pub labels: Value,
    pub value: f64,
}

impl Prometheus {
    /// Starts it on the shipped files; only the address of Envoy and the interval are others.
    pub async fn scraping(envoy: SocketAddr) -> Self {
        let configuration =
            replace_once(&shipped(CONFIGURATION), "127.0.0.1:9901", &envoy.to_string())
                .replace("_interval: 15s", "_interval: 1s");
        let program = Program::start("prometheus", |folder| {
            fs::write(folder.join(CONFIGURATION), configuration).expect("a configuration");
            fs::write(folder.join(ALERTS), shipped(ALERTS)).expect("rules");
            let mut command = Command::new(tool("PROMETHEUS").join("usr/bin/prometheus"));
            command.args([
                &format!("--config.file={CONFIGURATION}"),
                "--storage.tsdb.path=data",
                "--web.listen-address=127.0.0.1:0",
            ]);
            command
        });
        let address = eventually(async || {
            listening(&program.log()).ok_or_else(|| "Prometheus listens nowhere".to_owned())
        })
        .await;
        let client = Client::new(address);
        eventually(async || {
            let answer = client.get("/-/ready").await;
            if answer.status == 200 {
                Ok(())
            } else {
                Err(format!("Prometheus is not ready: {}", answer.text()))
            }
        })
        .await;
        Self { client, _program: program }
    }

    /// Asks the HTTP API.
    ///
    /// # Panics
    ///
    /// When Prometheus does not understand.
    pub async fn ask(&self, path: &str) -> Value {
        let answer = self.client.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()["data"].clone()
    }

    /// Evaluates an expression now.
    pub async fn query(&self, expression: &str) -> Vec<Sample> {
        let data = self.ask(&format!("/api/v1/query?query={}", encoded(expression))).await;
        assert_eq!(data["resultType"], "vector", "{expression}");
        let samples = data["result"].as_array().expect("a list of samples");
        let sample = |sample: &Value| Sample {
            labels: sample["metric"].clone(),
            value: sample["value"][1]
                .as_str()
                .and_then(|text| text.parse().ok())
                .expect("a number"),
        };
        samples.iter().map(sample).collect()
    }
}

/// Runs promtool on a shipped file.
pub fn promtool(arguments: &[&str], file: &str) -> Output {
    Command::new(tool("PROMETHEUS").join("usr/bin/promtool"))
        .args(arguments)
        .arg(e2e::bootstrap::root().join("envoy/prometheus").join(file))
        .output()
        .expect("promtool")
}

/// Reads a shipped file.
pub fn shipped(file: &str) -> String {
    let path = e2e::bootstrap::root().join("envoy/prometheus").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn replace_once(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "`{from}`");
    text.replace(from, to)
}

/// Finds where the server listens; the system has chosen the port.
fn listening(log: &str) -> Option<SocketAddr> {
    let line = log.lines().find(|line| line.contains(r#"msg="Listening on""#))?;
    line.split("address=").nth(1)?.trim().parse().ok()
}

/// Spells a text as a value of a URL's query.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}
