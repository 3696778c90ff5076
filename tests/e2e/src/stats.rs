//! Envoy's counters: by name as Envoy keeps them, and by label as Prometheus shows them.

use std::collections::BTreeMap;

use serde_json::Value;

/// All counters and gauges at one moment.
#[derive(Debug)]
pub struct Stats {
    counters: BTreeMap<String, u64>,
    series: Vec<Series>,
}

/// One line of the Prometheus text.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

impl Stats {
    pub(crate) fn new(json: &Value, prometheus: &str) -> Self {
        let stats = json["stats"].as_array().into_iter().flatten();
        let counters = stats
            .filter_map(|stat| Some((stat["name"].as_str()?.into(), stat["value"].as_u64()?)))
            .collect();
        Self { counters, series: prometheus.lines().filter_map(series).collect() }
    }

    /// Returns a counter by Envoy's name, as in `cluster.anthropic-a.upstream_rq_total`; 0 where nothing was counted.
    pub fn counter(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or_default()
    }

    /// Returns how many connections of clients each of two workers got at the listener named `gateway`.
    pub fn connections_of_workers(&self) -> [u64; 2] {
        [0, 1].map(|worker| {
            self.counter(&format!("listener.127.0.0.1_0.worker_{worker}.downstream_cx_total"))
        })
    }

    /// Returns what was left alone for this reason.
    pub fn skips(&self, reason: &str) -> u64 {
        self.sum("warmpath_skips_total", &[("reason", reason)])
    }

    /// Returns the lines of a metric.
    pub fn series(&self, name: &str) -> impl Iterator<Item = &Series> {
        self.series.iter().filter(move |series| series.name == name)
    }

    /// Returns the names of the metrics that begin like this, as often as they have lines.
    pub fn names(&self, beginning: &str) -> impl Iterator<Item = &str> {
        let names = self.series.iter().map(|series| series.name.as_str());
        names.filter(move |name| name.starts_with(beginning))
    }

    /// Adds up the lines of a metric that have all of these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let fits = |series: &&Series| {
            labels
                .iter()
                .all(|(key, value)| series.labels.get(*key).is_some_and(|found| found == value))
        };
        self.series(name).filter(fits).map(|series| series.value as u64).sum()
    }
}

/// Reads a line as `name{key="value",other="value"} 12`; comments and blank lines are none.
fn series(line: &str) -> Option<Series> {
    if line.starts_with('#') {
        return None;
    }
    let (head, value) = line.rsplit_once(' ')?;
    let (name, labels) = head.trim_end_matches('}').split_once('{').unwrap_or((head, ""));
    let labels = labels.split("\",").filter_map(|pair| pair.split_once("=\""));
    let labels =
        labels.map(|(key, value)| (key.into(), value.trim_end_matches('"').into())).collect();
    Some(Series { name: name.into(), labels, value: value.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# TYPE warmpath_tokens_total counter
warmpath_tokens_total{upstream="a.b",kind="read"} 5
warmpath_tokens_total{upstream="a.b",kind="input"} 2
warmpath_tokens_total{upstream="c",kind="read"} 1

envoy_server_live{} 1
"#;

    #[test]
    fn labels_choose_what_is_added_up() {
        let stats = Stats::new(&Value::Null, TEXT);
        assert_eq!(stats.sum("warmpath_tokens_total", &[]), 8);
        assert_eq!(stats.sum("warmpath_tokens_total", &[("kind", "read")]), 6);
        assert_eq!(stats.sum("warmpath_tokens_total", &[("kind", "read"), ("upstream", "a.b")]), 5);
        assert_eq!(stats.sum("warmpath_tokens_total", &[("no", "label")]), 0);
        assert_eq!(stats.series("envoy_server_live").count(), 1);
    }

    #[test]
    fn an_absent_counter_is_zero() {
        let stats = Stats::new(
            &serde_json::json!({"stats": [{"name": "a.b", "value": 3}, {"histograms": {}}]}),
            "",
        );
        assert_eq!((stats.counter("a.b"), stats.counter("a.c")), (3, 0));
    }
}
