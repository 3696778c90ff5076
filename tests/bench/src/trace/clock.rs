//! The trace's clock, for Envoy and for the simulated accounts alike.
//!
//! An hour of a trace is played in minutes, but what expires must expire as it would have: the caches of the accounts and
//! what the plugin remembers of them. The simulator's clock can be moved. Envoy's cannot, so its wall clock is moved from
//! outside, by a small library that is preloaded (`clock.c`, compiled when it is needed).

use std::fs::{File, write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use simulator::Simulator;
use tempfile::TempDir;

/// Where Envoys look for how far they are ahead of the system.
const VARIABLE: &str = "WARMPATH_CLOCK";

/// A folder with the library and an `envoy` that preloads it.
pub struct Preload {
    folder: TempDir,
}

impl Preload {
    /// Compiles the library.
    ///
    /// # Panics
    ///
    /// Without a C compiler; Rust needs one as well, to link.
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("warmpath-clock-").expect("a temporary folder");
        let file = |name: &str| folder.path().join(name);
        let (source, library) = (file("clock.c"), file("clock.so"));
        write(&source, include_str!("clock.c")).expect("a written source");
        let compiled = Command::new("cc")
            .args(["-O2", "-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .status()
            .expect("`cc`, a C compiler");
        assert!(compiled.success(), "clock.c does not compile");
        write(file("ahead"), 0i64.to_ne_bytes()).expect("a written file");
        let envoy = e2e::envoy::tool("ENVOY_PATH");
        let script = format!("#!/bin/sh\nLD_PRELOAD={} exec {envoy} \"$@\"\n", library.display());
        write(file("envoy"), script).expect("a written script");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(file("envoy"), executable).expect("a right to set");
        Self { folder }
    }

    /// Lets the Envoys of a command have this clock.
    pub fn apply(&self, command: &mut Command) {
        command.env("ENVOY_PATH", self.folder.path().join("envoy"));
        command.env(VARIABLE, self.folder.path().join("ahead"));
    }
}

/// Whether this process was started with [`Preload::apply`].
pub fn is_applied() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Moves all clocks.
pub struct Clock {
    start: Instant,
    /// How far the clocks are ahead of the system's.
    ahead: Duration,
    file: File,
}

impl Clock {
    /// Starts where the system's clock is.
    pub fn new() -> Self {
        let path = PathBuf::from(std::env::var_os(VARIABLE).expect("an applied clock"));
        let file = File::options().write(true).open(path).expect("the clock's file");
        let clock = Self { start: Instant::now(), ahead: Duration::ZERO, file };
        clock.tell();
        clock
    }

    /// Lets it be this long after the start, if it is not later already.
    pub fn set(&mut self, time: Duration, accounts: &Simulator) {
        let by = time.saturating_sub(self.start.elapsed() + self.ahead);
        // The simulator counts in milliseconds.
        let by = Duration::from_millis(by.as_millis() as u64);
        accounts.advance(by);
        self.ahead += by;
        self.tell();
    }

    fn tell(&self) {
        let nanoseconds = i64::try_from(self.ahead.as_nanos()).expect("less than centuries");
        self.file.write_all_at(&nanoseconds.to_ne_bytes(), 0).expect("a written clock");
    }
}
