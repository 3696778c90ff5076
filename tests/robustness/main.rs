//! Whatever comes, in whatever pieces: no panic, bounded output, and the same answer.
//!
//! The laws themselves are in the crate `cases`, where the fuzz targets have them too. They are asked of every
//! golden input, whole, cut, damaged and split (`damage`), of random prompts (`properties`), of what
//! the fuzzers found (`corpus`); the reader of JSON is held against serde_json (`differential`), and
//! time against length (`linear`).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what is wrong by panicking"
)]

mod corpus;
mod damage;
mod differential;
mod linear;
mod properties;

use cases::{inputs, laws, plugin, prompts, random, tree, write};
