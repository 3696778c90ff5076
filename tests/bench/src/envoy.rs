//! Envoys to measure, side by side, and what the machine says of each.

use std::net::SocketAddr;

use e2e::envoy::tool;
use e2e::{Bootstrap, Envoy, Stats};
use tokio::runtime::{Builder, Runtime};

use crate::process::Process;

/// An Envoy with one worker.
pub struct Measured {
    pub process: Process,
    pub address: SocketAddr,
    /// Stops when this is dropped.
    envoy: Envoy,
    runtime: Runtime,
}

impl Measured {
    /// Starts a bootstrap that has a listener named `gateway`.
    pub fn start(bootstrap: Bootstrap) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let envoy = runtime.block_on(Envoy::start(bootstrap));
        let address = envoy.address("gateway");
        Self { process: Process::listening_at(address), address, envoy, runtime }
    }

    /// Returns Envoy's counters.
    pub fn stats(&self) -> Stats {
        self.runtime.block_on(self.envoy.stats())
    }
}

/// Returns the shipped bootstrap with all of its upstreams at one address.
pub fn shipped(upstream: SocketAddr) -> Bootstrap {
    let names = ["anthropic-a", "anthropic-b", "bedrock-us", "openai-a"];
    names.into_iter().fold(Bootstrap::shipped(), |bootstrap, name| bootstrap.point(name, upstream))
}

/// Returns a bootstrap with the plugin that does the least, in place of Warmpath.
pub fn with_the_least(bootstrap: Bootstrap) -> Bootstrap {
    bootstrap.replace_both(&tool("WARMPATH_WASM"), &tool("LEAST_WASM"))
}
