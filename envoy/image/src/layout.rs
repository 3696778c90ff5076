//! From the plugin's bytes to the files of an OCI image layout.

use std::io;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The only name that Istio and Envoy Gateway look for.
const PLUGIN: &str = "plugin.wasm";

/// Writes the image into a folder, in the place of what was there, and returns the digest of its manifest.
pub fn write(plugin: &[u8], folder: &Path) -> io::Result<String> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs)?;
    let blob = |kind: &str, bytes: &[u8]| {
        let digest = digest(bytes);
        std::fs::write(blobs.join(&digest), bytes)?;
        let size = bytes.len();
        io::Result::Ok(
            json!({"digest": format!("sha256:{digest}"), "mediaType": kind, "size": size}),
        )
    };
    let archive = archive(plugin)?;
    let layer = blob(LAYER, &compressed(&archive)?)?;
    let config = blob(CONFIG, config(&archive).to_string().as_bytes())?;
    // Members stand in the order of the alphabet, here as above and below: then it does not matter for the digest whether a
    // build of serde_json keeps their order or sorts them.
    let manifest = json!({
        "annotations": {
            "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
            "org.opencontainers.image.title": "warmpath",
            "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
        },
        "config": config,
        "layers": [layer],
        "mediaType": MANIFEST,
        "schemaVersion": 2,
    });
    let manifest = blob(MANIFEST, manifest.to_string().as_bytes())?;
    let digest = manifest["digest"].as_str().unwrap_or_default().to_owned();
    let index = json!({"manifests": [manifest], "mediaType": INDEX, "schemaVersion": 2});
    std::fs::write(folder.join("index.json"), index.to_string())?;
    std::fs::write(folder.join("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}).to_string())?;
    Ok(digest)
}

/// What runtimes of containers want to know; those of plugins do not read it.
fn config(archive: &[u8]) -> Value {
    let layer = format!("sha256:{}", digest(archive));
    json!({"architecture": "wasm", "os": "wasip1", "rootfs": {"diff_ids": [layer], "type": "layers"}})
}

/// One file, owned by root, of 1970.
fn archive(plugin: &[u8]) -> io::Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_size(plugin.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, PLUGIN, plugin)?;
    archive.into_inner()
}

/// Compresses without a name or a time in the header.
fn compressed(archive: &[u8]) -> io::Result<Vec<u8>> {
    // Unix, whatever this runs on.
    const SYSTEM: u8 = 3;
    let builder = GzBuilder::new().mtime(0).operating_system(SYSTEM);
    let mut encoder = builder.write(Vec::new(), Compression::best());
    io::Write::write_all(&mut encoder, archive)?;
    encoder.finish()
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn read(folder: &Path, digest: &str) -> Vec<u8> {
        let name = digest.strip_prefix("sha256:").unwrap();
        std::fs::read(folder.join("blobs/sha256").join(name)).unwrap()
    }

    fn layer(folder: &Path, digest: &str) -> String {
        let manifest: Value = serde_json::from_slice(&read(folder, digest)).unwrap();
        let [layer] = manifest["layers"].as_array().unwrap().as_slice() else {
            panic!("{manifest}")
        };
        layer["digest"].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_same_plugin_is_the_same_image() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let digests = folders.each_ref().map(|folder| write(b"\0asm", folder.path()).unwrap());
        assert_eq!(digests[0], digests[1]);
        // Another compression would show here: whoever has noted the digest of a release could not build it again.
        assert_eq!(
            layer(folders[0].path(), &digests[0]),
            "sha256:5a4052219a046331760d4f91598de259efaa10827c29fdf8bc7b11910c7eba55"
        );
        assert_ne!(write(b"\0wasm", folders[0].path()).unwrap(), digests[0]);
    }

    #[test]
    fn the_plugin_is_in_the_only_layer() {
        let folder = tempfile::tempdir().unwrap();
        let digest = write(b"\0asm", folder.path()).unwrap();
        let layer = read(folder.path(), &layer(folder.path(), &digest));
        let mut archive = tar::Archive::new(GzDecoder::new(layer.as_slice()));
        let files = archive.entries().unwrap().map(|file| {
            let mut file = file.unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.path().unwrap().into_owned(), bytes)
        });
        assert_eq!(files.collect::<Vec<_>>(), [("plugin.wasm".into(), b"\0asm".to_vec())]);
    }

    #[test]
    fn an_older_image_in_the_folder_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        for plugin in [b"old", b"new"] {
            write(plugin, folder.path()).unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path().join("blobs/sha256")).unwrap().count(), 3);
    }
}
