//! What the suites share: the plugin as they see it, requests and answers found and made up, and
//! the laws that hold for all of them.
//!
//! `golden` and `robustness` beside the plugin, the referee among the simulator's tests and the fuzz
//! targets are built on it.

pub mod inputs;
pub mod laws;
pub mod normal;
pub mod plugin;
pub mod prompts;
pub mod random;
pub mod tree;
pub mod write;
