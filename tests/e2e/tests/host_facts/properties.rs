//! What Envoy tells the plugin, and what it shows of it.

use std::collections::BTreeSet;

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway, Reply, Scripted};
use serde_json::json;

const CHAT: &str = "/v1/chat/completions";

#[tokio::test(flavor = "multi_thread")]
async fn in_an_aggregate_cluster_the_endpoint_says_which_upstream_it_is() {
    let pool = r#"
  clusters:
  - name: pool
    connect_timeout: 2s
    lb_policy: CLUSTER_PROVIDED
    cluster_type:
      name: envoy.clusters.aggregate
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig
        clusters: [bedrock-us, anthropic-a]
"#;
    let bootstrap = Bootstrap::explaining().steered().replace("\n  clusters:\n", pool);
    let gateway = Gateway::start(bootstrap).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.body["cache_control"] = json!({"type": "ephemeral"});
    conversation.ask(3_000);
    let answer = gateway.send(&conversation).header("upstream", "pool").await;
    let explanation = answer.explanation();
    assert_eq!((&*explanation["upstream"], &*explanation["edits"]), ("bedrock-us", "top_level"));
    // And that is who is remembered.
    conversation.hear(&answer);
    let next = gateway.turn(&mut conversation, 500).await;
    assert_eq!(gateway.served(&next), "bedrock-us");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_metadata_the_cluster_is_the_upstream() {
    let provider = Scripted::start(Reply::json("{}")).await;
    let mut bootstrap = Bootstrap::explaining().steered();
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us", "openai-a"] {
        let metadata =
            format!("metadata: {{filter_metadata: {{warmpath: {{upstream: {upstream}}}}}}}");
        bootstrap = bootstrap.point(upstream, provider.address()).replace(&metadata, "");
    }
    let gateway = Gateway::start(bootstrap).await;
    let body = json!({"model": "m", "cache_control": {"type": "ephemeral"}, "messages": [{"role": "user", "content": "hi"}]});
    for (upstream, edits) in [("anthropic-b", None), ("bedrock-us", Some("top_level"))] {
        let answer = gateway.post("/v1/messages", &body).header("upstream", upstream).await;
        let explanation = answer.explanation();
        assert_eq!(explanation["upstream"], upstream);
        assert_eq!(explanation.get("edits").map(String::as_str), edits, "{upstream}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_shown_in_prometheus() {
    let provider = Scripted::start(Reply::json(r#"{"id":"x","usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":4}}}"#)).await;
    let mut bootstrap = Bootstrap::shipped();
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us", "openai-a"] {
        bootstrap = bootstrap.point(upstream, provider.address());
    }
    // Names with dots are names like others, also where a part looks like a label's.
    let odd = "gpt-5.6.kind.eu.by.x";
    let gateway = Gateway::start(bootstrap.rename("openai-a", odd)).await;
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    assert_eq!(gateway.post(CHAT, &body).await.status, 200);
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_exchanges_total", &[("upstream", odd), ("by", "none")]), 1);
    assert_eq!(stats.sum("warmpath_tokens_total", &[("upstream", odd), ("kind", "read")]), 4);
    assert_eq!(stats.sum("warmpath_edits_total", &[("kind", "cache_key")]), 1);
    let labels = |name: &str| -> BTreeSet<String> {
        let keys = stats.series(name).flat_map(|series| series.labels.keys().cloned());
        keys.collect()
    };
    let expected = [
        ("warmpath_exchanges_total", &["by", "upstream"][..]),
        ("warmpath_pins_total", &["outcome"]),
        ("warmpath_tokens_total", &["kind", "upstream"]),
        ("warmpath_savings_total", &["kind", "upstream"]),
        ("warmpath_moved_tokens_total", &["upstream"]),
        ("warmpath_edits_total", &["kind"]),
        ("warmpath_skips_total", &["reason"]),
        ("warmpath_table_total", &["event"]),
    ];
    for (name, keys) in expected {
        assert_eq!(labels(name).into_iter().collect::<Vec<_>>(), keys, "{name}");
    }
    // No name was left without its labels, and there are no others.
    let names: BTreeSet<&str> = stats.names("warmpath").collect();
    let expected: BTreeSet<&str> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected);
}

/// Lets a cluster take the endpoint that the route stage names.
const OVERRIDE_HOST: &str = r#"load_balancing_policy:
  policies:
  - typed_extension_config:
      name: envoy.load_balancing_policies.override_host
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost
        override_host_sources: [{header: x-warmpath-host}]
        fallback_policy:
          policies:
          - typed_extension_config:
              name: envoy.load_balancing_policies.round_robin
              typed_config: {"@type": type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin}"#;

/// Takes conversations through two endpoints of one upstream; each stays at one of them, and no endpoint is told of it.
async fn stays_at_its_endpoint(bootstrap: Bootstrap) {
    let (one, other) =
        (Scripted::start(Reply::json("{}")).await, Scripted::start(Reply::json("{}")).await);
    let bootstrap = bootstrap
        .cluster("openai-a", OVERRIDE_HOST)
        .upstream("openai-a", r#"{"provider": "vllm", "pin_endpoint": true}"#)
        .endpoints("openai-a", &[one.address(), other.address()]);
    let gateway = Gateway::start(bootstrap).await;
    for number in 0..8 {
        let before = [one.received().len(), other.received().len()];
        let mut conversation = Conversation::new(Dialect::Chat, number);
        conversation.ask(500);
        for _ in 0..4 {
            let call = gateway.send(&conversation).header("x-warmpath-host", "127.0.0.1:1");
            assert_eq!(call.await.status, 200);
            conversation.ask(100);
        }
        let served = [one.received().len() - before[0], other.received().len() - before[1]];
        assert!(served == [4, 0] || served == [0, 4], "conversation {number} went to {served:?}");
    }
    assert!(!one.received().is_empty() && !other.received().is_empty());
    for received in one.received().into_iter().chain(other.received()) {
        assert!(!received.headers.contains_key("x-warmpath-host"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_can_be_pinned() {
    stays_at_its_endpoint(Bootstrap::explaining()).await;
}

/// What one filter that does both needs for it: the balancer reads the header after routes have removed theirs, so a filter
/// behind the balancer takes it away.
#[tokio::test(flavor = "multi_thread")]
async fn one_filter_can_pin_an_endpoint() {
    const REMOVE: &str = r#"- name: envoy.filters.http.header_mutation
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
    mutations: {request_mutations: [{remove: x-warmpath-host}]}"#;
    let both = Bootstrap::explaining()
        .filter_behind("shape", REMOVE)
        .without_stage("shape")
        .replace(r#""stage": "route""#, r#""stage": "both""#);
    stays_at_its_endpoint(both).await;
}
