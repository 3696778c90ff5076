//! What Warmpath keeps: resident memory of the Envoy process while many ids and conversations pass, and while many long
//! bodies are on their way at once; each time beside plain Envoy under the same load.

mod bodies;
mod ids;

use crate::report::title;
use crate::upstream;

pub fn run() {
    title("Memory: resident bytes of the Envoy process");
    let upstream = upstream::serve();
    ids::run(upstream);
    println!();
    bodies::run(upstream);
}
