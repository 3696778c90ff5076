//! A bootstrap as text, and the changes that a test makes to it. What is started is the shipped file: no YAML is rebuilt, and
//! a change that does not match exactly where it should stops the test instead of being lost.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::envoy;

/// What Envoy is started with.
#[derive(Clone)]
pub struct Bootstrap {
    text: String,
    workers: u32,
    log_levels: String,
}

impl Bootstrap {
    /// Takes `envoy/envoy.yaml` with the plugin that `make` built, listening at a port of the system's choice.
    pub fn shipped() -> Self {
        Self::shipped_at(0)
    }

    /// Takes `envoy/envoy.yaml` with the plugin that `make` built, listening at this port.
    ///
    /// For an Envoy that does not know `refresh_cluster_on_retry` that line is left out.
    pub fn shipped_at(port: u16) -> Self {
        let shipped = Self::file("envoy.yaml")
            .replace("port_value: 10000", &format!("port_value: {port}"))
            .replace_both(
                "target/wasm32-wasip1/release/warmpath.wasm",
                &envoy::tool("WARMPATH_WASM"),
            );
        if envoy::refreshes_clusters() {
            shipped
        } else {
            shipped.replace("                refresh_cluster_on_retry: true\n", "")
        }
    }

    /// Takes a file of the folder `envoy/` as it is.
    pub fn file(name: &str) -> Self {
        let path = root().join("envoy").join(name);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::custom(text)
    }

    /// Takes any text, for hosts that no shipped file describes.
    pub fn custom(text: impl Into<String>) -> Self {
        Self { text: text.into(), workers: 1, log_levels: "wasm:info".into() }
    }

    /// Sets the number of worker threads; one by default.
    pub fn workers(self, workers: u32) -> Self {
        Self { workers, ..self }
    }

    /// Sets the levels of single loggers, as in `wasm:debug,router:trace`; all others tell warnings.
    pub fn log_levels(self, levels: &str) -> Self {
        Self { log_levels: levels.into(), ..self }
    }

    /// Replaces the only occurrence of a text.
    pub fn replace(self, from: &str, to: &str) -> Self {
        self.replace_all(from, to, 1)
    }

    /// Replaces a text that occurs twice: once in each stage of the plugin.
    pub fn replace_both(self, from: &str, to: &str) -> Self {
        self.replace_all(from, to, 2)
    }

    /// Adds members to the plugin's configuration in every stage that is there, as in `"explain": true`.
    pub fn configure(mut self, members: &str) -> Self {
        for stage in ["route", "shape", "both"] {
            let line = format!(r#""stage": "{stage}","#);
            if self.text.contains(&line) {
                self = self.replace(&line, &format!("{line} {members},"));
            }
        }
        self
    }

    /// Leaves one stage of the plugin out: `route` or `shape`.
    pub fn without_stage(mut self, stage: &str) -> Self {
        let lines: Vec<&str> = self.text.lines().collect();
        let name = format!("name: warmpath_{stage}");
        let inside = lines
            .iter()
            .position(|line| line.trim() == name)
            .unwrap_or_else(|| panic!("no `{name}` in the bootstrap"));
        let start = lines[..inside]
            .iter()
            .rposition(|line| line.trim() == "- name: warmpath")
            .expect("a filter around the stage");
        let length = lines[start + 1..]
            .iter()
            .take_while(|line| line.is_empty() || indent(line) > indent(lines[start]))
            .count();
        self.text = [&lines[..start], &lines[start + 1 + length..]].concat().join("\n");
        self
    }

    /// Leaves both stages out: plain Envoy.
    pub fn without_plugin(self) -> Self {
        self.without_stage("route").without_stage("shape")
    }

    /// Gives the endpoint whose metadata names this upstream another address.
    pub fn point(mut self, upstream: &str, address: SocketAddr) -> Self {
        let metadata =
            format!("metadata: {{filter_metadata: {{warmpath: {{upstream: {upstream}}}}}}}");
        let (before, after) = self
            .text
            .split_once(&metadata)
            .unwrap_or_else(|| panic!("no endpoint says `{metadata}`"));
        assert!(!after.contains(&metadata), "two endpoints say `{metadata}`");
        let (head, _) =
            before.rsplit_once("{socket_address:").expect("an address above the metadata");
        let (ip, port) = (address.ip(), address.port());
        self.text = format!(
            "{head}{{socket_address: {{address: {ip}, port_value: {port}}}}}}}\n          {metadata}{after}"
        );
        self
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn arguments(&self) -> [String; 4] {
        [
            "--concurrency".into(),
            self.workers.to_string(),
            "--component-log-level".into(),
            self.log_levels.clone(),
        ]
    }

    fn replace_all(mut self, from: &str, to: &str, times: usize) -> Self {
        let found = self.text.matches(from).count();
        assert_eq!(found, times, "`{from}` is {found} times in the bootstrap, expected {times}");
        self.text = self.text.replace(from, to);
        self
    }
}

/// The repository's top folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_envoy_has_nothing_of_the_plugin() {
        let plain = Bootstrap::file("envoy.yaml").without_plugin();
        assert!(!plain.text.contains("- name: warmpath"));
        assert!(plain.text.contains("- name: envoy.filters.http.router"));
        assert!(plain.text.contains("- name: envoy.filters.http.upstream_codec"));
    }

    #[test]
    fn members_are_added_to_both_stages() {
        let text = Bootstrap::file("envoy.yaml").configure(r#""explain": true"#).text;
        assert!(text.contains(r#""stage": "route", "explain": true,"#));
        assert!(text.contains(r#""stage": "shape", "explain": true,"#));
    }

    #[test]
    fn an_upstream_is_pointed_elsewhere() {
        let moved =
            Bootstrap::file("envoy.yaml").point("bedrock-us", "127.0.0.1:7".parse().unwrap()).text;
        assert!(!moved.contains("port_value: 10003"));
        assert_eq!(moved.matches("port_value: 7}").count(), 1);
    }

    #[test]
    #[should_panic(expected = "`type: STATIC` is 4 times in the bootstrap, expected 1")]
    fn a_replacement_that_matches_more_than_once_is_refused() {
        let _ = Bootstrap::file("envoy.yaml").replace("type: STATIC", "");
    }
}
