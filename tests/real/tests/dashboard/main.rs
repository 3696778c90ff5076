//! The dashboard and the alerts, asked of a real Prometheus that has scraped a real Envoy after real traffic.
//!
//! What they name must be there: every query of the dashboard returns numbers, every alert is understood, and what each of them
//! selects exists. `promtool` tries the alerts on series of its own.

mod panels;
mod prometheus;
mod traffic;

use std::collections::BTreeSet;

use e2e::eventually;
use prometheus::{ALERT_TESTS, ALERTS, CONFIGURATION, Prometheus, promtool};
use serde_json::Value;

/// The metrics and their labels, as the README has them.
const METRICS: [(&str, &[&str]); 8] = [
    ("warmpath_edits_total", &["kind"]),
    ("warmpath_exchanges_total", &["by", "upstream"]),
    ("warmpath_moved_tokens_total", &["upstream"]),
    ("warmpath_pins_total", &["outcome"]),
    ("warmpath_savings_total", &["kind", "upstream"]),
    ("warmpath_skips_total", &["reason"]),
    ("warmpath_table_total", &["event"]),
    ("warmpath_tokens_total", &["kind", "upstream"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_and_alerts_find_what_they_ask_for() {
    let gateway = traffic::gateway().await;
    let prometheus = Prometheus::scraping(gateway.envoy.address("stats")).await;
    traffic::only_counters_are_passed_on(&gateway).await;
    zeros_are_scraped(&prometheus).await;
    traffic::flows(&gateway).await;
    traffic::is_scraped(&gateway, &prometheus).await;
    labels_are_as_documented(&prometheus).await;
    every_query_returns_numbers(&prometheus).await;
    every_alert_is_understood(&prometheus).await;
}

#[test]
fn promtool_accepts_the_files_and_the_alerts_go_off_when_they_should() {
    for (arguments, file) in [
        (["check", "config"], CONFIGURATION),
        (["check", "rules"], ALERTS),
        (["test", "rules"], ALERT_TESTS),
    ] {
        let output = promtool(&arguments, file);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "promtool {arguments:?} {file}:\n{said}");
        let verdict = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        println!("promtool {} {file}: {}", arguments.join(" "), verdict.trim());
    }
}

/// Before any traffic every counter is there, at zero: a rate sees the first request too.
async fn zeros_are_scraped(prometheus: &Prometheus) {
    eventually(async || {
        let up = prometheus.query("up").await;
        if up.iter().any(|sample| sample.value == 1.0) { Ok(()) } else { Err(format!("{up:?}")) }
    })
    .await;
    let samples = prometheus.query(r#"{__name__=~"warmpath_.*"}"#).await;
    assert!(samples.iter().all(|sample| sample.value == 0.0), "{samples:?}");
    println!(
        "{} counters of the plugin, all of them there at zero before the first request",
        samples.len()
    );
}

async fn labels_are_as_documented(prometheus: &Prometheus) {
    let mut found = BTreeSet::new();
    for sample in prometheus.query(r#"{__name__=~"warmpath_.*"}"#).await {
        let labels = sample.labels.as_object().expect("labels").clone();
        let own =
            labels.keys().filter(|key| !["__name__", "instance", "job"].contains(&key.as_str()));
        let own: Vec<String> = own.cloned().collect();
        found.insert((labels["__name__"].as_str().expect("a name").to_owned(), own));
    }
    let documented = METRICS.map(|(name, labels)| {
        (name.to_owned(), labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>())
    });
    assert_eq!(found, BTreeSet::from(documented));
}

async fn every_query_returns_numbers(prometheus: &Prometheus) {
    let queries = panels::queries();
    for (metric, _) in METRICS {
        assert!(queries.iter().any(|query| query.asks_for(metric)), "no panel shows {metric}");
    }
    let mut silent = Vec::new();
    for upstream in panels::UPSTREAMS {
        for query in &queries {
            let expression = query.with(upstream);
            let samples = prometheus.query(&expression).await;
            if !samples.iter().any(|sample| sample.value.is_finite()) {
                silent
                    .push(format!("{} ({upstream}): {expression} gives {samples:?}", query.panel));
            }
            if upstream == panels::ALL {
                println!("{}: {}", query.panel, panels::shown(&samples));
            }
        }
    }
    assert!(silent.is_empty(), "no numbers for\n{}", silent.join("\n"));
    for variable in panels::variables() {
        let (metric, label) = variable.split_once(' ').expect("two words");
        let values =
            prometheus.ask(&format!("/api/v1/label/{label}/values?match[]={metric}")).await;
        assert!(values.as_array().is_some_and(|values| !values.is_empty()), "{variable}");
    }
    println!("{} queries of the dashboard, all of them with numbers", queries.len());
}

async fn every_alert_is_understood(prometheus: &Prometheus) {
    // Prometheus judges each rule by itself: the first judgement may still be to come.
    let rules = eventually(async || {
        let data = prometheus.ask("/api/v1/rules").await;
        let rules = data["groups"][0]["rules"].as_array().expect("rules").clone();
        let healthy = |rule: &Value| rule["health"] == "ok";
        if rules.iter().all(healthy) { Ok(rules) } else { Err(format!("{rules:?}")) }
    })
    .await;
    for rule in &rules {
        let (name, expression) =
            (rule["name"].as_str().expect("a name"), rule["query"].as_str().expect("a query"));
        prometheus.query(expression).await;
        for selector in panels::selectors(expression) {
            let samples = prometheus.query(&selector).await;
            assert!(!samples.is_empty(), "{name} asks for {selector}, which is not there");
        }
        for told in ["summary", "description", "action"] {
            assert!(rule["annotations"][told].is_string(), "{name} has no {told}");
        }
        println!("{name}: {}", rule["state"].as_str().unwrap_or_default());
    }
    println!("{} alerts, all of them understood", rules.len());
}
