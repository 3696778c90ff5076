//! The shape stage: makes one attempt legal and cacheable for the upstream that it really goes to.
//!
//! It works from the facts that the route stage left: the edits are known at the headers, so the
//! final length is set there and nothing is held. Only where there are no facts for the body that
//! comes does it hold and read by itself.

use std::rc::Rc;

use super::intake::{Intake, Progress};
use super::note::{self, Attempt, ConversationKey, bit};
use super::{
    Effect, End, Headers, Hold, Host, Plugin, Property, Step, USUAL_EFFECTS, WINDOW_BYTES,
    readable, skip, without_ours,
};
use crate::affinity::upstream_digest;
use crate::config::{CacheKey, Upstream};
use crate::dialect::Dialect;
use crate::metrics::{Metric, Skip};
use crate::prompt::{Prompt, Reader};
use crate::provider::{Accepts, Key};
use crate::shape::{Shaping, Target, shape};
use crate::splice::{Spliced, Splicer};

/// An attempt in the shape stage.
pub struct Shape {
    plugin: Rc<Plugin>,
    state: State,
}

enum State {
    /// Nothing to do, or nothing more.
    Idle,
    /// The headers went on; edits wait for the body.
    Splicing(Splicer),
    /// The headers are held, the body is being read.
    Held(Box<Held>),
}

struct Held {
    intake: Intake,
    /// Index of the upstream.
    upstream: usize,
    scope_beta: bool,
    key: Option<ConversationKey>,
}

/// A prompt, and the upstream to shape it for.
pub(super) struct Task<'t> {
    pub(super) prompt: &'t Prompt,
    /// From the route stage. Without one in front there is no key, and nobody who would take the
    /// usage of a stream out again for a client that has not asked for it.
    pub(super) key: Option<ConversationKey>,
    pub(super) upstream: Option<&'t Upstream>,
    pub(super) scope_beta: bool,
}

impl Shape {
    pub fn new(plugin: Rc<Plugin>) -> Self {
        Self { plugin, state: State::Idle }
    }

    /// Whether it is held with nothing of its body here, so that the clock may free it.
    pub fn waits(&self) -> bool {
        matches!(&self.state, State::Held(held) if held.intake.waits())
    }

    /// The clock freed it.
    pub fn freed(&mut self, at_ms: u64) {
        if let State::Held(held) = &mut self.state {
            held.intake.freed(at_ms);
        }
    }

    pub fn request_headers(
        &mut self,
        headers: &Headers<'_>,
        end: End,
        hold: Hold,
        host: &mut dyn Host,
    ) -> Step {
        let mut effects = without_ours(headers);
        let facts = host.property(Property::Request).and_then(|bytes| note::read(&bytes));
        let key = match facts {
            Some(note::Request::LeftAlone) => return Step::going_on(effects),
            Some(note::Request::Unheld) => {
                effects.push(skip(Skip::Unheld));
                return Step::going_on(effects);
            }
            Some(note::Request::Prompt(prompt, key)) => {
                if is_of(&prompt, headers, host) {
                    let plugin = Rc::clone(&self.plugin);
                    let task = Task {
                        prompt: &prompt,
                        key: Some(key),
                        upstream: plugin.serving(host).map(|(_, upstream)| upstream),
                        scope_beta: has_scope_beta(headers),
                    };
                    self.shape_unread(&task, headers, &mut effects);
                    return Step::going_on(effects);
                }
                Some(key)
            }
            None => None,
        };
        self.hold(headers, end, hold, key, effects, host)
    }

    /// Shapes from the facts: now, and without reading.
    fn shape_unread(&mut self, task: &Task<'_>, headers: &Headers<'_>, effects: &mut Vec<Effect>) {
        let (shaping, attempt) = plan(task, effects);
        let header = affinity_header(task);
        // Nobody but an earlier attempt knows the key that it told.
        let told = task.key.and_then(|key| headers.named(|value| key.is(value)));
        if let Some(told) = told
            && header.as_ref().is_none_or(|(name, _)| name.as_bytes() != told)
        {
            effects.push(Effect::RemoveHeader(String::from_utf8_lossy(told).into_owned().into()));
        }
        if let Some((name, value)) = header
            && headers.get(name).is_none()
        {
            effects.push(Effect::SetHeader(name.into(), value.into_bytes()));
        }
        if headers.content_length() != Some(attempt.length) {
            let length = attempt.length.to_string().into_bytes();
            effects.push(Effect::SetHeader("content-length".into(), length));
        }
        effects.push(Effect::SetProperty(Property::Attempt, note::write(&attempt)));
        if !shaping.edits.is_empty() {
            self.state = State::Splicing(Splicer::new(shaping.edits));
        }
    }

    /// Holds the request to read it here.
    fn hold(
        &mut self,
        headers: &Headers<'_>,
        end: End,
        hold: Hold,
        key: Option<ConversationKey>,
        mut effects: Vec<Effect>,
        host: &dyn Host,
    ) -> Step {
        let method = headers.get(":method").unwrap_or_default();
        let path = headers.get(":path").unwrap_or_default();
        let Some(dialect) = Dialect::recognise(method, path, &[]) else {
            return Step::going_on(effects);
        };
        let limits = &self.plugin.config.limits;
        let readable = readable(dialect, headers, end, hold, limits);
        match (readable, self.plugin.serving(host)) {
            (Ok(()), Some((upstream, _))) => {
                let reader = Reader::new(dialect, [].into());
                let limit = limits.request_body_bytes;
                let intake = Intake::new(reader, headers.content_length(), limit);
                let held = Held { intake, upstream, scope_beta: has_scope_beta(headers), key };
                self.state = State::Held(Box::new(held));
                Step::held(effects)
            }
            (Ok(()), None) => {
                effects.push(skip(Skip::UnknownUpstream));
                Step::going_on(effects)
            }
            (Err(reason), _) => {
                effects.extend(reason.map(skip));
                Step::going_on(effects)
            }
        }
    }

    /// More of the body is here: `size` bytes, all that are held or the next piece.
    pub fn request_body(&mut self, size: usize, end: End, host: &mut dyn Host) -> Step {
        match &mut self.state {
            State::Idle => Step::default(),
            State::Held(held) => {
                let progress = held.intake.body(size, end, host);
                self.progress(progress, host)
            }
            State::Splicing(splicer) => {
                let step = splice(splicer, size, host);
                if splicer.is_done() || end == End::Closed {
                    self.state = State::Idle;
                }
                step
            }
        }
    }

    /// The trailers are here: the body has ended.
    pub fn request_trailers(&mut self, host: &mut dyn Host) -> Step {
        let State::Held(held) = &mut self.state else { return Step::default() };
        let progress = held.intake.ended();
        self.progress(progress, host)
    }

    fn progress(&mut self, progress: Progress, host: &mut dyn Host) -> Step {
        if matches!(progress, Progress::More) {
            return Step::held(Vec::new());
        }
        let State::Held(held) = core::mem::replace(&mut self.state, State::Idle) else {
            return Step::default();
        };
        let mut effects = Vec::with_capacity(USUAL_EFFECTS);
        match progress {
            Progress::More => {}
            Progress::Whole(findings) => {
                let task = Task {
                    prompt: &findings.prompt,
                    key: held.key,
                    upstream: self.plugin.config.upstreams.get(held.upstream),
                    scope_beta: held.scope_beta,
                };
                // What the headers tell may be the length of the attempt before.
                let told = held.intake.content_length();
                let attempt = shape_held(&task, told, &mut effects, host);
                effects.push(Effect::SetProperty(Property::Attempt, note::write(&attempt)));
            }
            Progress::Trouble(reason) => effects.push(skip(reason)),
            Progress::Late => effects.push(skip(Skip::LateBody)),
            Progress::Unheld => effects.extend([skip(Skip::Unheld), Effect::TellUnheld]),
        }
        Step::going_on(effects)
    }
}

/// Whether the facts are those of the body that comes: its length is theirs, or what an earlier
/// attempt made of it.
fn is_of(prompt: &Prompt, headers: &Headers<'_>, host: &dyn Host) -> bool {
    let given = u64::from(prompt.length);
    headers.content_length().is_some_and(|length| {
        // Each property costs a call, and most requests have one attempt.
        length == given
            || host
                .property(Property::Attempt)
                .and_then(|bytes| note::read(&bytes))
                .is_some_and(|before: Attempt| before.length == length && before.given == given)
    })
}

/// Shapes for the upstream, counts what that did, and notes it.
fn plan(task: &Task<'_>, effects: &mut Vec<Effect>) -> (Shaping, Attempt) {
    let Task { prompt, key, upstream, scope_beta } = *task;
    let unshaped = |reason, effects: &mut Vec<Effect>| {
        effects.push(skip(reason));
        let length = u64::from(prompt.length);
        let attempt = Attempt { length, given: length, ..Attempt::default() };
        (Shaping::default(), attempt)
    };
    let Some(upstream) = upstream else { return unshaped(Skip::UnknownUpstream, effects) };
    let clients = prompt.model.as_ref().map_or("", |model| model.name.as_str());
    let model = upstream.model(clients);
    let Some(accepts) = upstream.accepts(prompt.dialect, model) else {
        return unshaped(Skip::Dialect, effects);
    };
    let sets_key = upstream.cache_key == CacheKey::Set && accepts.key == Key::Field;
    let cache_key = key.filter(|_| sets_key).map(ConversationKey::text);
    let profile = upstream.profile;
    let target = Target {
        accepts,
        policy: upstream.policy,
        min_tokens: upstream.min_tokens.unwrap_or_else(|| (profile.min_tokens)(model)),
        model: (model != clients).then_some(model),
        cache_key: cache_key.as_deref(),
        scope_beta,
        ask_usage: key.is_some(),
    };
    let shaping = shape(prompt, &target);
    let mut rules = 0;
    for rule in &shaping.rules {
        rules |= bit(*rule);
        effects.push(Effect::Count(Metric::Edits(*rule), 1));
    }
    let attempt = Attempt {
        length: shaping.length(prompt.length),
        given: u64::from(prompt.length),
        rules,
        asked_usage: shaping.asked_usage,
        lifetime_seconds: lifetime(prompt, &accepts)
            .unwrap_or_else(|| (profile.lifetime_seconds)(model)),
        hour_until: shaping.hour_until,
        upstream: Some(upstream_digest(&upstream.name)),
    };
    (shaping, attempt)
}

/// The lifetime, in seconds, that a top-level member asks for, where the upstream takes that.
fn lifetime(prompt: &Prompt, accepts: &Accepts) -> Option<u32> {
    use crate::dialect::FieldKind;
    prompt
        .fields
        .iter()
        .filter(|field| match field.kind {
            FieldKind::CacheKey => false,
            FieldKind::CacheRetention => accepts.cache_retention,
            FieldKind::CacheOptions => accepts.cache_options,
        })
        .find_map(|field| field.ttl?.seconds())
}

/// The header that makes follow-ups reach the same cache, where the upstream takes one.
fn affinity_header(task: &Task<'_>) -> Option<(&'static str, String)> {
    let Task { prompt, key, upstream, .. } = *task;
    let upstream = upstream.filter(|upstream| upstream.cache_key == CacheKey::Set)?;
    let model = prompt.model.as_ref().map_or("", |model| model.name.as_str());
    match upstream.accepts(prompt.dialect, upstream.model(model))?.key {
        Key::Header(name) => Some((name, key?.text())),
        Key::None | Key::Field => None,
    }
}

/// Shapes a request that is held with all of its body; `told` is the length in its headers. Returns what was done.
pub(super) fn shape_held(
    task: &Task<'_>,
    told: Option<u64>,
    effects: &mut Vec<Effect>,
    host: &mut dyn Host,
) -> Attempt {
    let (shaping, attempt) = plan(task, effects);
    if told != Some(attempt.length) {
        let length = attempt.length.to_string().into_bytes();
        effects.push(Effect::SetHeader("content-length".into(), length));
    }
    if !shaping.edits.is_empty() {
        let mut splicer = Splicer::new(shaping.edits);
        effects.extend(splice(&mut splicer, task.prompt.length as usize, host).effects);
    }
    attempt
}

/// Applies the edits that reach into the next `size` bytes.
fn splice(splicer: &mut Splicer, size: usize, host: &mut dyn Host) -> Step {
    let reach = splicer.reach(size);
    if reach == 0 {
        splicer.pass(size);
        return Step::default();
    }
    let mut head = host.window(0, reach).unwrap_or_default();
    match splicer.splice_behind(&head, size) {
        Ok(Spliced { kept, mut rest }) if head.len() == reach => {
            head.truncate(kept);
            if kept < WINDOW_BYTES {
                head.append(&mut rest);
                return Step::going_on(vec![Effect::ReplaceBody { length: reach, bytes: head }]);
            }
            // A second call is cheaper than a copy of all that stays.
            Step::going_on(vec![
                Effect::ReplaceBody { length: reach, bytes: rest },
                Effect::ReplaceBody { length: 0, bytes: head },
            ])
        }
        other => {
            let told = other.err().map_or_else(String::new, |mismatch| format!(": {mismatch}"));
            let body = format!("warmpath: the request's body changed on its way{told}\n");
            Step::held(vec![skip(Skip::BodyChanged), Effect::Reply { status: 502, body }])
        }
    }
}

/// Whether a request has the beta header that lets marks carry a scope.
pub(super) fn has_scope_beta(headers: &Headers<'_>) -> bool {
    let beta = headers.get("anthropic-beta").unwrap_or_default();
    beta.split(|byte| *byte == b',').any(|beta| beta.trim_ascii().starts_with(SCOPE_BETA))
}

/// Every version of the beta (Claude Code, docs of the LLM gateway protocol, read 2026-08).
const SCOPE_BETA: &[u8] = b"prompt-caching-scope-";
