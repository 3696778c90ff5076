//! Reading a configuration.

use warmpath::config::{Affinity, Config, Upstream};

/// What a configuration comes down to, or its problems, one a line.
pub fn configure(text: &[u8]) -> Result<String, String> {
    match Config::parse(text) {
        Ok(config) => Ok(effective(config)),
        Err(problems) => Err(problems.iter().map(|problem| format!("{problem}\n")).collect()),
    }
}

fn effective(config: Config) -> String {
    let summary = config.summary();
    let Config { stage, upstreams, affinity, usage, explain, limits } = config;
    let upstreams: String = upstreams.iter().map(upstream).collect();
    let secrets = affinity.secrets.len();
    let affinity = Affinity { secrets: Vec::new(), ..affinity };
    format!(
        "{summary}\n\nstage: {stage:?}\n{upstreams}{affinity:#?}\nsecrets: {secrets}\n{usage:#?}\nexplain: {explain}\n{limits:#?}\n"
    )
}

fn upstream(upstream: &Upstream) -> String {
    let Upstream {
        name,
        profile,
        policy,
        accepts,
        cache_key,
        models,
        min_tokens,
        pin_endpoint,
        price,
    } = upstream;
    format!(
        "upstream {name}: {}\n    marks: {policy:?}\n    accepts: {accepts:?}\n    cache_key: {cache_key:?}\n    models: {models:?}\n    min_tokens: {min_tokens:?}\n    pin_endpoint: {pin_endpoint}\n    price: {price:?}\n",
        profile.name
    )
}
