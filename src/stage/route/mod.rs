//! The route stage: holds a request until its prompt is read, pins it, and learns from its answer.
//!
//! It never edits a request's body; in stage `both`, where no shape stage follows, the request is
//! shaped right before it goes on.

mod answer;
mod hints;
mod reading;

use std::rc::Rc;

use super::intake::{Intake, Progress};
use super::note::{self, ConversationKey};
use super::shape::{Task, has_scope_beta, shape_held};
use super::{
    Effect, End, Headers, Hold, Host, Plugin, Property, Step, USUAL_EFFECTS, count, readable,
    seconds, skip, without_ours,
};
use crate::affinity::{self, By, Choice, Memory, Pin, Request, Strength, Table};
use crate::config::Stage;
use crate::dialect::Dialect;
use crate::metrics::{self, Skip};
use crate::prompt::{Findings, Reader};

use answer::Answering;
use hints::{Hints, Wish};

/// An exchange in the route stage.
pub struct Route {
    plugin: Rc<Plugin>,
    state: State,
}

enum State {
    /// No exchange of ours, or nothing more to do.
    Idle,
    /// Its headers are held, its body comes.
    Held(Box<Held>),
    /// It went on.
    Asked(Box<Asked>),
    /// Its answer comes.
    Answering(Box<Answering>),
}

struct Held {
    hints: Hints,
    intake: Intake,
    scope_beta: bool,
}

/// What is known of an exchange that went on.
struct Asked {
    dialect: Dialect,
    by: By,
    pin: Option<Pin>,
    is_stale: bool,
    memory: Option<Memory>,
    /// Whether the host was seen to hold its request.
    hold: Hold,
    /// What was done to its body, in stage `both`.
    attempt: Option<note::Attempt>,
}

impl Route {
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
        let config = &self.plugin.config;
        let mut effects = without_ours(headers);
        let method = headers.get(":method").unwrap_or_default();
        let path = headers.get(":path").unwrap_or_default();
        let dialect = Dialect::recognise(method, path, &config.affinity.object_paths);
        let Some(dialect) = dialect else { return Step::going_on(effects) };
        let readable = readable(dialect, headers, end, hold, &config.limits);
        if let Err(Some(reason @ Skip::ContentType)) = readable {
            // No prompt, whatever its path says.
            effects.extend([skip(reason), left_alone()]);
            return Step::going_on(effects);
        }
        let hints = Hints::read(dialect, headers, &config.affinity, &self.plugin.keys);
        // How an object is downloaded is the client's business; all else is read on its way back.
        let is_read = dialect != Dialect::Objects || method == b"POST";
        if is_read && headers.get("accept-encoding").is_some() {
            effects.push(Effect::RemoveHeader("accept-encoding".into()));
        }
        match readable {
            Ok(()) => {
                let reader = Reader::new(dialect, self.plugin.id_names.clone());
                let limit = config.limits.request_body_bytes;
                let intake = Intake::new(reader, headers.content_length(), limit);
                let held = Held { hints, intake, scope_beta: has_scope_beta(headers) };
                self.state = State::Held(Box::new(held));
                Step::held(effects)
            }
            Err(reason) => {
                self.leave_alone(&hints, reason, hold, &mut effects, host);
                Step::going_on(effects)
            }
        }
    }

    /// More of the body is here, `size` bytes in all that are held.
    pub fn request_body(&mut self, size: usize, end: End, host: &mut dyn Host) -> Step {
        let State::Held(held) = &mut self.state else { return Step::default() };
        let progress = held.intake.body(size, end, host);
        self.progress(progress, host)
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
            Progress::Whole(findings) => self.whole(*held, *findings, &mut effects, host),
            Progress::Trouble(reason) => {
                self.leave_alone(&held.hints, Some(reason), Hold::Works, &mut effects, host);
            }
            Progress::Late | Progress::Unheld => {
                let unheld = matches!(progress, Progress::Unheld);
                effects.push(skip(if unheld { Skip::Unheld } else { Skip::LateBody }));
                effects.extend(unheld.then_some(Effect::TellUnheld));
                self.go_on_late(&held.hints, host);
            }
        }
        Step::going_on(effects)
    }

    /// All of the body is read.
    fn whole(
        &mut self,
        held: Held,
        findings: Findings,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) {
        let dialect = held.hints.dialect;
        let key = self.decide(&held.hints, Some(&findings), Hold::Works, effects, host);
        let plugin = Rc::clone(&self.plugin);
        let State::Asked(asked) = &mut self.state else { return };
        let told = held.intake.content_length();
        if plugin.config.stage != Stage::Both || dialect == Dialect::Objects {
            let length = u64::from(findings.prompt.length);
            if told != Some(length) {
                effects.push(Effect::SetHeader("content-length".into(), length.to_string().into()));
            }
            if dialect != Dialect::Objects {
                let note = note::Request::Prompt(findings.prompt, key);
                effects.push(Effect::SetProperty(Property::Request, note::write(&note)));
            }
            return;
        }
        let upstream = match asked.pin {
            Some(pin) => plugin.config.upstreams.get(pin.upstream),
            None => plugin.routed(host),
        };
        let task = Task {
            prompt: &findings.prompt,
            key: Some(key),
            upstream,
            scope_beta: held.scope_beta,
        };
        asked.attempt = Some(shape_held(&task, told, effects, host));
    }

    /// The body goes on unread; what the headers say still counts.
    fn leave_alone(
        &mut self,
        hints: &Hints,
        reason: Option<Skip>,
        hold: Hold,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) {
        effects.extend(reason.map(skip));
        let note = match reason {
            Some(Skip::Unheld) => note::Request::Unheld,
            _ => note::Request::LeftAlone,
        };
        effects.push(Effect::SetProperty(Property::Request, note::write(&note)));
        self.decide(hints, None, hold, effects, host);
    }

    /// The request went on before its body came: too late for a pin, not for learning.
    fn go_on_late(&mut self, hints: &Hints, host: &mut dyn Host) {
        self.decide(hints, None, Hold::Unknown, &mut Vec::new(), host);
        if let State::Asked(asked) = &mut self.state {
            asked.pin = None;
            asked.by = By::None;
        }
    }

    /// Chooses, and says so to Envoy's routes. Returns the key of the conversation.
    fn decide(
        &mut self,
        hints: &Hints,
        findings: Option<&Findings>,
        hold: Hold,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) -> ConversationKey {
        let Plugin { config, keys, .. } = &*self.plugin;
        let model = findings.and_then(|findings| findings.prompt.model.as_ref());
        let model = model.map_or("", |model| model.name.as_str());
        let prefix =
            findings.filter(|_| hints.dialect != Dialect::Objects).map(|findings| &findings.prefix);
        let opener = prefix.map(|prefix| affinity::opener(&hints.caller, model, prefix));
        let mut asked = Asked {
            dialect: hints.dialect,
            by: By::Off,
            pin: None,
            is_stale: false,
            memory: None,
            hold,
            attempt: None,
        };
        if hints.affinity == Wish::Pin {
            let request = Request {
                dialect: hints.dialect,
                caller: hints.caller,
                model,
                request_id: hints.request_id.as_deref(),
                response_id: hints.response_id.as_deref(),
                path: &hints.path,
                fields: findings.map_or(&[], |findings| &findings.ids),
                items: findings.map_or(&[], |findings| &findings.items),
                sessions: &hints.sessions,
                prefix,
            };
            let now = seconds(host.now_ms());
            let mut table = Table::new(host, config.affinity.entries, now);
            let Choice { pin, is_stale, memory } =
                affinity::choose(&request, config, keys, &mut table, now);
            count(metrics::of_table(table.events), effects);
            asked.by = pin.map_or(By::None, |pin| pin.by);
            asked.pin = pin;
            asked.is_stale = is_stale;
            asked.memory = Some(memory);
        }
        if let Some(pin) = asked.pin {
            self.route_to(pin, effects);
        }
        // Without a pin, one filter that does both shapes for the upstream that Envoy has picked by
        // now. Nothing may make it pick again: what came of that is not shown to the same filter.
        if config.stage != Stage::Both || asked.pin.is_some() || prefix.is_none() {
            tell(hints.dialect, model, opener, effects);
        }
        self.state = State::Asked(Box::new(asked));
        // A session says more than how its conversation began: agents have several in one.
        let session = hints.sessions.first().map(|id| affinity::session(&hints.caller, id));
        ConversationKey(session.or(opener).unwrap_or_default())
    }

    fn route_to(&self, pin: Pin, effects: &mut Vec<Effect>) {
        let Some(upstream) = self.plugin.config.upstreams.get(pin.upstream) else { return };
        let mut set = |name: &'static str, value: String| {
            effects.push(Effect::SetHeader(name.into(), value.into_bytes()));
        };
        set("x-warmpath-upstream", upstream.name.clone());
        if pin.strength == Strength::Hard {
            set("x-warmpath-hard", "1".to_owned());
        }
        if let Some(endpoint) = pin.endpoint {
            set("x-warmpath-host", endpoint.to_string());
        }
    }
}

/// Tells the shape stage that there are no facts, and nothing to look for.
fn left_alone() -> Effect {
    let (property, note) = left_alone_note();
    Effect::SetProperty(property, note)
}

/// What to leave for the shape stage when the clock frees a request, so that it does not hold it again.
pub fn left_alone_note() -> (Property, Vec<u8>) {
    (Property::Request, note::write(&note::Request::LeftAlone))
}

/// Tells Envoy's routes what is known of a request.
fn tell(dialect: Dialect, model: &str, opener: Option<u128>, effects: &mut Vec<Effect>) {
    effects.push(Effect::SetHeader("x-warmpath-dialect".into(), dialect.name().into()));
    if !model.is_empty() && model.bytes().all(|byte| byte.is_ascii_graphic()) {
        effects.push(Effect::SetHeader("x-warmpath-model".into(), model.into()));
    }
    if let Some(opener) = opener {
        // The low half places it among Envoy's weights.
        let hash = (opener as u32).to_string();
        effects.push(Effect::SetHeader("x-warmpath-hash".into(), hash.into()));
    }
}
