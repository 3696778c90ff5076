//! Measures what Warmpath costs and what it saves. Everything is told as a ratio within one run, never as a time that
//! another machine could be held to; no measurement fails.

mod envoy;
mod load;
mod memory;
mod overhead;
mod parts;
mod process;
mod prompt;
mod report;
mod sample;
mod trace;
mod upstream;

const SECTIONS: [(&str, fn()); 4] = [
    ("overhead", overhead::run),
    ("memory", memory::run),
    ("core", parts::run),
    ("trace", trace::run),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let known = |name: &String| SECTIONS.iter().any(|(section, _)| section == name);
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        let names = SECTIONS.map(|(name, _)| name).join(", ");
        eprintln!("unknown section {unknown:?}, expected any of {names}; all of them without one");
        std::process::exit(2);
    }
    for (name, run) in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            run();
        }
    }
}
