//! A bootstrap for any number of accounts, with the routes that `envoy/envoy.yaml` has for its four.

use std::fmt::Write;
use std::net::SocketAddr;

use crate::versions::REFRESHED_RETRIES;
use crate::{Bootstrap, envoy};

/// Who decides where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Envoy alone, by weights.
    Plain,
    /// Envoy by the hash of a conversation's opener, which the plugin sets; the plugin remembers no prefix.
    Opener,
    /// The plugin.
    Warmpath,
}

/// Makes a bootstrap with a cluster for each account; `upstream` has the members of each in the plugin's configuration.
pub fn bootstrap(policy: Policy, accounts: &[(String, SocketAddr)], upstream: &str) -> Bootstrap {
    let mut routes = String::new();
    for (pinned, _) in accounts {
        let weights = weights(accounts, |name| if name == pinned { 1_000_000_000 } else { 1 });
        let header = format!("{{name: x-warmpath-upstream, string_match: {{exact: {pinned}}}}}");
        let _ = write!(
            routes,
            "
              - match: {{prefix: \"/\", headers: [{header}]}}
                route: {{timeout: 0s, weighted_clusters: {{clusters: [{weights}]}}}}"
        );
    }
    let weights = weights(accounts, |_| 1);
    let clusters: String = accounts.iter().map(|(name, address)| cluster(name, *address)).collect();
    let refresh = if REFRESHED_RETRIES.applies() { "refresh_cluster_on_retry: true" } else { "" };
    let upstreams: Vec<String> =
        accounts.iter().map(|(name, _)| format!("\"{name}\": {{{upstream}}}")).collect();
    let prefix = policy == Policy::Warmpath;
    let configuration = |stage: &str| {
        format!(
            "{{\"stage\": \"{stage}\", \"affinity\": {{\"prefix\": {prefix}}}, \"upstreams\": {{{}}}}}",
            upstreams.join(", ")
        )
    };
    let stage = |stage: &str, indent: &str| {
        let lines = format!(
            "- name: warmpath
  typed_config:
    \"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
    config:
      name: warmpath_{stage}
      allow_on_headers_stop_iteration: true
      failure_policy: FAIL_RELOAD
      vm_config:
        vm_id: warmpath
        runtime: envoy.wasm.runtime.v8
        code: {{local: {{filename: {}}}}}
      configuration:
        \"@type\": type.googleapis.com/google.protobuf.StringValue
        value: '{}'
",
            envoy::tool("WARMPATH_WASM"),
            configuration(stage),
        );
        lines.lines().map(|line| format!("{indent}{line}\n")).collect::<String>()
    };
    let bootstrap = Bootstrap::custom(format!(
        "admin:
  address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
static_resources:
  listeners:
  - name: gateway
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: gateway
          route_config:
            name: accounts
            virtual_hosts:
            - name: accounts
              domains: [\"*\"]
              request_body_buffer_limit: 16777216
              retry_policy:
                retry_on: 5xx,reset,connect-failure,refused-stream,retriable-status-codes
                retriable_status_codes: [429]
                num_retries: 2
                {refresh}
              routes:{routes}
              - match: {{prefix: \"/\"}}
                route:
                  timeout: 0s
                  weighted_clusters: {{header_name: x-warmpath-hash, clusters: [{weights}]}}
          http_filters:
{}          - name: envoy.filters.http.router
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
              upstream_http_filters:
{}              - name: envoy.filters.http.upstream_codec
                typed_config:
                  \"@type\": type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec
  clusters:
{clusters}",
        stage("route", "          "),
        stage("shape", "              "),
    ));
    if policy == Policy::Plain { bootstrap.without_plugin() } else { bootstrap }
}

fn weights(accounts: &[(String, SocketAddr)], weight: impl Fn(&str) -> u32) -> String {
    let clusters =
        accounts.iter().map(|(name, _)| format!("{{name: {name}, weight: {}}}", weight(name)));
    clusters.collect::<Vec<_>>().join(", ")
}

fn cluster(name: &str, address: SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    format!(
        "  - name: {name}
    type: STATIC
    connect_timeout: 2s
    circuit_breakers: {{thresholds: [{{max_retries: 1024}}]}}
    load_assignment:
      cluster_name: {name}
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: {ip}, port_value: {port}}}}}}}
"
    )
}
