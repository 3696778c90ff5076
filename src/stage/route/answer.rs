//! The way back: who served is noted, ids and the holder are learned, usage is read and rewritten.

use std::rc::Rc;

use super::{Asked, Route, State};
use crate::affinity::{Lifetimes, Memory, Served, Table, upstream_digest};
use crate::dialect::Dialect;
use crate::metrics::{self, Metric, Outcome, Skip};
use crate::provider::{self, Profile};
use crate::splice::{Edit, Splicer};
use crate::stage::explain::Explanation;
use crate::stage::{
    Effect, End, Headers, Hold, Host, Plugin, Property, Step, WINDOW_BYTES, count, note, seconds,
    skip,
};
use crate::usage::{self, Body, Counts, Purpose, Raw, Stream};

/// An exchange whose answer comes.
pub(super) struct Answering {
    dialect: Dialect,
    /// Index of the upstream that served, if it is configured.
    upstream: Option<usize>,
    served: Option<Served>,
    memory: Option<Memory>,
    reading: AnswerReading,
    /// How many ids of the answer have been learned.
    learned: usize,
    /// The header that waits for the counts.
    explanation: Option<Explained>,
}

/// How an answer is read.
enum AnswerReading {
    /// Not at all: an error, or nothing that could be understood.
    Nothing,
    /// JSON that passes.
    Passing(Body),
    /// JSON that is held to its end, to write its usage back; its headers too, where that works.
    Held(Body, Hold),
    /// Events, as they pass.
    Events(Box<Stream>),
}

/// What of the explanation is known at the headers.
struct Explained {
    by: &'static str,
    pinned: Option<usize>,
    attempt: Option<note::Attempt>,
    attempts: u64,
}

impl Route {
    pub fn response_headers(
        &mut self,
        headers: &Headers<'_>,
        end: End,
        host: &mut dyn Host,
    ) -> Step {
        let mut effects: Vec<Effect> =
            headers.ours().map(|name| Effect::RemoveHeader(name.into())).collect();
        let asked = match core::mem::replace(&mut self.state, State::Idle) {
            State::Asked(asked) => *asked,
            // An answer to a request that is still held is Envoy's own.
            _ => return Step::going_on(effects),
        };
        let plugin = Rc::clone(&self.plugin);
        let answer = Answering::begin(asked, headers, end, &plugin, &mut effects, host);
        let holds = answer.holds_headers();
        self.state = State::Answering(Box::new(answer));
        match (end, holds) {
            (End::Closed, _) => {
                self.answer_ended(&mut effects, host);
                Step::going_on(effects)
            }
            (End::Open, true) => Step::held(effects),
            (End::Open, false) => Step::going_on(effects),
        }
    }

    pub fn response_body(&mut self, size: usize, end: End, host: &mut dyn Host) -> Step {
        let State::Answering(answer) = &mut self.state else { return Step::default() };
        let mut effects = Vec::new();
        let limit = self.plugin.config.limits.response_body_bytes as usize;
        let flow_is_held = answer.read(size, limit, &mut effects, host);
        answer.learn_ids(&self.plugin, &mut effects, host);
        match (end, flow_is_held) {
            (End::Open, true) => Step::held(effects),
            (End::Open, false) => Step::going_on(effects),
            (End::Closed, _) => {
                self.answer_ended(&mut effects, host);
                Step::going_on(effects)
            }
        }
    }

    /// The trailers are here: the body has ended.
    pub fn response_trailers(&mut self, host: &mut dyn Host) -> Step {
        let mut effects = Vec::new();
        self.answer_ended(&mut effects, host);
        Step::going_on(effects)
    }

    /// The exchange is over, however it ended. What was seen of it counts.
    pub fn done(&mut self, host: &mut dyn Host) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let State::Answering(answer) = core::mem::replace(&mut self.state, State::Idle) {
            let plugin = Rc::clone(&self.plugin);
            answer.finish(&plugin, Ended::Early, &mut effects, host);
        }
        effects
    }

    fn answer_ended(&mut self, effects: &mut Vec<Effect>, host: &mut dyn Host) {
        if let State::Answering(answer) = core::mem::replace(&mut self.state, State::Idle) {
            let plugin = Rc::clone(&self.plugin);
            answer.finish(&plugin, Ended::Whole, effects, host);
        }
    }
}

/// How an answer ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Whole,
    /// The client or the upstream went away; nothing can be written any more.
    Early,
}

impl Answering {
    fn begin(
        asked: Asked,
        headers: &Headers<'_>,
        end: End,
        plugin: &Plugin,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) -> Self {
        let config = &plugin.config;
        let address = host.property(Property::Address);
        // Without an endpoint nobody served: the answer is Envoy's own.
        let name = address.as_ref().and_then(|_| {
            host.property(Property::Upstream)
                .filter(|name| !name.is_empty())
                .or_else(|| host.property(Property::Cluster))
        });
        let upstream = name.and_then(|name| config.upstream(&name)).map(|(index, _)| index);
        let Asked { dialect, by, pin, is_stale, memory, hold, attempt } = asked;
        effects.push(Effect::Count(Metric::Exchanges { upstream, by }, 1));
        if is_stale {
            effects.push(Effect::Count(Metric::Pins(Outcome::Stale), 1));
        }
        if let (Some(pin), Some(upstream)) = (pin, upstream) {
            let outcome = if pin.upstream == upstream { Outcome::Kept } else { Outcome::Moved };
            effects.push(Effect::Count(Metric::Pins(outcome), 1));
        }
        let attempt = attempt.or_else(|| note::read(&host.property(Property::Attempt)?));
        let attempts = host
            .property(Property::Attempts)
            .and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)))
            .unwrap_or(0);
        let served = upstream.and_then(|index| config.upstreams.get(index)).map(|known| Served {
            upstream: upstream_digest(&known.name),
            endpoint: address
                .filter(|_| known.pin_endpoint)
                .and_then(|address| core::str::from_utf8(&address).ok()?.parse().ok()),
        });
        let is_good = headers.status().is_some_and(|status| (200..300).contains(&status));
        let mut answer = Self {
            dialect,
            upstream,
            served: served.filter(|_| is_good),
            memory: memory.filter(|_| is_good),
            reading: AnswerReading::Nothing,
            learned: 0,
            explanation: None,
        };
        answer.learn_holder(attempt.as_ref(), plugin, effects, host);
        let asked_usage = attempt.as_ref().is_some_and(|attempt| attempt.asked_usage);
        if is_good && end == End::Open {
            answer.reading = answer.plan(headers, asked_usage, hold, plugin, effects);
        }
        if config.explain {
            let pinned = pin.map(|pin| pin.upstream);
            let explained = Explained { by: by.name(), pinned, attempt, attempts };
            // Headers that are held can still tell the counts.
            if answer.holds_headers() {
                answer.explanation = Some(explained);
            } else {
                answer.explain(&explained, Counts::default(), plugin, effects);
            }
        }
        answer
    }

    /// A good answer has begun: its ids, session and prefix are there from now on.
    fn learn_holder(
        &mut self,
        attempt: Option<&note::Attempt>,
        plugin: &Plugin,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) {
        let Plugin { config, keys, .. } = plugin;
        let (Some(served), Some(memory)) = (self.served, &mut self.memory) else { return };
        let now = seconds(host.now_ms());
        let profile = profile(self.upstream, plugin);
        let lifetimes = Lifetimes {
            seconds: match attempt {
                Some(attempt) => attempt.lifetime_seconds,
                None => profile.map_or(0, |profile| (profile.lifetime_seconds)("")),
            },
            hour_until: attempt.map_or(0, |attempt| attempt.hour_until),
        };
        let mut table = Table::new(host, config.affinity.entries, now);
        memory.learn_ids(&mut table, served, ttl(self.dialect, plugin), now);
        memory.learn_prefix(&mut table, served, lifetimes, now);
        count(metrics::of_table(table.events), effects);
        if let Some(issued) = memory.issue(keys, served, now) {
            let name = config.affinity.issued_id_header.clone();
            effects.push(Effect::SetHeader(name.into(), issued.into_bytes()));
        }
    }

    /// How the answer is to be read.
    fn plan(
        &self,
        headers: &Headers<'_>,
        asked_usage: bool,
        hold: Hold,
        plugin: &Plugin,
        effects: &mut Vec<Effect>,
    ) -> AnswerReading {
        let is_events = headers.is_event_stream();
        if !is_events && !headers.is_json() {
            return AnswerReading::Nothing;
        }
        if headers.is_encoded() {
            effects.push(skip(Skip::AnswerEncoded));
            return AnswerReading::Nothing;
        }
        let rewrites = plugin.config.usage.rewrite && usage::is_rewritten(self.dialect);
        if is_events {
            let purpose = match (rewrites, asked_usage) {
                // A chunk that the client did not ask for must not reach it, rewritten or not.
                (_, true) => Purpose::RewriteAndSwallow,
                (true, false) => Purpose::Rewrite,
                (false, false) => Purpose::Read,
            };
            let usage = convention(self.upstream, plugin);
            let stream = Box::new(Stream::new(self.dialect, usage, purpose));
            if rewrites || asked_usage {
                effects.push(Effect::RemoveHeader("content-length".into()));
            }
            return AnswerReading::Events(stream);
        }
        let limit = u64::from(plugin.config.limits.response_body_bytes);
        match headers.content_length() {
            _ if !rewrites => AnswerReading::Passing(Body::default()),
            Some(length) if length > limit => {
                effects.push(skip(Skip::AnswerTooLarge));
                AnswerReading::Passing(Body::default())
            }
            _ => {
                // Where nobody has seen that headers can be held, they go, and without a length.
                if hold != Hold::Works {
                    effects.push(Effect::RemoveHeader("content-length".into()));
                }
                AnswerReading::Held(Body::default(), hold)
            }
        }
    }

    fn holds_headers(&self) -> bool {
        matches!(self.reading, AnswerReading::Held(_, Hold::Works))
    }

    /// Reads what is new of a body; whether it is held.
    fn read(
        &mut self,
        size: usize,
        limit: usize,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) -> bool {
        match &mut self.reading {
            AnswerReading::Nothing => false,
            AnswerReading::Passing(body) => {
                push(body, 0, size, host);
                false
            }
            AnswerReading::Held(body, _) => {
                push(body, body.offset(), size, host);
                let too_large = size > limit;
                if too_large {
                    effects.push(skip(Skip::AnswerTooLarge));
                    self.reading = AnswerReading::Passing(core::mem::take(body));
                }
                !too_large
            }
            AnswerReading::Events(stream) => {
                let chunk = host.window(0, size).unwrap_or_default();
                if let Some(bytes) = stream.push(&chunk) {
                    effects.push(Effect::ReplaceBody { length: size, bytes });
                }
                false
            }
        }
    }

    /// Learns the ids that an answer has told by now.
    fn learn_ids(&mut self, plugin: &Plugin, effects: &mut Vec<Effect>, host: &mut dyn Host) {
        let AnswerReading::Events(stream) = &self.reading else { return };
        let ids = stream.ids().get(self.learned..).unwrap_or_default().to_vec();
        self.learn(&ids, plugin, effects, host);
    }

    fn learn(
        &mut self,
        ids: &[Vec<u8>],
        plugin: &Plugin,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) {
        let (Some(served), Some(memory), false) = (self.served, &self.memory, ids.is_empty())
        else {
            return;
        };
        self.learned += ids.len();
        let now = seconds(host.now_ms());
        let ttl = ttl(self.dialect, plugin);
        let mut table = Table::new(host, plugin.config.affinity.entries, now);
        for id in ids {
            memory.learn_answer(&plugin.keys, &mut table, served, id, ttl, now);
        }
        count(metrics::of_table(table.events), effects);
    }

    /// Counts, learns, and writes what is still to be written; once.
    fn finish(
        mut self,
        plugin: &Plugin,
        ended: Ended,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) {
        let usage = convention(self.upstream, plugin);
        let reading = core::mem::replace(&mut self.reading, AnswerReading::Nothing);
        let counts = match reading {
            AnswerReading::Nothing => Counts::default(),
            AnswerReading::Passing(body) => {
                let (answer, _) = body.finish(self.dialect, usage);
                self.learn(&answer.ids, plugin, effects, host);
                self.counts(&answer.raw, usage)
            }
            AnswerReading::Held(body, hold) => {
                let length = body.offset();
                let (answer, edit) = body.finish(self.dialect, usage);
                self.learn(&answer.ids, plugin, effects, host);
                let edit = edit.filter(|_| ended == Ended::Whole);
                if let Some(edit) = edit {
                    write_back(edit, length, hold, effects, host);
                }
                self.counts(&answer.raw, usage)
            }
            AnswerReading::Events(mut stream) => {
                let rest = stream.finish();
                if !rest.is_empty() && ended == Ended::Whole {
                    append(rest, effects);
                }
                let ids = stream.ids().get(self.learned..).unwrap_or_default().to_vec();
                self.learn(&ids, plugin, effects, host);
                self.counts(stream.raw(), usage)
            }
        };
        count(metrics::of_tokens(self.upstream, &counts), effects);
        if counts.tells_of_no_cache()
            && let Some(memory) = &mut self.memory
        {
            let now = seconds(host.now_ms());
            let mut table = Table::new(host, plugin.config.affinity.entries, now);
            memory.take_back(&mut table);
            count(metrics::of_table(table.events), effects);
        }
        if let Some(explained) = self.explanation.take()
            && ended == Ended::Whole
        {
            self.explain(&explained, counts, plugin, effects);
        }
    }

    fn counts(&self, raw: &Raw, usage: provider::Usage) -> Counts {
        raw.counts(self.dialect, usage)
    }

    fn explain(
        &self,
        explained: &Explained,
        counts: Counts,
        plugin: &Plugin,
        effects: &mut Vec<Effect>,
    ) {
        let name = |index: Option<usize>| {
            index
                .and_then(|index| plugin.config.upstreams.get(index))
                .map(|known| known.name.as_str())
        };
        let explanation = Explanation {
            by: explained.by,
            upstream: name(self.upstream),
            pinned: name(explained.pinned),
            rules: explained.attempt.iter().flat_map(note::Attempt::rules).collect(),
            attempts: explained.attempts,
            counts,
        };
        let value = explanation.write().into_bytes();
        effects.push(Effect::SetHeader("x-warmpath".into(), value));
    }
}

/// Reads the bytes `from..size` of the body that is here.
fn push(body: &mut Body, mut from: usize, size: usize, host: &mut dyn Host) {
    while from < size {
        let window = host.window(from, WINDOW_BYTES.min(size - from)).unwrap_or_default();
        if window.is_empty() {
            return;
        }
        from += window.len();
        body.push(&window);
    }
}

/// Writes the usage of a held answer of `length` bytes back, and its length if that can be told.
fn write_back(
    edit: Edit,
    length: usize,
    hold: Hold,
    effects: &mut Vec<Effect>,
    host: &mut dyn Host,
) {
    let mut splicer = Splicer::new(vec![edit]);
    let reach = splicer.reach(length);
    let head = host.window(0, reach).unwrap_or_default();
    if head.len() != reach {
        return;
    }
    let Ok(bytes) = splicer.splice(&head, length) else { return };
    if hold == Hold::Works {
        let length = (length - reach + bytes.len()).to_string().into_bytes();
        effects.push(Effect::SetHeader("content-length".into(), length));
    }
    effects.push(Effect::ReplaceBody { length: reach, bytes });
}

/// Adds bytes behind those of this callback, whatever else is done to them.
fn append(mut rest: Vec<u8>, effects: &mut Vec<Effect>) {
    for effect in effects.iter_mut() {
        if let Effect::ReplaceBody { bytes, .. } = effect {
            bytes.append(&mut rest);
            return;
        }
    }
    effects.push(Effect::ReplaceBody { length: 0, bytes: rest });
}

fn profile(upstream: Option<usize>, plugin: &Plugin) -> Option<&'static Profile> {
    plugin.config.upstreams.get(upstream?).map(|known| known.profile)
}

/// How the upstream that served counts.
fn convention(upstream: Option<usize>, plugin: &Plugin) -> provider::Usage {
    profile(upstream, plugin).map_or(provider::Usage::Standard, |profile| profile.usage)
}

/// How long ids of this dialect are remembered, in seconds.
fn ttl(dialect: Dialect, plugin: &Plugin) -> u32 {
    match dialect {
        Dialect::Objects => plugin.config.affinity.object_ttl_seconds,
        _ => plugin.config.affinity.ttl_seconds,
    }
}
