//! What an exchange comes to, before it is sent.

use serde_json::Value;

use crate::answer::Event;
use crate::cache::Write;
use crate::exchange::Usage;
use crate::provider::Ready;

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content: Content,
    pub(crate) response_id: Option<String>,
    pub(crate) usage: Option<Usage>,
    /// What becomes readable, and when.
    pub(crate) writes: Vec<Write>,
    pub(crate) ready: Ready,
}

pub(crate) enum Content {
    Nothing,
    Json(Value),
    Events(Vec<Event>),
}

impl Reply {
    pub(crate) fn new(status: u16, content: Content) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content,
            response_id: None,
            usage: None,
            writes: Vec::new(),
            ready: Ready::AnswerBegun,
        }
    }

    pub(crate) fn json(json: Value) -> Self {
        Self::new(200, Content::Json(json))
    }
}
