//! Inputs and what the plugin makes of them, as files: a diff of this folder shows what a change
//! does, and to whom.
//!
//! Cases are found by their files; README.md here says how they are named and where each comes from.
//! An expectation that is missing or another one fails; `make golden` writes them anew.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what is wrong by panicking"
)]

mod config;
mod expectations;
mod prefix;
mod provenance;
mod reference;
mod requests;
mod responses;
mod text;

use cases::plugin;
