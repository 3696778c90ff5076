//! Programs as people start them, but in a home of their own and with an environment that holds nothing but what is told.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How long a program may take for an answer. Some need half a minute to start on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A home folder that goes when the test ends, with a project in it to work in.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        let home = Self(TempDir::with_prefix("warmpath-").expect("a temporary folder"));
        std::fs::create_dir(home.project()).expect("a folder for the project");
        home
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn project(&self) -> PathBuf {
        self.0.path().join("project")
    }

    /// Writes a file of this home, in folders that need not exist.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        let folder = path.parent().expect("a file below the home");
        std::fs::create_dir_all(folder).expect("its folders");
        std::fs::write(path, text).expect("a written file");
    }

    /// Puts a script into the project that runs until the test lets it end, and returns the command that runs it.
    pub fn waiting_script(&self) -> &'static str {
        let script = "touch begun; until [ -e go ]; do sleep 0.05; done; echo done";
        self.write("project/wait.sh", script);
        "sh wait.sh"
    }

    /// Waits until that script runs.
    pub async fn script_begun(&self) {
        let begun = self.project().join("begun");
        e2e::eventually(async || {
            if begun.exists() { Ok(()) } else { Err("the script does not run".into()) }
        })
        .await;
    }

    pub fn let_script_end(&self) {
        self.write("project/go", "");
    }

    /// Begins to start a program in the project. It ends with the test.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().env("HOME", self.path()).current_dir(self.project());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("NO_COLOR", "1").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs a program to its end and returns what it said.
///
/// # Panics
///
/// When it fails or takes too long, with all that it said.
pub async fn finish(mut command: Command) -> String {
    let shown = format!("{:?}", command.as_std());
    let child = command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
    finish_child(child).await
}

/// Waits for the end of a program that runs and returns what it said.
///
/// # Panics
///
/// As [`finish`].
pub async fn finish_child(child: Child) -> String {
    let ended = timeout(PATIENCE, child.wait_with_output()).await;
    let output = ended.expect("a program that ends").expect("its output");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}: {said}\n{complained}", output.status);
    said
}

/// A program that answers lines of JSON with lines of JSON.
pub struct Talk {
    // Held, since the program ends with it.
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    input: ChildStdin,
}

impl Talk {
    /// Starts a program that says nothing to the first line.
    pub async fn start(command: Command, first: &Value) -> Self {
        let mut talk = Self::open(command);
        talk.write(first).await;
        talk
    }

    pub fn open(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("a program to talk with");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let input = child.stdin.take().expect("its input");
        Self { _child: child, lines, input }
    }

    /// Writes a line and reads until one is the answer to it.
    ///
    /// # Panics
    ///
    /// When the program ends or takes too long.
    pub async fn ask(&mut self, line: &Value, is_answer: impl Fn(&Value) -> bool) -> Value {
        self.write(line).await;
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await.expect("an answer in time");
            let line = line.expect("readable output").expect("an answer before the end");
            let said: Value =
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
            if is_answer(&said) {
                return said;
            }
        }
    }
    async fn write(&mut self, line: &Value) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.expect("a program that listens");
    }
}
