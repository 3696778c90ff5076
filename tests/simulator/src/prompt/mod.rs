//! The prompt of a request as a cache sees it: pieces in the order tools, system, messages, each
//! with the bytes that it is keyed by. Reading one also enforces what the provider's rules say
//! about members and places; nothing here knows a provider by name.

pub(crate) mod chat;
pub(crate) mod messages;
mod piece;
mod reader;
pub(crate) mod responses;

use hyper::HeaderMap;

use crate::json::Members;
use crate::provider::Invalidators;

pub(crate) use piece::{Piece, Section, Ttl};

/// A request as it reached an endpoint that asks a model.
pub(crate) struct Source<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Members<'a>,
    /// From the body, or from the path where the endpoint has it there.
    pub(crate) model: String,
    /// Whether the path rather than the body names the model.
    pub(crate) model_in_path: bool,
    pub(crate) streaming: bool,
    /// Whether tokens are to be counted only.
    pub(crate) counting: bool,
}

impl Source<'_> {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first of these members that is a string.
    pub(crate) fn string(&self, names: &[&str]) -> Option<String> {
        let mut found = names.iter().filter_map(|name| self.body.get(name)?.text());
        found.next().map(|text| text.into_owned())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Prompt {
    pub(crate) pieces: Vec<Piece>,
    /// A `cache_control` at the top of the body.
    pub(crate) top_level: Option<Ttl>,
    /// The text of the last user turn, where no tool has answered since: the model's cue to call
    /// one.
    pub(crate) cue: Option<String>,
    /// Tokens that the answer may have.
    pub(crate) most_output: Option<u64>,
    pub(crate) reasoning: bool,
}

impl Prompt {
    pub(crate) fn tokens(&self) -> u64 {
        self.pieces.iter().map(Piece::tokens).sum()
    }

    /// Lets a section, and what follows it, depend on members outside the prompt.
    fn invalidate(&mut self, by: &Invalidators, body: &Members<'_>) {
        let sections = [
            (Section::Tools, by.tools),
            (Section::System, by.system),
            (Section::Messages, by.messages),
        ];
        for (section, names) in sections {
            let values =
                names.iter().filter_map(|name| Some(format!("{name}={}", body.get(name)?.raw())));
            let values: String = values.collect();
            if let Some(first) = self.pieces.iter_mut().find(|piece| piece.section >= section) {
                first.seal.push_str(&values);
            }
        }
    }

    pub(crate) fn is_marked(&self) -> bool {
        self.top_level.is_some() || self.pieces.iter().any(|piece| piece.mark.is_some())
    }
}
