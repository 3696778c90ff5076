#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]
pub mod affinity;
pub mod config;
pub mod dialect;
#[cfg(target_arch = "wasm32")]
mod host;
pub mod json;
pub mod metrics;
pub mod prompt;
pub mod provider;
pub mod shape;
pub mod splice;
pub mod stage;
pub mod usage;
