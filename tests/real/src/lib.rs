//! What the tests with real components share: where their tools are, and programs that stop with the test.
//!
//! Each file under `tests/` is one scenario and says on its standard output what it saw. `make test-real` gets the tools
//! (`tools.mk`) and runs all of them, one after the other.

use std::path::PathBuf;

/// Returns the path that `tools.mk` exports under a name.
///
/// # Panics
///
/// Without that variable: the scenario was not started by `make test-real`.
pub fn tool(name: &str) -> PathBuf {
    let Some(path) = std::env::var_os(name) else {
        panic!("{name} is not set: run `make test-real`, or `make real-tools` and export it");
    };
    PathBuf::from(path)
}
