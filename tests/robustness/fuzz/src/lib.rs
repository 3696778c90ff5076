//! The laws of the robustness suite, for the fuzz targets.

#[path = "../../laws/mod.rs"]
mod laws;
#[path = "../../normal.rs"]
mod normal;
#[path = "../../../golden/plugin/mod.rs"]
mod plugin;
#[path = "../../random.rs"]
mod random;
#[path = "../../tree.rs"]
mod tree;

/// A request that is read, shaped and spliced.
pub fn request(input: &[u8]) {
    laws::fuzzed::request(input);
}

/// An answer, as one JSON text or as a stream, that is counted and written back.
pub fn answer(input: &[u8]) {
    laws::fuzzed::answer(input);
}

/// A text that may be JSON.
pub fn json(input: &[u8]) {
    laws::fuzzed::json(input);
}
