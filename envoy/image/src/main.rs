//! Writes the plugin as an OCI image: a folder in the OCI image layout, for `crane push`, `skopeo copy oci:…` and the like.
//!
//! The image is of the kind that Istio's agent and Envoy Gateway both take ("compat"): one layer, a compressed archive with
//! `plugin.wasm` at its root. Nothing of the machine or the day goes in, so the same plugin is the same image to the byte, and
//! its digest can be compared by whoever builds it again.

mod layout;

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [plugin, folder] = arguments.as_slice() else {
        eprintln!("usage: image PLUGIN FOLDER");
        std::process::exit(2);
    };
    let written = std::fs::read(plugin)
        .and_then(|plugin| layout::write(&plugin, Path::new(folder)))
        .map(|digest| println!("{folder}: {digest}"));
    if let Err(error) = written {
        eprintln!("image: {plugin} to {folder}: {error}");
        std::process::exit(1);
    }
}
