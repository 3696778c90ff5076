//! Programs that stop with the test, whatever way that ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Runs its arguments until they end or its standard input does: the end of the test process, however it comes, ends them.
const SUPERVISOR: &str = r#"
exec 3<&0
"$@" 3<&- & child=$!
{ read -r line <&3; kill $child; } & watch=$!
wait $child; status=$?
kill $watch 2>/dev/null
exit $status
"#;

/// How long a program has to end by itself.
const FAREWELL: Duration = Duration::from_secs(30);

/// A running program with a folder of its own, which goes with it. What it prints is shown where the test fails.
pub struct Program {
    name: String,
    child: Child,
    folder: TempDir,
}

impl Program {
    /// Starts what `command` makes of the folder: a program and its arguments, which find the folder as their own.
    ///
    /// # Panics
    ///
    /// Where that cannot be started.
    pub fn start(name: &str, command: impl FnOnce(&Path) -> Command) -> Self {
        let folder = TempDir::with_prefix(format!("warmpath-{name}-")).expect("a temporary folder");
        let wanted = command(folder.path());
        let log = File::create(folder.path().join("log")).expect("a log file");
        let mut supervised = Command::new("sh");
        supervised.args(["-c", SUPERVISOR, name]).arg(wanted.get_program()).args(wanted.get_args());
        for (variable, value) in wanted.get_envs() {
            match value {
                Some(value) => supervised.env(variable, value),
                None => supervised.env_remove(variable),
            };
        }
        supervised.current_dir(wanted.get_current_dir().unwrap_or(folder.path()));
        let second = log.try_clone().expect("a second handle");
        supervised.stdin(Stdio::piped()).stdout(second).stderr(log);
        let child = supervised.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name: name.into(), child, folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of a file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns all that it has printed.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.file("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it has ended, and returns its exit status; none when it takes longer than this.
    pub fn wait(&mut self, longest: Duration) -> Option<i32> {
        let start = Instant::now();
        while self.runs() && start.elapsed() < longest {
            std::thread::sleep(Duration::from_millis(50));
        }
        let ended = self.child.try_wait().expect("a child to ask for");
        ended.and_then(|status| status.code())
    }

    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child to ask for").is_none()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let start = Instant::now();
        while self.runs() && start.elapsed() < FAREWELL {
            std::thread::sleep(Duration::from_millis(10));
        }
        if std::thread::panicking() {
            let name = &self.name;
            eprintln!("---- log of {name} ----\n{}---- end of {name}'s log ----", self.log());
        }
    }
}

/// Returns a port of the loopback address that nobody listens at, for programs that cannot tell which one they chose.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
