//! What differs between the versions of Envoy that are supported: the one list that tests ask.
//!
//! Every test runs in every one of them, with the bootstrap that is recommended for it. Where Envoys differ, a test expects
//! another outcome of an older one; it never leaves one out.

use std::process::Command;
use std::sync::OnceLock;

use crate::envoy;

/// Major and minor.
pub type Version = (u32, u32);

/// A shipped bootstrap for the four accounts that tests simulate.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    /// In the folder `envoy/`.
    pub file: &'static str,
    /// The oldest Envoy that it is for. Older ones refuse it, but for the last, which is for all that are supported.
    pub from: Version,
}

/// The first that the running Envoy can start is the one that the file itself recommends for it.
pub const TEMPLATES: [Template; 3] = [
    Template { file: "envoy.yaml", from: REFRESHED_RETRIES.version },
    Template { file: "composite.yaml", from: COMPOSITE_CLUSTERS.version },
    Template { file: "aggregate.yaml", from: (1, 36) },
];

/// Retries that choose another cluster of the route.
pub const REFRESHED_RETRIES: Since = Since { version: (1, 39) };
/// Composite clusters.
pub const COMPOSITE_CLUSTERS: Since = Since { version: (1, 37) };
/// Composite clusters that pass over a member without any host to try.
pub const SKIPPED_MEMBERS: Since = Since { version: (1, 40) };

/// What Envoy can do since a version.
#[derive(Debug)]
pub struct Since {
    pub version: Version,
}

impl Since {
    /// Whether the running Envoy can do this.
    pub fn applies(&self) -> bool {
        running() >= self.version
    }
}

impl Template {
    /// Returns the one that is recommended for the running Envoy.
    pub fn recommended() -> &'static Self {
        TEMPLATES.iter().find(|template| template.applies()).expect("an Envoy of 1.36 or later")
    }

    /// Returns those that are for the running Envoy.
    pub fn applying() -> impl Iterator<Item = &'static Self> {
        TEMPLATES.iter().filter(|template| template.applies())
    }

    pub fn applies(&self) -> bool {
        running() >= self.from
    }
}

/// Asks Envoy for its version, once.
pub fn running() -> Version {
    static VERSION: OnceLock<Version> = OnceLock::new();
    *VERSION.get_or_init(|| {
        let output = Command::new(envoy::tool("ENVOY_PATH")).arg("--version").output();
        let output = output.expect("Envoy tells its version");
        version(&String::from_utf8_lossy(&output.stdout))
    })
}

/// Reads a line as `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`.
fn version(line: &str) -> Version {
    let numbers = line.split('/').rev().find_map(|part| {
        let mut numbers = part.split('.').map_while(|number| number.parse().ok());
        Some((numbers.next()?, numbers.next()?))
    });
    numbers.unwrap_or_else(|| panic!("no version in `{line}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_line_that_envoy_prints() {
        let line = "\n/x/envoy-1.2.3/envoy  version: 9e55809/1.40.0/Clean/RELEASE/BoringSSL\n";
        assert_eq!(version(line), (1, 40));
    }

    #[test]
    fn templates_stand_from_the_newest_to_the_oldest() {
        assert!(TEMPLATES.is_sorted_by(|one, next| one.from > next.from));
    }
}
