//! What the dashboard asks for.

use serde_json::Value;

use crate::prometheus::Sample;

/// Grafana's value of "All", and upstreams that a viewer may choose instead.
pub const ALL: &str = ".*";
pub const UPSTREAMS: [&str; 3] = [ALL, "anthropic-a|anthropic-b|bedrock-us", "openai-a"];

/// One query of one panel.
pub struct Query {
    /// The title of its panel.
    pub panel: String,
    expression: String,
}

impl Query {
    pub fn asks_for(&self, metric: &str) -> bool {
        self.expression.contains(metric)
    }

    /// Fills in what Grafana would, for this choice of upstreams.
    pub fn with(&self, upstream: &str) -> String {
        let filled = self
            .expression
            .replace("$job", "envoy")
            .replace("$upstream", upstream)
            .replace("$__rate_interval", "1m")
            .replace("$__range", "5m");
        assert!(!filled.contains('$'), "an unknown variable in {filled}");
        filled
    }
}

/// Returns the queries of all panels.
///
/// # Panics
///
/// When a panel has none, or takes its data from elsewhere than the variable says.
pub fn queries() -> Vec<Query> {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut queries = Vec::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().expect("a title");
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{title} asks for nothing");
        for target in targets {
            for source in [&panel["datasource"], &target["datasource"]] {
                assert_eq!(source["uid"], "${datasource}", "{title}");
            }
            let expression = target["expr"].as_str().expect("an expression").to_owned();
            queries.push(Query { panel: title.to_owned(), expression });
        }
    }
    queries
}

/// Returns the metric and the label, with a space between them, whose values fill the variables.
pub fn variables() -> Vec<String> {
    let dashboard = dashboard();
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let queries = variables.iter().filter_map(|variable| variable["query"]["query"].as_str());
    let words = |query: &str| {
        let inside = query.strip_prefix("label_values(")?.strip_suffix(')')?;
        let (selector, label) = inside.rsplit_once(", ")?;
        let metric = selector.split('{').next()?;
        Some(format!("{metric} {label}"))
    };
    queries.map(|query| words(query).unwrap_or_else(|| panic!("{query}"))).collect()
}

/// Returns the selectors in an expression, as in `name{label="value"}`.
pub fn selectors(expression: &str) -> Vec<String> {
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let mut selectors = Vec::new();
    let mut rest = expression;
    while let Some(start) =
        ["warmpath_", "envoy_", "up{"].iter().filter_map(|head| rest.find(head)).min()
    {
        let tail = &rest[start..];
        let name = tail.find(|char| !is_name(char)).unwrap_or(tail.len());
        let end = match tail[name..].strip_prefix('{') {
            Some(labels) => name + 2 + labels.find('}').expect("a closing brace"),
            None => name,
        };
        selectors.push(tail[..end].to_owned());
        rest = &tail[end..];
    }
    assert!(!selectors.is_empty(), "no selector in {expression}");
    selectors
}

/// Writes samples in a line: what tells them apart, and their values.
pub fn shown(samples: &[Sample]) -> String {
    let one = |sample: &Sample| {
        let labels = sample.labels.as_object().expect("labels");
        let labels: Vec<&str> = labels.values().filter_map(Value::as_str).collect();
        format!("{} {:.3}", labels.join(" "), sample.value).trim().to_owned()
    };
    samples.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn dashboard() -> Value {
    let path = e2e::bootstrap::root().join("envoy/grafana/warmpath.json");
    let text = std::fs::read_to_string(path).expect("the dashboard");
    serde_json::from_str(&text).expect("JSON")
}
