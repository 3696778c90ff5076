//! The simulated providers as a referee for the plugin: they take every request that it shapes, and
//! what it marks by itself is found again as well as what a perfect client marks.

#[path = "../../../robustness/inputs.rs"]
mod inputs;
#[path = "../../../robustness/normal.rs"]
mod normal;
#[path = "../../../golden/plugin/mod.rs"]
mod plugin;
#[path = "../../../robustness/prompts.rs"]
mod prompts;
#[path = "../../../robustness/random.rs"]
mod random;
mod requests;
mod server;
#[path = "../../../robustness/tree.rs"]
mod tree;
#[path = "../../../robustness/write.rs"]
mod write;
