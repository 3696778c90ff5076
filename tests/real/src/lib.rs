//! What the tests with real components share: where their tools are, programs that stop with the test, and what every way to
//! run Envoy has to pass.
//!
//! Each file under `tests/` is one scenario and says on its standard output what it saw. `make test-real` gets the tools
//! (`tools.mk`) and runs all of them, one after the other.
//!
//! - [`program`]: a program with a folder of its own, from start to stop
//! - [`story`]: a conversation stays, its upstream dies, usage comes back
//! - [`manifest`]: the shipped Kubernetes objects, and the changes that a test makes to them
//! - [`kubernetes`]: as much of a Kubernetes API as Istio asks for
//! - [`istio`]: Istio's control plane
//! - [`gateway`]: Envoy Gateway
//! - [`registry`]: the plugin's image, in a registry
//! - [`client`]: programs as people start them, in homes of their own
//! - [`ledger`]: what the accounts answered, and how much of it was warm
//! - [`loopback`]: tests that can reach nobody but themselves
//! - [`chromium`]: a page in a browser

use std::path::PathBuf;

pub mod chromium;
pub mod client;
pub mod gateway;
pub mod istio;
pub mod kubernetes;
pub mod ledger;
pub mod loopback;
pub mod manifest;
pub mod program;
pub mod registry;
pub mod story;

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
