//! The way back: who served is noted, ids and the holder are learned, tokens are counted.

use std::rc::Rc;

use super::reading::{Ended, Reading, Told, Wire};
use super::{Asked, Route, State};
use crate::affinity::{Lifetimes, Memory, Pin, Served, Table, upstream_digest};
use crate::config::Upstream;
use crate::dialect::Dialect;
use crate::metrics::{self, Metric, Outcome};
use crate::provider;
use crate::stage::explain::Explanation;
use crate::stage::{
    Effect, End, Flow, Headers, Host, Plugin, Property, Step, count, note, seconds, without_ours,
};
use crate::usage::Counts;

/// An exchange whose answer comes.
pub(super) struct Answering {
    wire: Wire,
    /// Index of the upstream that served, if it is configured.
    upstream: Option<usize>,
    /// What to learn, and from whom; none where nothing is learned.
    lesson: Option<(Memory, Served)>,
    reading: Reading,
    /// Whether it was pinned to another upstream.
    is_moved: bool,
    /// How many ids of the answer have been learned.
    learned: usize,
    /// What the client is told, if it is told at the end.
    explained: Option<Explained>,
}

/// What of the explanation is known at the headers.
struct Explained {
    by: &'static str,
    pinned: Option<usize>,
    attempt: Option<note::Attempt>,
    attempts: u64,
}

/// Who served an exchange.
struct Server {
    /// Index in the configuration.
    upstream: Option<usize>,
    served: Option<Served>,
}

impl Route {
    pub fn response_headers(
        &mut self,
        headers: &Headers<'_>,
        end: End,
        host: &mut dyn Host,
    ) -> Step {
        let mut effects = without_ours(headers);
        let asked = match core::mem::replace(&mut self.state, State::Idle) {
            State::Asked(asked) => *asked,
            // An answer to a request that is still held is Envoy's own.
            _ => return Step::going_on(effects),
        };
        let answering = Answering::begin(asked, headers, end, &self.plugin, &mut effects, host);
        let flow = match answering.reading.holds_headers() {
            true if end == End::Open => Flow::Pause,
            _ => Flow::Continue,
        };
        self.state = State::Answering(Box::new(answering));
        self.answer_came(flow, end, effects, host)
    }

    pub fn response_body(&mut self, size: usize, end: End, host: &mut dyn Host) -> Step {
        let State::Answering(answering) = &mut self.state else { return Step::default() };
        let mut effects = Vec::new();
        let flow = answering.reading.read(size, &self.plugin, &mut effects, host);
        let ids = answering.reading.ids().get(answering.learned..).unwrap_or_default().to_vec();
        answering.learn(&ids, &self.plugin, &mut effects, host);
        self.answer_came(flow, end, effects, host)
    }

    /// The trailers are here: the body has ended.
    pub fn response_trailers(&mut self, host: &mut dyn Host) -> Step {
        self.answer_came(Flow::Continue, End::Closed, Vec::new(), host)
    }

    /// The exchange is over, however it ended. What was seen of it counts.
    pub fn done(&mut self, host: &mut dyn Host) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.finish(Ended::Early, &mut effects, host);
        effects
    }

    fn answer_came(
        &mut self,
        flow: Flow,
        end: End,
        mut effects: Vec<Effect>,
        host: &mut dyn Host,
    ) -> Step {
        match end {
            End::Open => Step { flow, effects },
            End::Closed => {
                self.finish(Ended::Whole, &mut effects, host);
                Step::going_on(effects)
            }
        }
    }

    /// Ends the exchange, once.
    fn finish(&mut self, ended: Ended, effects: &mut Vec<Effect>, host: &mut dyn Host) {
        let plugin = Rc::clone(&self.plugin);
        if let State::Answering(answering) = core::mem::replace(&mut self.state, State::Idle) {
            answering.finish(&plugin, ended, effects, host);
        }
    }
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
        let Asked { dialect, by, pin, is_stale, memory, hold, attempt } = asked;
        let is_good = headers.status().is_some_and(|status| (200..300).contains(&status));
        // What another filter shaped for is known from its note; in stage `both`, Envoy may have picked again.
        let (noted, attempt) = match attempt {
            Some(attempt) => (None, Some(attempt)),
            None => {
                let attempt: Option<note::Attempt> =
                    host.property(Property::Attempt).and_then(|bytes| note::read(&bytes));
                (attempt.as_ref().and_then(|attempt| attempt.upstream), attempt)
            }
        };
        let mut attempts = Attempts::default();
        let noted = noted.filter(|_| is_good && attempts.get(host) == Some(1));
        let Server { upstream, served } = noted
            .and_then(|noted| Server::noted(plugin, noted))
            .unwrap_or_else(|| Server::ask(plugin, host));
        effects.push(Effect::Count(Metric::Exchanges { upstream, by }, 1));
        effects.extend(outcomes(pin, is_stale, upstream).map(|outcome| Effect::Count(outcome, 1)));
        let wire = Wire {
            dialect,
            usage: configured(upstream, plugin)
                .map_or(provider::Usage::Standard, |upstream| upstream.profile.usage),
            asked_usage: attempt.as_ref().is_some_and(|attempt| attempt.asked_usage),
        };
        let mut answering = Self {
            wire,
            upstream,
            lesson: memory.zip(served).filter(|_| is_good),
            reading: Reading::Nothing,
            is_moved: pin.zip(upstream).is_some_and(|(pin, upstream)| pin.upstream != upstream),
            learned: 0,
            explained: None,
        };
        answering.learn_holder(attempt.as_ref(), plugin, effects, host);
        if is_good && end == End::Open {
            answering.reading = Reading::plan(headers, wire, hold, plugin, effects);
        }
        if plugin.config.explain {
            let attempts = attempts.get(host).unwrap_or(0);
            let pinned = pin.map(|pin| pin.upstream);
            let explained = Explained { by: by.name(), pinned, attempt, attempts };
            // Headers that are held can still tell the counts.
            if answering.reading.holds_headers() {
                answering.explained = Some(explained);
            } else {
                effects.push(answering.explain(&explained, Counts::default(), plugin));
            }
        }
        answering
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
        let ttl = ttl(self.wire.dialect, plugin);
        let Some((memory, served)) = &mut self.lesson else { return };
        let now = seconds(host.now_ms());
        let lifetimes = match (attempt, configured(self.upstream, plugin)) {
            (Some(attempt), _) => {
                Lifetimes { seconds: attempt.lifetime_seconds, hour_until: attempt.hour_until }
            }
            (None, Some(upstream)) => {
                let seconds = (upstream.profile.lifetime_seconds)("");
                Lifetimes { seconds, hour_until: 0 }
            }
            (None, None) => return,
        };
        let mut table = Table::new(host, config.affinity.entries, now);
        memory.learn_ids(&mut table, *served, ttl, now);
        memory.learn_prefix(&mut table, *served, lifetimes, now);
        count(metrics::of_table(table.events), effects);
        if let Some(issued) = memory.issue(keys, *served, now) {
            let name = config.affinity.issued_id_header.clone();
            effects.push(Effect::SetHeader(name.into(), issued.into_bytes()));
        }
    }

    /// Learns ids that the answer has told.
    fn learn(
        &mut self,
        ids: &[Vec<u8>],
        plugin: &Plugin,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) {
        let (Some((memory, served)), false) = (&self.lesson, ids.is_empty()) else { return };
        self.learned += ids.len();
        let now = seconds(host.now_ms());
        let ttl = ttl(self.wire.dialect, plugin);
        let mut table = Table::new(host, plugin.config.affinity.entries, now);
        for id in ids {
            memory.learn_answer(&plugin.keys, &mut table, *served, id, ttl, now);
        }
        count(metrics::of_table(table.events), effects);
    }

    /// Counts, learns, and writes what is still to be written.
    fn finish(
        mut self,
        plugin: &Plugin,
        ended: Ended,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) {
        let reading = core::mem::replace(&mut self.reading, Reading::Nothing);
        let Told { ids, items, counts } = reading.finish(self.wire, ended, effects, host);
        self.learn(ids.get(self.learned..).unwrap_or_default(), plugin, effects, host);
        self.learn(&items, plugin, effects, host);
        let upstream = self.upstream;
        count(metrics::of_tokens(upstream, &counts), effects);
        if let Some(price) = configured(upstream, plugin).and_then(|known| known.price) {
            count(metrics::of_savings(upstream, &counts, &price), effects);
        }
        if self.is_moved {
            // What a provider does not report as written it has processed all the same.
            let again = counts.write.or(counts.uncached).unwrap_or(0);
            count([(Metric::Moved { upstream }, again)].into_iter(), effects);
        }
        if let (true, Some((memory, _))) = (counts.tells_of_no_cache(), &mut self.lesson) {
            let now = seconds(host.now_ms());
            let mut table = Table::new(host, plugin.config.affinity.entries, now);
            memory.take_back(&mut table);
            count(metrics::of_table(table.events), effects);
        }
        if let (Some(explained), Ended::Whole) = (self.explained.take(), ended) {
            effects.push(self.explain(&explained, counts, plugin));
        }
    }

    fn explain(&self, explained: &Explained, counts: Counts, plugin: &Plugin) -> Effect {
        let name =
            |index| configured(index, plugin).map(|upstream: &Upstream| upstream.name.as_str());
        let explanation = Explanation {
            by: explained.by,
            upstream: name(self.upstream),
            pinned: name(explained.pinned),
            rules: explained.attempt.iter().flat_map(note::Attempt::rules).collect(),
            attempts: explained.attempts,
            counts,
        };
        Effect::SetHeader("x-warmpath".into(), explanation.write().into_bytes())
    }
}

impl Server {
    /// The one that the only attempt was shaped for, and that gave a good answer. One whose endpoint is to
    /// be remembered is asked for.
    fn noted(plugin: &Plugin, noted: u64) -> Option<Self> {
        let mut configured = plugin.config.upstreams.iter().enumerate();
        let (index, upstream) =
            configured.find(|(_, known)| upstream_digest(&known.name) == noted)?;
        let served = Served { upstream: noted, endpoint: None };
        (!upstream.pin_endpoint).then_some(Self { upstream: Some(index), served: Some(served) })
    }

    /// The one that Envoy names.
    fn ask(plugin: &Plugin, host: &dyn Host) -> Self {
        const NOBODY: Server = Server { upstream: None, served: None };
        // Without an endpoint nobody served: the answer is Envoy's own.
        let Some(address) = host.property(Property::Address) else { return NOBODY };
        let Some((index, upstream)) = plugin.serving(host) else { return NOBODY };
        let endpoint = core::str::from_utf8(&address).ok().and_then(|address| address.parse().ok());
        let served = Served {
            upstream: upstream_digest(&upstream.name),
            endpoint: endpoint.filter(|_| upstream.pin_endpoint),
        };
        Self { upstream: Some(index), served: Some(served) }
    }
}

/// How many attempts were made, asked for at most once.
#[derive(Default)]
struct Attempts(Option<Option<u64>>);

impl Attempts {
    fn get(&mut self, host: &dyn Host) -> Option<u64> {
        *self.0.get_or_insert_with(|| {
            let count = host.property(Property::Attempts)?;
            Some(u64::from_le_bytes(count.try_into().ok()?))
        })
    }
}

/// What became of the pin.
fn outcomes(
    pin: Option<Pin>,
    is_stale: bool,
    upstream: Option<usize>,
) -> impl Iterator<Item = Metric> {
    let pinned = pin.zip(upstream).map(|(pin, upstream)| {
        if pin.upstream == upstream { Outcome::Kept } else { Outcome::Moved }
    });
    is_stale.then_some(Outcome::Stale).into_iter().chain(pinned).map(Metric::Pins)
}

fn configured(upstream: Option<usize>, plugin: &Plugin) -> Option<&Upstream> {
    plugin.config.upstreams.get(upstream?)
}

/// How long ids of this dialect are remembered, in seconds.
fn ttl(dialect: Dialect, plugin: &Plugin) -> u32 {
    match dialect {
        Dialect::Objects => plugin.config.affinity.object_ttl_seconds,
        Dialect::Messages | Dialect::Chat | Dialect::Responses => {
            plugin.config.affinity.ttl_seconds
        }
    }
}
