//! What a simulated model says, and how it is written in each dialect.

mod body;
mod chat;
mod ids;
mod messages;
mod responses;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use crate::exchange::Usage;
use crate::pace::Pace;
use crate::prompt::{Prompt, Source};

pub(crate) use body::{Script, Step, gzip};
pub(crate) use chat::{ChatVoice, StreamUsage, counts as chat_counts};
pub(crate) use ids::{Serial, alphanumeric, hex, uuid};
pub(crate) use messages::{Extras, MessagesVoice, UsageAt};
pub(crate) use responses::{ResponsesVoice, counts as responses_counts, is_stored};

/// The answer to one request, before it is written.
pub(crate) struct Answer<'a> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) prompt: &'a Prompt,
    pub(crate) serial: Serial,
    pub(crate) says: Says,
    pub(crate) usage: Usage,
    /// In how many events a stream says it.
    pub(crate) events: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Says {
    /// `whole` unless the limit of output tokens cut it.
    Text {
        text: String,
        whole: bool,
    },
    Call {
        name: String,
        arguments: String,
    },
}

/// One event of a stream, as it goes over the wire.
pub(crate) struct Event {
    pub(crate) text: String,
    /// Whether the pace puts a gap before it.
    pub(crate) paced: bool,
}

impl Event {
    fn new(text: String) -> Self {
        Self { text, paced: false }
    }

    /// An event with a name, as Anthropic and the responses dialect have it: that of its `type`.
    fn named(data: &Value) -> Self {
        Self::new(format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default()))
    }

    fn data(data: &Value) -> Self {
        Self::new(format!("data: {data}\n\n"))
    }

    fn paced(self) -> Self {
        Self { paced: true, ..self }
    }
}

impl Answer<'_> {
    /// The parts in which a stream tells a text.
    fn parts<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let events = self.events.clamp(1, text.len().max(1));
        let bounds = |part: usize| text.floor_char_boundary(text.len() * part / events);
        (0..events).map(|part| &text[bounds(part)..bounds(part + 1)]).collect()
    }
}

impl Says {
    /// The same request is always answered with the same text, at every account, so that
    /// conversations can be replayed.
    pub(crate) fn to(prompt: &Prompt, pace: &Pace) -> Self {
        if let Some(call) = prompt.cue.as_deref().and_then(called) {
            return call;
        }
        let mut seed = 0;
        for piece in &prompt.pieces {
            seed ^= xxh3_128(&piece.bytes);
            seed = seed.rotate_left(1);
        }
        let most =
            prompt.most_output.map_or(usize::MAX, |tokens| (tokens as usize).saturating_mul(4));
        let length = pace.answer_bytes.min(most);
        let mut text = format!("Simulated answer {}:", &hex(seed)[..8]);
        while text.len() < length {
            text.push(' ');
            text.push_str(WORDS[(seed % WORDS.len() as u128) as usize]);
            seed = xxh3_128(&seed.to_le_bytes());
        }
        text.truncate(length);
        Self::Text { text, whole: length == pace.answer_bytes }
    }

    /// The text, or the arguments of the call.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text { text, .. } => text,
            Self::Call { arguments, .. } => arguments,
        }
    }

    pub(crate) fn tokens(&self) -> u64 {
        let bytes = match self {
            Self::Text { text, .. } => text.len(),
            Self::Call { name, arguments } => name.len() + arguments.len(),
        };
        bytes.div_ceil(4) as u64
    }
}

/// Finds `use the tool NAME with {json}`: the last one, since instructions may quote such a
/// sentence.
fn called(text: &str) -> Option<Says> {
    let (_, rest) = text.rsplit_once("use the tool ")?;
    let (name, rest) = rest.split_once(" with ")?;
    let mut values =
        serde_json::Deserializer::from_str(rest).into_iter::<&serde_json::value::RawValue>();
    let arguments = values.next()?.ok()?.get();
    let call = arguments.starts_with('{') && !name.contains(char::is_whitespace);
    call.then(|| Says::Call { name: name.to_owned(), arguments: arguments.to_owned() })
}

/// Plain ASCII, so that a text may be cut anywhere.
const WORDS: [&str; 16] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "ivory", "juniper",
    "kelp", "larch", "maple", "nickel", "opal", "pine",
];

/// Tokens of reasoning where a request asks a model for it.
pub(crate) const REASONING_TOKENS: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cue_calls_a_tool() {
        let call = called("please use the tool Bash with {\"command\": \"echo hi\"} now");
        let arguments = r#"{"command": "echo hi"}"#.to_owned();
        assert_eq!(call, Some(Says::Call { name: "Bash".to_owned(), arguments }));
        assert_eq!(called("use the tool Bash with care"), None);
        assert_eq!(called("use the tool Bash"), None);
    }
}
