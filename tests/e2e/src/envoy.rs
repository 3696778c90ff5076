//! One Envoy process, started through func-e, from start to stop. It stops with the value that stands for it, and also when
//! the test process is killed; its log is printed only where a test fails.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::bootstrap::{FOLDER, root};
use crate::{Bootstrap, Client, PATIENCE, Stats, eventually};

/// Runs its arguments until they end or its standard input does: the end of the test process, however it comes, is the end
/// of func-e, and with func-e ends Envoy. Ctrl-C reaches func-e by itself; until that has stopped Envoy, this waits.
const SUPERVISOR: &str = r#"
trap '' INT
exec 3<&0
"$@" 3<&- & child=$!
{ read -r line <&3; kill $child; } & watch=$!
wait $child; status=$?
kill $watch 2>/dev/null
exit $status
"#;

/// A running Envoy.
pub struct Envoy {
    process: Process,
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Envoy {
    /// Starts Envoy and waits until it serves.
    ///
    /// # Panics
    ///
    /// With Envoy's log when it ends instead, or takes too long.
    pub async fn start(bootstrap: Bootstrap) -> Self {
        let mut process = Process::spawn(&bootstrap);
        let admin = eventually(async || {
            assert!(process.runs(), "Envoy has ended instead of starting");
            let address: SocketAddr = process
                .read("admin")
                .parse()
                .map_err(|_| "Envoy has told no admin address".to_string())?;
            match Client::new(address).get("/ready").try_send().await {
                Ok(answer) if answer.text().trim() == "LIVE" => Ok(address),
                Ok(answer) => Err(format!("Envoy is not ready: {}", answer.text())),
                Err(error) => Err(format!("Envoy's admin interface does not answer: {error}")),
            }
        })
        .await;
        let listeners = listeners(&Client::new(admin).get("/listeners?format=json").await.json());
        Self { process, admin, listeners }
    }

    /// Starts Envoy with a bootstrap that it must refuse, and returns the lines of its log.
    ///
    /// # Panics
    ///
    /// When Envoy starts nevertheless.
    pub async fn refusal(bootstrap: Bootstrap) -> Vec<String> {
        let mut process = Process::spawn(&bootstrap);
        eventually(async || {
            if process.runs() { Err("Envoy runs, but should have refused".into()) } else { Ok(()) }
        })
        .await;
        process.read("log").lines().map(String::from).collect()
    }

    /// Returns where a listener listens, by its name.
    pub fn address(&self, listener: &str) -> SocketAddr {
        *self
            .listeners
            .get(listener)
            .unwrap_or_else(|| panic!("no listener `{listener}`, only {:?}", self.listeners))
    }

    /// Asks where a listener listens now, which an update may have changed.
    pub async fn listening(&self, listener: &str) -> SocketAddr {
        let statuses = Client::new(self.admin).get("/listeners?format=json").await.json();
        listeners(&statuses)[listener]
    }

    /// Lets Envoy read its listeners anew. It was started with dynamic listeners, and so is this bootstrap.
    pub fn update(&self, bootstrap: &Bootstrap) {
        self.process.write_listeners(bootstrap);
    }

    /// Replaces a file that the bootstrap reads, in one step.
    pub fn replace_file(&self, name: &str, content: &str) {
        write(self.process.folder.path(), name, content);
    }

    /// Returns how much of the machine's memory the process has, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.process.resident_bytes()
    }

    /// Returns where the admin interface is.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Reads all counters as they are now.
    pub async fn stats(&self) -> Stats {
        let admin = Client::new(self.admin);
        let (json, prometheus) =
            (admin.get("/stats?format=json").await, admin.get("/stats/prometheus").await);
        Stats::new(&json.json(), &prometheus.text())
    }

    /// Returns all that Envoy has printed: its log and one line per request.
    pub fn log(&self) -> String {
        self.process.read("log")
    }
}

/// Reads a variable that says where a tool is.
///
/// # Panics
///
/// Where it is not set.
pub fn tool(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run these tests with `make test` or `make e2e`")
    })
}

fn listeners(statuses: &Value) -> BTreeMap<String, SocketAddr> {
    let statuses = statuses["listener_statuses"].as_array().into_iter().flatten();
    let address = |status: &Value| {
        let address = &status["local_address"]["socket_address"];
        format!("{}:{}", address["address"].as_str()?, address["port_value"]).parse().ok()
    };
    statuses
        .filter_map(|status| Some((status["name"].as_str()?.into(), address(status)?)))
        .collect()
}

/// func-e with Envoy below it, and a folder with its files: `bootstrap.yaml`, `admin` (the address), `log`.
struct Process {
    child: Child,
    folder: TempDir,
}

impl Process {
    fn spawn(bootstrap: &Bootstrap) -> Self {
        let folder = TempDir::with_prefix("warmpath-").expect("a temporary folder");
        let file = |name: &str| folder.path().join(name);
        let text = bootstrap.text().replace(FOLDER, &folder.path().to_string_lossy());
        std::fs::write(file("bootstrap.yaml"), text).expect("a written bootstrap");
        let log = File::create(file("log")).expect("a log file");
        let mut command = Command::new("sh");
        command
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(tool("FUNC_E"))
            .args(["run", "--config-path"])
            .arg(file("bootstrap.yaml"));
        // Several Envoys run at a time; and what is logged must be there when a test reads it.
        command.args([
            "--disable-hot-restart",
            "--file-flush-interval-msec",
            "50",
            "--log-level",
            "warning",
        ]);
        command.args(bootstrap.arguments()).arg("--admin-address-path").arg(file("admin"));
        command.env("ENVOY_PATH", tool("ENVOY_PATH")).current_dir(root());
        command.envs(bootstrap.variables());
        for variable in
            ["FUNC_E_CONFIG_HOME", "FUNC_E_DATA_HOME", "FUNC_E_STATE_HOME", "FUNC_E_RUNTIME_DIR"]
        {
            command.env(variable, file("func-e"));
        }
        command.stdin(Stdio::piped()).stdout(log.try_clone().expect("a second handle")).stderr(log);
        write_listeners(folder.path(), bootstrap);
        for (name, content) in bootstrap.files() {
            write(folder.path(), name, content);
        }
        Self { child: command.spawn().expect("a shell to start func-e with"), folder }
    }

    fn write_listeners(&self, bootstrap: &Bootstrap) {
        write_listeners(self.folder.path(), bootstrap);
    }

    /// Adds up the shell, func-e and Envoy; the first two do not grow.
    fn resident_bytes(&self) -> u64 {
        let mut processes = vec![self.child.id()];
        let mut pages = 0;
        while let Some(process) = processes.pop() {
            let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
            let folder = Path::new("/proc").join(process.to_string());
            let resident = read(&folder.join("statm"));
            pages += resident.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
            let threads = std::fs::read_dir(folder.join("task")).into_iter().flatten().flatten();
            for thread in threads {
                let children = read(&thread.path().join("children"));
                let children = children.split_whitespace().filter_map(|id| id.parse::<u32>().ok());
                processes.extend(children);
            }
        }
        pages * 4096u64
    }

    fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child to ask for").is_none()
    }

    /// Reads one of the folder's files; an absent one is empty.
    fn read(&self, file: &str) -> String {
        let read = |path: &Path| {
            std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        read(&self.folder.path().join(file)).unwrap_or_default()
    }
}

fn write_listeners(folder: &Path, bootstrap: &Bootstrap) {
    if let Some(listeners) = bootstrap.listeners() {
        write(folder, "listeners.yaml", &format!("resources:\n{listeners}"));
    }
}

/// Puts a file in place in one step, or else Envoy would read half of it.
fn write(folder: &Path, name: &str, content: &str) {
    let new = folder.join(format!("{name}.new"));
    std::fs::write(&new, content).expect("a written file");
    std::fs::rename(new, folder.join(name)).expect("a file in place");
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let start = Instant::now();
        while self.runs() && start.elapsed() < PATIENCE {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        if std::thread::panicking() {
            eprintln!("---- Envoy's log ----\n{}---- end of Envoy's log ----", self.read("log"));
        }
    }
}
