//! Tests that can reach nobody but themselves. Clients like to call home; what they get here is a machine without a network.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use tokio::runtime::Builder;

use crate::tool;

/// Set where the test runs inside: the file that it writes when it has come to its end.
const INSIDE: &str = "WARMPATH_TEST_INSIDE";

/// Brings the loopback device up and becomes the program that is told. Needs no `ip`, which is not everywhere.
const RAISE: &str = r#"
import fcntl, os, socket, struct, sys
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING))
os.execv(sys.argv[1], sys.argv[1:])
"#;

/// Runs this test once more, in a process of its own whose only network is a loopback device.
///
/// # Panics
///
/// When it fails there, or does not come to its end.
pub fn only<T: AsyncFnOnce()>(test: T) {
    if let Some(end) = std::env::var_os(INSIDE) {
        let runtime =
            Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(test());
        return std::fs::write(end, "").expect("a file that says so");
    }
    // As libtest knows the test: the path of the closure inside it, without the crate.
    let path = std::any::type_name::<T>();
    let (_, path) = path.split_once("::").expect("a path");
    let name = path.split("::{{closure}}").next().unwrap_or(path);
    let folder = TempDir::with_prefix("warmpath-").expect("a temporary folder");
    let end: PathBuf = folder.path().join("end");
    let mut command = Command::new("unshare");
    command.args(if is_root() { &["--net"][..] } else { &["--net", "--map-root-user"] });
    command.arg(tool("PYTHON_CLIENTS").join("bin/python")).args(["-c", RAISE]);
    command.arg(std::env::current_exe().expect("the path of this test"));
    command.args(["--exact", name, "--nocapture", "--quiet"]).env(INSIDE, &end);
    let status = command.status().expect("unshare, of util-linux");
    assert!(status.success(), "{name} has failed in its own network: {status}");
    assert!(end.exists(), "{name} did not run in its own network");
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
