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
pub mod json;
pub mod prompt;
pub mod provider;
pub mod shape;
pub mod splice;
pub mod usage;
