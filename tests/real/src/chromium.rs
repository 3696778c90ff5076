//! A page in real headless Chromium, driven by its DevTools protocol: JSON messages that end with a zero byte, over pipes.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::tool;

/// The protocol's pipes are the descriptors 3 and 4; what Chromium itself has to say goes to its log.
const SHELL: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >"$0" 2>&1"#;

/// How long one answer may take, the start of Chromium included.
const PATIENCE: Duration = Duration::from_secs(120);

/// One page. Chromium ends with it.
pub struct Page {
    // Held, since Chromium ends with it.
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    folder: TempDir,
    session: Option<String>,
    asked: u64,
    /// What came unasked, such as a line of the console.
    events: Vec<Value>,
}

impl Page {
    /// Opens a file and waits until it is loaded.
    pub async fn open(file: &Path) -> Self {
        let mut page = Self::start();
        let target = page.call("Target.createTarget", json!({"url": "about:blank"})).await;
        let target = json!({"targetId": target["targetId"], "flatten": true});
        let attached = page.call("Target.attachToTarget", target).await;
        page.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({})).await;
        }
        let file = file.canonicalize().expect("a file to open");
        let url = format!("file://{}", file.display());
        page.call("Page.navigate", json!({"url": url})).await;
        while page.events("Page.loadEventFired").is_empty() {
            page.receive().await;
        }
        page
    }

    fn start() -> Self {
        let folder = TempDir::with_prefix("warmpath-").expect("a temporary folder");
        let mut command = Command::new("sh");
        command.args(["-c", SHELL]).arg(folder.path().join("log")).arg(tool("CHROMIUM"));
        // Root, as which tests may run, cannot have Chromium's own sandbox; the page is this project's.
        command.args(["--remote-debugging-pipe", "--no-sandbox", "--disable-gpu"]);
        command.args(["--disable-dev-shm-usage", "--hide-scrollbars"]);
        command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("a shell to start Chromium with");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { _child: child, input, output, folder, session: None, asked: 0, events: Vec::new() }
    }

    /// Evaluates JavaScript in the page.
    ///
    /// # Panics
    ///
    /// When that throws.
    pub async fn ask(&mut self, expression: &str) -> Value {
        let question = json!({"expression": expression, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", question).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Counts the elements that a selector finds.
    pub async fn count(&mut self, selector: &str) -> u64 {
        let counted = self.ask(&format!("document.querySelectorAll({selector:?}).length")).await;
        counted.as_u64().expect("a number")
    }

    /// Shows the page as to people who like it `light` or `dark`.
    pub async fn prefer(&mut self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// Takes a picture (PNG) of the whole page at this width, in pixels of the page.
    pub async fn picture(&mut self, width: u64, scale: f64) -> Vec<u8> {
        let mut metrics =
            json!({"width": width, "height": 600, "deviceScaleFactor": scale, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics.clone()).await;
        metrics["height"] = self.ask("document.documentElement.scrollHeight").await;
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
        let picture = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        STANDARD.decode(picture["data"].as_str().unwrap_or_default()).expect("a picture")
    }

    /// Returns what the page has said in the console, errors that nobody caught included.
    pub fn complaints(&self) -> Vec<&Value> {
        let kinds = ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"];
        kinds.iter().flat_map(|kind| self.events(kind)).collect()
    }

    /// Returns the addresses of all that the page has fetched, itself first.
    pub fn fetched(&self) -> Vec<&str> {
        let requests = self.events("Network.requestWillBeSent").into_iter();
        requests.filter_map(|event| event["params"]["request"]["url"].as_str()).collect()
    }

    fn events(&self, method: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["method"] == method).collect()
    }

    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let mut call = json!({"id": self.asked, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            call["sessionId"] = json!(session);
        }
        // When Chromium has ended, the answer that does not come tells why.
        _ = self.input.write_all(format!("{call}\0").as_bytes()).await;
        loop {
            if let Some(answer) = self.receive().await {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// Returns the next message if it is the answer to what was asked last; an event is kept.
    async fn receive(&mut self) -> Option<Value> {
        let mut message = Vec::new();
        let read = timeout(PATIENCE, self.output.read_until(0, &mut message)).await;
        if !matches!(read, Ok(Ok(1..))) {
            let log = std::fs::read_to_string(self.folder.path().join("log"));
            panic!("Chromium says nothing more: {}", log.unwrap_or_default());
        }
        message.pop();
        let message: Value = serde_json::from_slice(&message).expect("JSON");
        if message["id"] == self.asked {
            return Some(message);
        }
        self.events.push(message);
        None
    }
}
