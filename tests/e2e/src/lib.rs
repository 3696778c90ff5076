//! Real Envoy under test: started through func-e on the shipped bootstraps, between a client and the simulated providers.
//!
//! A test has a [`Gateway`], sends it what a client would send, and looks at what the client got ([`Answer`]), at what each
//! account got (`Simulator::received`), at Envoy's counters ([`Stats`]) and at its log. Tests share nothing and no port is
//! fixed, so they run side by side. `make test` says where Envoy, func-e and the plugin are.
//!
//! ```no_run
//! use e2e::{Bootstrap, Conversation, Gateway, prompt::Dialect};
//! use simulator::Fault;
//!
//! # async fn story() {
//! let gateway = Gateway::start(Bootstrap::shipped().configure(r#""explain": true"#)).await;
//! let mut conversation = Conversation::new(Dialect::Messages, 1);
//! let first = gateway.turn(&mut conversation, 4_000).await;
//! let home = gateway.served(&first);
//! let second = gateway.turn(&mut conversation, 1_000).await;
//! assert_eq!((gateway.served(&second), &*second.explanation()["by"]), (home.clone(), "prefix"));
//! gateway.providers.fail(&home, Fault::Refused);
//! let third = gateway.turn(&mut conversation, 1_000).await;
//! assert_ne!(gateway.served(&third), home);
//! assert_eq!(gateway.envoy.stats().await.sum("warmpath_pins_total", &[("outcome", "moved")]), 1);
//! # }
//! ```
//!
//! - [`bootstrap`]: a bootstrap as text, and the changes that a test makes to it
//! - [`fleet`]: a bootstrap for any number of accounts
//! - [`envoy`]: one Envoy process, from start to stop
//! - [`gateway`]: that Envoy in front of simulated accounts
//! - [`client`]: HTTP/1.1 and HTTP/2 requests, and answers to look into
//! - [`scripted`]: a provider whose answers the test writes itself
//! - [`names`]: a name server, for bootstraps that reach their upstreams by name
//! - [`raw`]: the same over a bare connection, for what no well-behaved client sends
//! - [`pen`]: bodies that a test writes as it goes
//! - [`prompt`]: conversations of a realistic length
//! - [`stats`]: Envoy's counters, by name and by Prometheus label
//! - [`tls`]: real names and certificates in front of simulated accounts
//! - [`versions`]: what differs between the versions of Envoy, and which file is for which

pub mod bootstrap;
pub mod client;
pub mod envoy;
pub mod fleet;
pub mod gateway;
pub mod names;
pub mod pen;
pub mod prompt;
pub mod raw;
pub mod scripted;
pub mod stats;
pub mod tls;
pub mod versions;

use std::time::{Duration, Instant};

pub use bootstrap::Bootstrap;
pub use client::{Answer, Client};
pub use envoy::Envoy;
pub use gateway::Gateway;
pub use names::Names;
pub use prompt::Conversation;
pub use raw::Raw;
pub use scripted::{Reply, Scripted};
pub use stats::Stats;

/// How long anything may take that is expected to happen. Long, because a loaded machine is no reason to fail.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until the answer is good.
///
/// # Panics
///
/// When [`PATIENCE`] is over, with the last complaint.
pub async fn eventually<T>(mut ask: impl AsyncFnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(complaint) => {
                assert!(start.elapsed() < PATIENCE, "still, after {PATIENCE:?}: {complaint}")
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
