//! How an answer's body is read on its way back, and written where its usage must change.

use crate::dialect::Dialect;
use crate::metrics::Skip;
use crate::provider;
use crate::splice::{Edit, Splicer};
use crate::stage::{Effect, Flow, Headers, Hold, Host, Plugin, WINDOW_BYTES, skip};
use crate::usage::{self, Body, Counts, Purpose, Stream};

/// An answer's body on its way back.
pub(super) enum Reading {
    /// Not read: an error, or nothing that could be understood.
    Nothing,
    /// JSON that passes.
    Passing(Body),
    /// JSON that is held to its end, to write its usage back; its headers too, where that works.
    Held(Body, Hold),
    /// Events, as they pass.
    Events(Box<Stream>),
}

/// What the body is an answer to.
#[derive(Clone, Copy)]
pub(super) struct Wire {
    pub(super) dialect: Dialect,
    /// How the provider that served counts.
    pub(super) usage: provider::Usage,
    /// Whether the usage chunk of a stream was asked for here, not by the client.
    pub(super) asked_usage: bool,
}

/// How an answer ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Whole,
    /// The client or the upstream went away; nothing can be written any more.
    Early,
}

/// What an answer told.
#[derive(Default)]
pub(super) struct Told {
    pub(super) ids: Vec<Vec<u8>>,
    /// Ids of the items of its output.
    pub(super) items: Vec<Vec<u8>>,
    pub(super) counts: Counts,
}

impl Reading {
    /// How a good answer with these headers is to be read.
    pub(super) fn plan(
        headers: &Headers<'_>,
        wire: Wire,
        hold: Hold,
        plugin: &Plugin,
        effects: &mut Vec<Effect>,
    ) -> Self {
        let is_events = headers.is_event_stream();
        if !is_events && !headers.is_json() {
            return Self::Nothing;
        }
        if headers.is_encoded() {
            effects.push(skip(Skip::AnswerEncoded));
            return Self::Nothing;
        }
        let rewrites = plugin.config.usage.rewrite && usage::is_rewritten(wire.dialect);
        if is_events {
            let purpose = match (wire.asked_usage, rewrites) {
                // A chunk that the client did not ask for must not reach it, rewritten or not.
                (true, _) => Purpose::RewriteAndSwallow,
                (false, true) => Purpose::Rewrite,
                (false, false) => Purpose::Read,
            };
            if purpose != Purpose::Read && headers.content_length().is_some() {
                effects.push(Effect::RemoveHeader("content-length".into()));
            }
            return Self::Events(Box::new(Stream::new(wire.dialect, wire.usage, purpose)));
        }
        let limit = u64::from(plugin.config.limits.response_body_bytes);
        let too_large = headers.content_length().is_some_and(|length| length > limit);
        if rewrites && too_large {
            effects.push(skip(Skip::AnswerTooLarge));
        }
        if !rewrites || too_large {
            return Self::Passing(Body::default());
        }
        if hold != Hold::Works && headers.content_length().is_some() {
            // Nobody has seen headers being held here, so they go on, without the length.
            effects.push(Effect::RemoveHeader("content-length".into()));
        }
        Self::Held(Body::default(), hold)
    }

    /// Whether the headers wait for the body.
    pub(super) fn holds_headers(&self) -> bool {
        matches!(self, Self::Held(_, Hold::Works))
    }

    /// Reads what is new: `size` bytes are here, all that are held or the next piece.
    pub(super) fn read(
        &mut self,
        size: usize,
        plugin: &Plugin,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) -> Flow {
        match self {
            Self::Nothing => Flow::Continue,
            Self::Passing(body) => {
                push(body, 0, size, host);
                Flow::Continue
            }
            Self::Held(body, _) => {
                push(body, body.offset(), size, host);
                if size <= plugin.config.limits.response_body_bytes as usize {
                    return Flow::Pause;
                }
                effects.push(skip(Skip::AnswerTooLarge));
                *self = Self::Passing(core::mem::take(body));
                Flow::Continue
            }
            Self::Events(stream) => {
                let chunk = host.window(0, size).unwrap_or_default();
                if let Some(bytes) = stream.push(&chunk) {
                    effects.push(Effect::ReplaceBody { length: size, bytes });
                }
                Flow::Continue
            }
        }
    }

    /// The ids that a stream has told by now.
    pub(super) fn ids(&self) -> &[Vec<u8>] {
        match self {
            Self::Events(stream) => stream.ids(),
            Self::Nothing | Self::Passing(_) | Self::Held(..) => &[],
        }
    }

    /// Ends it: what it told; what is still to be written is written.
    pub(super) fn finish(
        self,
        wire: Wire,
        ended: Ended,
        effects: &mut Vec<Effect>,
        host: &mut dyn Host,
    ) -> Told {
        let Wire { dialect, usage, .. } = wire;
        let (answer, edit, length, hold) = match self {
            Self::Nothing => return Told::default(),
            Self::Events(mut stream) => {
                let rest = stream.finish();
                if !rest.is_empty() && ended == Ended::Whole {
                    append(rest, effects);
                }
                let counts = stream.raw().counts(dialect, usage);
                let items = stream.items().to_vec();
                return Told { ids: stream.ids().to_vec(), items, counts };
            }
            Self::Passing(body) => (body.finish(dialect, usage).0, None, 0, Hold::Unknown),
            Self::Held(body, hold) => {
                let length = body.offset();
                let (answer, edit) = body.finish(dialect, usage);
                (answer, edit, length, hold)
            }
        };
        if let (Some(edit), Ended::Whole) = (edit, ended) {
            write_back(edit, length, hold, effects, host);
        }
        let (items, counts) = (answer.items().to_vec(), answer.raw.counts(dialect, usage));
        Told { ids: answer.ids, items, counts }
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
