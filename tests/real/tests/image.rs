//! The plugin as an image: the same bytes from every build, and what registries and their clients make of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use real::registry::Registry;
use real::tool;

/// Every file of a folder, by its path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("a path below").display().to_string();
                files.insert(name, std::fs::read(path).expect("a file"));
            }
        }
    }
    files
}

/// Makes the image as an operator does; the digest that is told.
fn make() -> String {
    let mut make = Command::new("make");
    // Within another make it would tell of folders last.
    make.args(["--no-print-directory", "image"]).current_dir(e2e::bootstrap::root());
    let made = make.output().expect("make");
    let told = String::from_utf8_lossy(&made.stdout);
    assert!(made.status.success(), "{told}{}", String::from_utf8_lossy(&made.stderr));
    told.lines().last().and_then(|line| line.split_once(": ")).expect("a digest").1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_made_twice_is_the_same_and_a_registry_gives_it_back() {
    let folder = tool("WARMPATH_IMAGE");
    let first = (make(), files(&folder));
    let second = (make(), files(&folder));
    assert_eq!(first.0, second.0);
    assert!(first.1 == second.1, "files differ between two images of {}", first.0);

    let registry = Registry::start().await;
    assert_eq!(registry.push("warmpath:0.1.0"), first.0);
    let reference = format!("{}/warmpath@{}", registry.address, first.0);
    let crane = |arguments: &[&str]| {
        let output = Command::new(tool("CRANE")).args(arguments).arg(&reference).output();
        let output = output.expect("crane");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    // Checks every digest and length on the way.
    crane(&["validate", "--insecure", "--remote"]);
    let archive = crane(&["export", "--insecure"]);
    let plugin = std::fs::read(tool("WARMPATH_WASM")).expect("the plugin");
    assert!(archive.windows(plugin.len()).any(|window| window == plugin), "another plugin");
    println!("{} files, {}, pushed, validated and pulled", first.1.len(), first.0);
}
