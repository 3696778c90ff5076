//! Reading a request's body and shaping it.

use std::rc::Rc;

use serde_json::{Value, json};
use warmpath::affinity::{Caller, opener};
use warmpath::config::{self, CacheKey, Config};
use warmpath::dialect::Dialect;
use warmpath::prompt::{Findings, Prefix, Prompt, Reader};
use warmpath::provider::Key;
pub use warmpath::shape::Shaping;
use warmpath::shape::{Target, shape};
pub use warmpath::splice::Edit;
use warmpath::splice::Splicer;

/// What a body says.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub prompt: Prompt,
    pub prefix: Prefix,
    pub ids: Vec<(usize, Vec<u8>)>,
    pub items: Vec<Vec<u8>>,
}

/// Top-level members that are kept as ids, as the default configuration has them.
const ID_NAMES: [&str; 4] = ["previous_response_id", "task_id", "session_id", "prompt_cache_key"];

/// Reads a body that comes in these windows; if that fails, says why.
pub fn read(dialect: Dialect, windows: &[&[u8]]) -> Result<Facts, String> {
    let names: Rc<[String]> = ID_NAMES.map(String::from).into();
    let mut reader = Reader::new(dialect, names);
    for window in windows {
        reader.push(window).map_err(|reason| reason.to_string())?;
    }
    let found = reader.finish().map_err(|reason| reason.to_string())?;
    let Findings { prompt, prefix, ids, items } = found;
    Ok(Facts { prompt, prefix, ids, items })
}

/// The hash by which Envoys that do not talk place a conversation of this caller.
pub fn hash(facts: &Facts, credential: &[u8]) -> u32 {
    let caller = Caller::new([("authorization", credential)].into_iter());
    let model = facts.prompt.model.as_ref().map_or("", |model| model.name.as_str());
    opener(&caller, model, &facts.prefix) as u32
}

/// Where a request goes.
pub struct Upstream(config::Upstream);

/// What a request brings beside its body.
#[derive(Clone, Copy, Default)]
pub struct Beside<'a> {
    /// Whether it has the beta header for scopes.
    pub scope_beta: bool,
    /// The key of its conversation.
    pub key: &'a str,
}

impl Upstream {
    /// `settings` are those of an upstream in a configuration.
    pub fn new(settings: &Value) -> Self {
        let text = json!({"stage": "shape", "upstreams": {"upstream": settings}}).to_string();
        let config = Config::parse(text.as_bytes());
        let config = config.unwrap_or_else(|problems| panic!("{settings}: {problems:?}"));
        Self(config.upstreams.into_iter().next().expect("there is one"))
    }

    /// A provider's upstream with this policy for marks and nothing else.
    pub fn of(provider: &str, marks: &str) -> Self {
        Self::new(&json!({"provider": provider, "marks": marks, "min_tokens": 0}))
    }

    pub fn provider(&self) -> &'static str {
        self.0.profile.name
    }

    /// Shapes a prompt as the stages do; none if its dialect is not spoken here.
    pub fn shape(&self, prompt: &Prompt, beside: Beside<'_>) -> Option<Shaping> {
        let clients = prompt.model.as_ref().map_or("", |model| model.name.as_str());
        let model = self.0.model(clients);
        let accepts = self.0.accepts(prompt.dialect, model)?;
        let sets_key = self.0.cache_key == CacheKey::Set && accepts.key == Key::Field;
        let least = (self.0.profile.min_tokens)(model);
        let target = Target {
            accepts,
            policy: self.0.policy,
            min_tokens: self.0.min_tokens.unwrap_or(least),
            model: (model != clients).then_some(model),
            cache_key: sets_key.then_some(beside.key),
            scope_beta: beside.scope_beta,
            ask_usage: true,
        };
        Some(shape(prompt, &target))
    }

    /// Reads and shapes a body, and returns what leaves with the edits that made it; none if it is
    /// left alone.
    pub fn send(&self, dialect: Dialect, body: &[u8]) -> Option<(Vec<u8>, Shaping)> {
        let facts = read(dialect, &[body]).ok()?;
        let shaping = self.shape(&facts.prompt, Beside::default())?;
        let sent = apply(&[body], &shaping.edits).expect("the body is the one that was read");
        assert_eq!(shaping.length(facts.prompt.length), sent.len() as u64, "the length is told");
        Some((sent, shaping))
    }
}

/// Applies edits to a body that comes in these pieces.
pub fn apply(pieces: &[&[u8]], edits: &[Edit]) -> Result<Vec<u8>, String> {
    let mut splicer = Splicer::new(edits.to_vec());
    let mut out = Vec::new();
    for piece in pieces {
        let reach = splicer.reach(piece.len());
        let (head, rest) = piece.split_at(reach);
        if reach == 0 {
            splicer.pass(piece.len());
        } else {
            let head = splicer.splice(head, piece.len()).map_err(|error| error.to_string())?;
            out.extend_from_slice(&head);
        }
        out.extend_from_slice(rest);
    }
    if splicer.is_done() { Ok(out) } else { Err("edits are left over".to_owned()) }
}
