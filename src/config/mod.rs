//! The plugin's configuration: every option, checked once, at start.
//!
//! What comes out has no option left open; the rest of the code never sees a default. What is
//! wrong is refused, never repaired, and every problem is told at once with its path. The table in
//! README.md repeats these fields; a test compares the two.

mod node;
mod problem;
mod section;

use std::collections::BTreeMap;

use crate::dialect::Dialect;
use crate::prompt::Ttl;
use crate::provider::{Accepts, Marks, Profile};
use crate::shape::Policy;

pub use problem::Problem;
use section::Section;

/// The configuration of one stage.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which stage this filter is. Required.
    pub stage: Stage,
    /// The clusters that reach providers, by name. At least one.
    pub upstreams: Vec<Upstream>,
    pub affinity: Affinity,
    pub usage: Usage,
    /// Whether answers carry the header `x-warmpath`. Off by default: it names upstreams.
    pub explain: bool,
    pub limits: Limits,
}

/// Where in Envoy the filter sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// In the listener's filters: reads the prompt, pins, learns.
    Route,
    /// In the router's upstream filters: shapes each attempt.
    Shape,
    /// In the listener's filters, where no upstream filter can be set: both at once.
    Both,
}

/// A cluster that reaches one provider with one account.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The endpoint's `filter_metadata.warmpath.upstream`, the cluster's name, or what a control
    /// plane made the cluster from: the host of an Istio service, a Backend of Envoy Gateway.
    pub name: String,
    /// Whose rules it follows. Required.
    pub profile: &'static Profile,
    /// What becomes of marks: `keep` (default), `strip` or `inject`, this with its `mark_ttl`.
    pub policy: Policy,
    /// What it accepts otherwise than its profile.
    pub accepts: Overrides,
    /// Whether a stable key is set where the client sent none.
    pub cache_key: CacheKey,
    /// The client's names of models, and this upstream's.
    pub models: BTreeMap<String, String>,
    /// No injected mark on a prefix shorter than this, in tokens; the profile's if none.
    pub min_tokens: Option<u32>,
    /// Whether to pin the endpoint inside the cluster too.
    pub pin_endpoint: bool,
    /// What tokens cost, to count what is saved; nothing is counted without.
    pub price: Option<Price>,
}

/// What a million tokens cost, in whatever unit the operator thinks in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Tokens that were neither read from the cache nor written to it. With the default of 1, the
    /// others are multipliers of it.
    pub input: f64,
    /// As `input`, each, where it is not given: then nothing is saved or paid for it.
    pub read: f64,
    pub write_5m: f64,
    pub write_1h: f64,
}

/// What an upstream accepts otherwise than its profile; none where it does as that says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    pub marks: Option<bool>,
    pub top_level_mark: Option<bool>,
    pub ttl_1h: Option<bool>,
    pub scope: Option<bool>,
    pub cache_key: Option<bool>,
    pub cache_retention: Option<bool>,
    pub cache_options: Option<bool>,
}

/// What becomes of the key that steers follow-ups to the same cache inside an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheKey {
    Keep,
    Set,
}

/// How requests find the upstream that holds their prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affinity {
    /// How long an id or session is remembered after its last use, in seconds.
    pub ttl_seconds: u32,
    /// How many ids and prefixes are remembered in all.
    pub entries: u32,
    /// Request header with an issued id.
    pub request_id_header: String,
    /// Request header with the id of an earlier response.
    pub response_id_header: String,
    /// Response header for issued ids.
    pub issued_id_header: String,
    /// Request headers with a session, in order.
    pub session_headers: Vec<String>,
    /// Top-level members of a body with an id or session, in order.
    pub body_fields: Vec<String>,
    /// Path prefixes of objects that live at one account.
    pub object_paths: Vec<String>,
    /// How long an object is remembered after its last use, in seconds.
    pub object_ttl_seconds: u32,
    /// Whether prompts without any id are pinned by their prefix.
    pub prefix: bool,
    /// Request headers that tell callers apart.
    pub caller_headers: Vec<String>,
    /// Keys for issued ids: the first signs, all verify. None: a random key for this process.
    pub secrets: Vec<Vec<u8>>,
}

/// What becomes of the usage in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Whether counts are written back in the client's dialect.
    pub rewrite: bool,
}

/// Bounds beyond which a body is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub request_body_bytes: u32,
    pub response_body_bytes: u32,
    /// How long a request is held while nothing of its body comes, in milliseconds.
    pub hold_ms: u32,
}

impl Config {
    /// Reads the configuration text, or tells everything that is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, Vec<Problem>> {
        let root = node::parse(text).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let mut section = Section::new("", &root, &mut problems);
        let stage = section.required_choice(
            "stage",
            &[("route", Stage::Route), ("shape", Stage::Shape), ("both", Stage::Both)],
            "`route`, `shape` or `both`",
        );
        let upstreams = section.named_sections("upstreams", Upstream::parse);
        let affinity = section.section("affinity", Affinity::parse);
        let usage = section.section("usage", Usage::parse);
        let explain = section.flag("explain", false);
        let limits = section.section("limits", Limits::parse);
        section.finish();
        match (stage, problems.is_empty()) {
            (Some(stage), true) => Ok(Self { stage, upstreams, affinity, usage, explain, limits }),
            _ => Err(problems),
        }
    }

    /// What it comes down to, in one line, without secrets.
    pub fn summary(&self) -> String {
        let upstreams: Vec<String> = self
            .upstreams
            .iter()
            .map(|upstream| {
                let policy = match upstream.policy {
                    Policy::Keep => "keep",
                    Policy::Strip => "strip",
                    Policy::Inject(_) => "inject",
                };
                format!("{} ({}, {policy})", upstream.name, upstream.profile.name)
            })
            .collect();
        let Affinity { ttl_seconds, entries, prefix, secrets, .. } = &self.affinity;
        format!(
            "stage {:?}; upstreams {}; ids for {ttl_seconds} s, {entries} entries, prefix {prefix}, \
             {} secrets; usage rewrite {}; explain {}; {:?}",
            self.stage,
            upstreams.join(", "),
            secrets.len(),
            self.usage.rewrite,
            self.explain,
            self.limits,
        )
    }

    /// The upstream of this name.
    pub fn upstream(&self, name: &[u8]) -> Option<(usize, &Upstream)> {
        self.upstreams.iter().enumerate().find(|(_, upstream)| upstream.name.as_bytes() == name)
    }
}

impl Upstream {
    fn parse(name: &str, section: &mut Section<'_, '_>) -> Option<Self> {
        let profile = section.required_profile("provider");
        let ttl = section.choice(
            "mark_ttl",
            &[("5m", Ttl::FiveMinutes), ("1h", Ttl::OneHour)],
            Ttl::FiveMinutes,
        );
        let policy = section.choice(
            "marks",
            &[("keep", Policy::Keep), ("strip", Policy::Strip), ("inject", Policy::Inject(ttl))],
            Policy::Keep,
        );
        let accepts = section.section("accepts", Overrides::parse);
        let cache_key = section.choice(
            "cache_key",
            &[("keep", CacheKey::Keep), ("set", CacheKey::Set)],
            CacheKey::Keep,
        );
        let models = section.models("models");
        let min_tokens = section.optional_integer("min_tokens", 0..=1_000_000);
        let pin_endpoint = section.flag("pin_endpoint", false);
        let price = section.optional_section("price", Price::parse);
        Some(Self {
            name: name.to_owned(),
            profile: profile?,
            policy,
            accepts,
            cache_key,
            models,
            min_tokens,
            pin_endpoint,
            price,
        })
    }

    /// What it accepts of a dialect and model; none where it does not speak the dialect.
    pub fn accepts(&self, dialect: Dialect, model: &str) -> Option<Accepts> {
        let mut accepts = self.profile.accepts(dialect, model)?;
        let Overrides {
            marks,
            top_level_mark,
            ttl_1h,
            scope,
            cache_key,
            cache_retention,
            cache_options,
        } = self.accepts;
        match (cache_options, accepts.marks) {
            (Some(false), Marks::Breakpoints) => accepts.marks = Marks::Rejected,
            (Some(true), Marks::Rejected) => accepts.marks = Marks::Breakpoints,
            _ => {}
        }
        match (marks, accepts.marks) {
            (Some(false), _) => accepts.marks = Marks::Rejected,
            (Some(true), Marks::Rejected | Marks::Ignored) => accepts.marks = Marks::Blocks,
            _ => {}
        }
        let overrides = [
            (top_level_mark, &mut accepts.top_level_mark),
            (ttl_1h, &mut accepts.ttl_1h),
            (scope, &mut accepts.scope),
            (cache_key, &mut accepts.cache_key),
            (cache_retention, &mut accepts.cache_retention),
            (cache_options, &mut accepts.cache_options),
        ];
        for (given, accepted) in overrides {
            *accepted = given.unwrap_or(*accepted);
        }
        Some(accepts)
    }

    /// This upstream's name for a model of the client's.
    pub fn model<'m>(&'m self, clients: &'m str) -> &'m str {
        self.models.get(clients).map_or(clients, String::as_str)
    }
}

impl Price {
    fn parse(section: &mut Section<'_, '_>) -> Self {
        let input = section.optional_decimal("input").unwrap_or(1.0);
        let mut price = |key| section.optional_decimal(key).unwrap_or(input);
        Self {
            input,
            read: price("read"),
            write_5m: price("write_5m"),
            write_1h: price("write_1h"),
        }
    }
}

impl Overrides {
    fn parse(section: &mut Section<'_, '_>) -> Self {
        Self {
            marks: section.optional_flag("marks"),
            top_level_mark: section.optional_flag("top_level_mark"),
            ttl_1h: section.optional_flag("ttl_1h"),
            scope: section.optional_flag("scope"),
            cache_key: section.optional_flag("cache_key"),
            cache_retention: section.optional_flag("cache_retention"),
            cache_options: section.optional_flag("cache_options"),
        }
    }
}

impl Affinity {
    fn parse(section: &mut Section<'_, '_>) -> Self {
        Self {
            // The shortest lifetime of a provider's cache: what is older is cold anyway.
            ttl_seconds: section.integer("ttl_seconds", 1..=604_800, 300),
            // About 5 MB when full; a conversation takes some ten entries.
            entries: section.integer("entries", 1024..=1_048_576, 65_536),
            request_id_header: section.header("request_id_header", "x-request-id"),
            response_id_header: section.header("response_id_header", "x-response-id"),
            issued_id_header: section.header("issued_id_header", "x-warmpath-request-id"),
            session_headers: section.headers("session_headers", &SESSION_HEADERS),
            body_fields: section.words("body_fields", &BODY_FIELDS),
            object_paths: section.paths("object_paths", &OBJECT_PATHS),
            object_ttl_seconds: section.integer("object_ttl_seconds", 1..=2_592_000, 3600),
            prefix: section.flag("prefix", true),
            caller_headers: section.headers("caller_headers", &CALLER_HEADERS),
            secrets: section.secrets("secrets"),
        }
    }
}

impl Usage {
    fn parse(section: &mut Section<'_, '_>) -> Self {
        Self { rewrite: section.flag("rewrite", true) }
    }
}

impl Limits {
    fn parse(section: &mut Section<'_, '_>) -> Self {
        Self {
            // What Envoy must be able to buffer; half of what the shipped routes allow it.
            request_body_bytes: section.integer("request_body_bytes", 1024..=MOST_BYTES, 8_388_608),
            response_body_bytes: section.integer(
                "response_body_bytes",
                1024..=MOST_BYTES,
                8_388_608,
            ),
            // Long for a body that is on its way, short for a client that waits for its answer.
            hold_ms: section.integer("hold_ms", 100..=60_000, 2000),
        }
    }
}

/// Most bytes that a limit can be: offsets in bodies have 32 bits.
const MOST_BYTES: u32 = 1 << 30;

/// What coding agents and gateways send by themselves, the most exact first.
const SESSION_HEADERS: [&str; 6] = [
    "x-claude-code-session-id",
    "session-id",
    "x-session-id",
    "session_id",
    "x-session-affinity",
    "x-grok-conv-id",
];
/// Ids that name state come first: they leave no choice.
const BODY_FIELDS: [&str; 4] =
    ["previous_response_id", "task_id", "session_id", "prompt_cache_key"];
const OBJECT_PATHS: [&str; 6] =
    ["/v1/responses/", "/v1/videos", "/v1/video/", "/v1/images/", "/v1/files", "/v1/batches"];
const CALLER_HEADERS: [&str; 3] = ["authorization", "x-api-key", "api-key"];

#[cfg(test)]
mod tests;
