//! By which names an upstream is known.

use super::*;

/// Where a conversation is pinned to after an answer from the endpoint of which Envoy says this.
fn pinned_after(said: &[(&'static str, &str)]) -> Option<String> {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let mut headers = request(&[], BODY);
    envoy.ask(&mut route, &mut headers, BODY);
    envoy.properties.extend(said.iter().map(|(property, name)| (*property, (*name).into())));
    let cluster = said.iter().find(|(property, _)| *property == "cluster");
    envoy.attempt(cluster.map_or("", |(_, name)| name), &mut headers, BODY);
    envoy.answer(&mut route, JSON, ANSWER);
    envoy.exchange("a", &[], BODY, ANSWER).0
}

#[test]
fn an_upstream_is_known_by_what_a_control_plane_made_its_cluster_from() {
    let istio = [("cluster", "outbound|443||b"), ("service", "b")];
    assert_eq!(pinned_after(&istio).as_deref(), Some("b"));
    let gateway = [("cluster", "httproute/default/messages/rule/0/backend/1"), ("backend", "b")];
    assert_eq!(pinned_after(&gateway).as_deref(), Some("b"));
}

#[test]
fn the_endpoint_s_metadata_says_more_than_the_cluster_and_that_more_than_a_control_plane() {
    let endpoint = [("cluster", "a"), ("upstream", "b")];
    assert_eq!(pinned_after(&endpoint).as_deref(), Some("b"));
    let cluster = [("cluster", "b"), ("service", "a"), ("backend", "a")];
    assert_eq!(pinned_after(&cluster).as_deref(), Some("b"));
    assert_eq!(pinned_after(&[("cluster", "other"), ("service", "other")]), None);
}
