//! A registry on the loopback address, and the plugin's image in it.

use std::process::Command;

use e2e::{Client, eventually};

use crate::program::Program;
use crate::tool;

/// A registry that runs until it is dropped and keeps everything in memory.
pub struct Registry {
    _program: Program,
    /// As in `127.0.0.1:5000`.
    pub address: String,
}

impl Registry {
    pub async fn start() -> Self {
        let address = format!("127.0.0.1:{}", crate::program::free_port());
        let program = Program::start("registry", |_| {
            let mut command = Command::new(tool("CRANE"));
            command.args(["registry", "serve", "--address", &address]);
            command
        });
        let client = Client::new(address.parse().expect("an address"));
        eventually(async || client.get("/v2/").try_send().await).await;
        Self { _program: program, address }
    }

    /// Pushes the image that `make image` has written, as an operator would, and returns its digest.
    pub fn push(&self, image: &str) -> String {
        let folder = tool("WARMPATH_IMAGE");
        let pushed = Command::new(tool("CRANE"))
            .args(["push", "--insecure"])
            .arg(folder)
            .arg(format!("{}/{image}", self.address))
            .output()
            .expect("crane");
        let told = String::from_utf8_lossy(&pushed.stdout).trim().to_owned();
        assert!(pushed.status.success(), "{told}{}", String::from_utf8_lossy(&pushed.stderr));
        let (_, digest) = told.split_once('@').expect("a reference with its digest");
        digest.to_owned()
    }
}
