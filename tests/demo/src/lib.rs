//! What `make demo` and `make run` are made of: Envoy and the simulated providers as the end-to-end tests start them, and
//! conversations to play.
//!
//! - [`cast`]: who talks, and how their clients behave
//! - [`script`]: in which order they talk, and when an upstream fails
//! - [`play`]: plays a script through a gateway
//! - [`played`]: what happened in a play
//! - [`table`]: one line per turn
//! - [`totals`]: what all turns came to
//! - [`page`]: two plays side by side, as a page for browsers

pub mod cast;
pub mod page;
pub mod play;
pub mod played;
pub mod script;
pub mod table;
pub mod totals;

use tokio::signal::unix::{SignalKind, signal};

/// Waits for Ctrl-C or the signal to terminate.
pub async fn interrupted() {
    let mut terminate = signal(SignalKind::terminate()).expect("a signal handler");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
