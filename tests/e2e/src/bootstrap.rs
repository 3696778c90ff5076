//! A bootstrap as text, and the changes that a test makes to it. What is started is the shipped file: no YAML is rebuilt, and
//! a change that does not match exactly where it should stops the test instead of being lost.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::versions::Template;
use crate::{Names, envoy};

/// What Envoy is started with.
#[derive(Clone)]
pub struct Bootstrap {
    text: String,
    /// What stands below `listeners:`, where Envoy is to read it from a file that can change.
    listeners: Option<String>,
    pointed: BTreeSet<String>,
    /// What the bootstrap reads from other files, by their names.
    files: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    workers: u32,
    log_levels: String,
}

/// Stands in a bootstrap for the folder that Envoy's files are in.
pub(crate) const FOLDER: &str = "@FOLDER@";

/// Where every shipped file has the plugin, as it is built in the repository.
pub(crate) const PLUGIN: &str = "target/wasm32-wasip1/release/warmpath.wasm";

impl Bootstrap {
    /// Takes the bootstrap that is recommended for the running Envoy, with the plugin that `make` built, listening at a port of
    /// the system's choice.
    pub fn shipped() -> Self {
        Self::shipped_at(0)
    }

    /// Takes the same, listening at this port.
    pub fn shipped_at(port: u16) -> Self {
        Self::ready(Template::recommended().file, port)
    }

    /// Takes a shipped bootstrap that also other versions of Envoy can start.
    pub fn template(template: &Template) -> Self {
        Self::ready(template.file, 0)
    }

    /// Takes another shipped file, with the plugin that `make` built, listening at a port of the system's choice.
    pub fn shipped_file(name: &str) -> Self {
        Self::ready(name, 0)
    }

    fn ready(file: &str, port: u16) -> Self {
        Self::file(file)
            .replace("port_value: 10000", &format!("port_value: {port}"))
            .replace_both(PLUGIN, &envoy::tool("WARMPATH_WASM"))
    }

    /// Takes the same, and lets answers say what was done and why.
    pub fn explaining() -> Self {
        Self::shipped().configure(r#""explain": true"#)
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
        Self {
            text: text.into(),
            listeners: None,
            pointed: BTreeSet::new(),
            files: BTreeMap::new(),
            variables: BTreeMap::new(),
            workers: 1,
            log_levels: "wasm:info".into(),
        }
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

    /// Gives an upstream another configuration, in every stage that is there.
    pub fn upstream(mut self, name: &str, configuration: &str) -> Self {
        let head = format!("\"{name}\": ");
        let mut found = 0;
        let lines = self.text.lines().map(|line| match line.split_once(&head) {
            Some((before, after)) => {
                found += 1;
                let comma = if after.ends_with(',') { "," } else { "" };
                format!("{before}{head}{configuration}{comma}")
            }
            None => line.to_owned(),
        });
        self.text = lines.collect::<Vec<_>>().join("\n") + "\n";
        assert!((1..=2).contains(&found), "`{head}` is {found} times in the bootstrap");
        self
    }

    /// Returns what stands below `configuration:` of a stage, from its `"@type"` on.
    pub fn configuration(&self, stage: &str) -> String {
        let start = self.stage(stage);
        let item = self.text.lines().skip(start).take(self.item_length(start));
        let mut below = item.skip_while(|line| line.trim() != "configuration:");
        let outside = below.next().map_or(0, indent);
        let lines = below.take_while(|line| indent(line) > outside);
        lines.map(|line| format!("{line}\n")).collect::<String>().trim_start().to_owned()
    }

    /// Takes an upstream, not the last one, out of the plugin's configuration; Envoy still knows it.
    pub fn without_upstream(self, name: &str) -> Self {
        let marked = self.upstream(name, "GONE");
        let lines = marked.text.lines().filter(|line| !line.ends_with("GONE,"));
        let text = lines.collect::<Vec<_>>().join("\n") + "\n";
        Self { text, ..marked }
    }

    /// Adds a route by which a test chooses the upstream itself, with the request header `upstream`.
    pub fn steered(self) -> Self {
        const ROUTE: &str = r#"
              - match: {prefix: "/", headers: [{name: upstream, present_match: true}]}
                route: {cluster_header: upstream, timeout: 0s}
"#;
        let routes = "              routes:\n";
        self.replace(routes, &format!("{}{ROUTE}", routes.trim_end()))
    }

    /// Lets all that is not for messages go to the first of these upstreams and, should that fail, to the next ones, in the way
    /// in which this template fails over.
    pub fn failing_over(self, upstreams: &[&str]) -> Self {
        const ROUTE: &str = "route: {cluster: openai-a, timeout: 0s}";
        let each = |write: &dyn Fn(usize, &str) -> String| {
            let written = upstreams.iter().enumerate().map(|(place, name)| write(place, name));
            written.collect::<Vec<_>>().join(", ")
        };
        let kind = ["composite", "aggregate"]
            .into_iter()
            .find(|kind| self.text.contains(&format!("name: envoy.clusters.{kind}\n")));
        let Some(kind) = kind else {
            // Each next one is as good as never taken while one before it is left; all are at most 2^32.
            let weight = |place: usize| {
                let left = (upstreams.len() - 1 - place) as f64;
                4e9_f64.powf(left / (upstreams.len() - 1) as f64) as u32
            };
            let clusters =
                each(&|place, name| format!("{{name: {name}, weight: {}}}", weight(place)));
            return self.replace(
                ROUTE,
                &format!("route: {{timeout: 0s, weighted_clusters: {{clusters: [{clusters}]}}}}"),
            );
        };
        let members = match kind {
            "composite" => each(&|_, name| format!("{{name: {name}}}")),
            _ => each(&|_, name| name.to_owned()),
        };
        let in_order = format!(
            r#"
  clusters:
  - name: in-order
    connect_timeout: 2s
    lb_policy: CLUSTER_PROVIDED
    cluster_type:
      name: envoy.clusters.{kind}
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.clusters.{kind}.v3.ClusterConfig
        clusters: [{members}]
"#
        );
        self.replace(ROUTE, "route: {cluster: in-order, timeout: 0s}")
            .replace("\n  clusters:\n", &in_order)
    }

    /// Puts another filter in front of a stage: as YAML, its first line without indent.
    pub fn filter_before(self, stage: &str, filter: &str) -> Self {
        let start = self.stage(stage);
        self.insert(start, filter)
    }

    /// Puts another filter behind a stage.
    pub fn filter_behind(self, stage: &str, filter: &str) -> Self {
        let start = self.stage(stage);
        let end = start + self.item_length(start);
        self.insert(end, filter)
    }

    /// Lets Envoy read its listeners from a file, which `Envoy::update` can replace.
    pub fn with_dynamic_listeners(mut self) -> Self {
        let (head, rest) = self.text.split_once("  listeners:\n").expect("listeners");
        let length = rest
            .split_inclusive('\n')
            .take_while(|line| {
                line.trim().is_empty() || indent(line) > 2 || line.starts_with("  -")
            })
            .map(str::len)
            .sum();
        let (listeners, rest) = rest.split_at(length);
        let typed = "- \"@type\": type.googleapis.com/envoy.config.listener.v3.Listener\n    name: gateway\n";
        let resources = listeners.replace("- name: gateway\n", typed);
        self.listeners = Some(resources);
        self.text = format!(
            "node: {{id: e2e, cluster: e2e}}\ndynamic_resources:\n  lds_config: {{path_config_source: {{path: {FOLDER}/listeners.yaml}}}}\n{head}{rest}"
        );
        self
    }

    /// Leaves one stage of the plugin out: `route` or `shape`.
    pub fn without_stage(mut self, stage: &str) -> Self {
        let start = self.stage(stage);
        let length = self.item_length(start);
        let lines: Vec<&str> = self.text.lines().collect();
        self.text = [&lines[..start], &lines[start + length..]].concat().join("\n");
        self
    }

    /// Leaves both stages out: plain Envoy.
    pub fn without_plugin(self) -> Self {
        self.without_stage("route").without_stage("shape")
    }

    /// Gives the endpoint whose metadata names this upstream another address.
    pub fn point(self, upstream: &str, address: SocketAddr) -> Self {
        self.endpoints(upstream, &[address])
    }

    /// Gives an upstream several endpoints.
    pub fn endpoints(mut self, upstream: &str, addresses: &[SocketAddr]) -> Self {
        let metadata =
            format!("metadata: {{filter_metadata: {{warmpath: {{upstream: {upstream}}}}}}}");
        let (before, after) = self
            .text
            .split_once(&metadata)
            .unwrap_or_else(|| panic!("no endpoint says `{metadata}`"));
        assert!(!after.contains(&metadata), "two endpoints say `{metadata}`");
        let (head, _) = before.rsplit_once("- endpoint:").expect("an address above the metadata");
        let endpoint = |address: &SocketAddr| {
            let (ip, port) = (address.ip(), address.port());
            format!(
                "- endpoint: {{address: {{socket_address: {{address: {ip}, port_value: {port}}}}}}}\n          {metadata}"
            )
        };
        let endpoints: Vec<String> = addresses.iter().map(endpoint).collect();
        self.text = format!("{head}{}{after}", endpoints.join("\n        "));
        self.pointed.insert(upstream.to_owned());
        self
    }

    /// Changes the port of a cluster's only endpoint, and leaves the name in its address.
    pub fn port(mut self, cluster: &str, port: u16) -> Self {
        let head = format!("      cluster_name: {cluster}\n");
        let (before, after) =
            self.text.split_once(&head).unwrap_or_else(|| panic!("no `{}`", head.trim()));
        let (address, rest) = after.split_once("port_value: ").expect("an address");
        let rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        self.text = format!("{before}{head}{address}port_value: {port}{rest}");
        self
    }

    /// Whether there is a cluster of this name.
    pub fn has_cluster(&self, name: &str) -> bool {
        self.text.contains(&format!("      cluster_name: {name}\n"))
    }

    /// Has a file ready in place of one that the bootstrap reads.
    pub fn with_file(mut self, path: &str, content: impl Into<String>) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        self = self.replace(path, &format!("{FOLDER}/{name}"));
        self.files.insert(name.into(), content.into());
        self
    }

    /// Sets a variable in Envoy's environment.
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Adds members to a cluster, as lines of YAML.
    pub fn cluster(self, upstream: &str, members: &str) -> Self {
        let head = format!("  - name: {upstream}\n    type: STATIC\n");
        let members: String = members.lines().map(|line| format!("    {line}\n")).collect();
        self.replace(&head, &format!("{head}{members}"))
    }

    /// Lets Envoy speak HTTP/2 to an upstream.
    pub fn http2_to(self, upstream: &str) -> Self {
        self.cluster(
            upstream,
            r#"typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: {http2_protocol_options: {}}"#,
        )
    }

    /// Lets Envoy ask this name server, and no other.
    pub fn resolving(mut self, names: &Names) -> Self {
        let (ip, port) = (names.address().ip(), names.address().port());
        let resolver = format!(
            r#"typed_dns_resolver_config:
  name: envoy.network.dns_resolver.cares
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig
    resolvers: [{{socket_address: {{address: {ip}, port_value: {port}}}}}]
    dns_resolver_options: {{no_default_search_domain: true}}
"#
        );
        self.text.insert_str(0, &resolver);
        self
    }

    /// Gives an upstream another name, wherever it stands.
    pub fn rename(mut self, from: &str, to: &str) -> Self {
        assert!(self.text.contains(from), "no `{from}` in the bootstrap");
        self.text = self.text.replace(from, to);
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

    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    pub(crate) fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    pub(crate) fn listeners(&self) -> Option<&str> {
        self.listeners.as_deref()
    }

    /// Whether a test has given this upstream an address.
    pub(crate) fn is_pointed(&self, upstream: &str) -> bool {
        self.pointed.contains(upstream)
    }

    /// Finds the line in which the filter begins that is this stage.
    fn stage(&self, stage: &str) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        let name = format!("name: warmpath_{stage}");
        let inside = lines
            .iter()
            .position(|line| line.trim() == name)
            .unwrap_or_else(|| panic!("no `{name}` in the bootstrap"));
        lines[..inside]
            .iter()
            .rposition(|line| line.trim() == "- name: warmpath")
            .expect("a filter around the stage")
    }

    /// Counts the lines of the list item that begins in this line.
    fn item_length(&self, start: usize) -> usize {
        let mut lines = self.text.lines().skip(start);
        let outside = lines.next().map_or(0, indent);
        1 + lines.take_while(|line| line.is_empty() || indent(line) > outside).count()
    }

    /// Puts a list item in front of this line, with the indent of the items around it.
    fn insert(mut self, line: usize, item: &str) -> Self {
        let mut lines: Vec<String> = self.text.lines().map(String::from).collect();
        let margin = " ".repeat(indent(&lines[line]));
        let item = item.lines().map(|text| format!("{margin}{text}"));
        lines.splice(line..line, item);
        self.text = lines.join("\n") + "\n";
        self
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
    fn filters_stand_where_they_were_put() {
        let around = Bootstrap::file("envoy.yaml")
            .filter_before("route", "- name: first\n  x: 1")
            .filter_behind("route", "- name: second")
            .filter_behind("shape", "- name: third");
        let places = [
            "          - name: first\n            x: 1\n          - name: warmpath\n",
            "          - name: second\n          - name: envoy.filters.http.router\n",
            "              - name: third\n              - name: envoy.filters.http.upstream_codec\n",
        ];
        for place in places {
            assert_eq!(around.text.matches(place).count(), 1, "{place}");
        }
    }

    #[test]
    fn listeners_move_to_a_file_of_their_own() {
        let moved = Bootstrap::file("envoy.yaml").with_dynamic_listeners();
        assert!(moved.text.contains("lds_config") && !moved.text.contains("listeners:\n"));
        assert!(moved.text.contains("\n  clusters:\n  - name: anthropic-a\n"));
        let listeners = moved.listeners.unwrap();
        assert!(listeners.starts_with("  - \"@type\"") && listeners.contains("warmpath_shape"));
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
