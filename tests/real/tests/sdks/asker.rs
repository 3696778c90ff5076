//! The Python program that sends with the SDKs, from start to stop.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use real::tool;
use serde_json::{Value, json};

/// A running `python/ask.py`. It ends with its standard input, so with this value.
pub struct Asker {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Of the SDKs.
    pub versions: String,
}

/// A request to send.
pub struct Order<'o> {
    /// The gateway, as in `http://127.0.0.1:1`.
    pub base: String,
    pub dialect: &'o str,
    pub is_stream: bool,
    pub headers: Value,
}

impl Asker {
    pub fn start() -> Self {
        let mut child = Command::new(tool("PYTHON_CLIENTS").join("bin/python"))
            .arg(e2e::bootstrap::root().join("tests/real/python/ask.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python");
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("its output"));
        let mut asker = Self { child, orders, answers, versions: String::new() };
        let versions = asker.hear();
        asker.versions =
            format!("anthropic {}, openai {}", versions["anthropic"], versions["openai"])
                .replace('"', "");
        asker
    }

    /// Sends a request, and returns what the SDK exposes of the answer.
    pub fn ask(&mut self, order: &Order<'_>) -> Value {
        let Order { base, dialect, is_stream, headers } = order;
        let line =
            json!({ "base": base, "dialect": dialect, "stream": is_stream, "headers": headers });
        writeln!(self.orders.as_mut().expect("it listens"), "{line}").expect("it listens");
        self.hear()
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("its output");
        assert!(!line.is_empty(), "Python has ended; what it says of that is above");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.orders.take();
        _ = self.child.wait();
    }
}
