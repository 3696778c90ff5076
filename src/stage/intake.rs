//! Takes in the body of a request whose headers are held.
//!
//! A request is held until its body is whole, but not for ever: while nothing of the body has
//! come, the clock may free it. Once something has, only its end frees it: Envoy loses bytes when
//! a request goes on whose body is being buffered (seen in 1.36 to 1.40).

use super::{End, Host, WINDOW_BYTES};
use crate::json;
use crate::metrics::Skip;
use crate::prompt::{Findings, Reader, Unread};

/// The time within which all of a body comes after the clock freed its request, if the host does
/// not hold requests as it must, in milliseconds. It comes at once then; a body that is merely
/// late comes later, or in pieces.
const AT_ONCE_MS: u64 = 50;

/// A body on its way in.
pub(super) struct Intake {
    reader: Option<Reader>,
    arrival: Arrival,
    content_length: Option<u64>,
    limit: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Nothing,
    Some,
    /// The clock freed the request before anything came.
    Freed {
        at_ms: u64,
    },
}

/// How far a body has come.
pub(super) enum Progress {
    More,
    Whole(Box<Findings>),
    /// It cannot be read, or is too long: it goes on as it is.
    Trouble(Skip),
    /// It came after its request had been freed.
    Late,
    /// So it did, in the way of a host that does not hold requests as it must.
    Unheld,
}

impl Intake {
    pub(super) fn new(reader: Reader, content_length: Option<u64>, limit: u32) -> Self {
        Self {
            reader: Some(reader),
            arrival: Arrival::Nothing,
            content_length,
            limit: limit as usize,
        }
    }

    /// Whether nothing has come yet, so that the clock may free the request.
    pub(super) fn waits(&self) -> bool {
        self.arrival == Arrival::Nothing
    }

    /// The clock freed the request.
    pub(super) fn freed(&mut self, at_ms: u64) {
        self.arrival = Arrival::Freed { at_ms };
    }

    pub(super) fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    /// More is here, `size` bytes in all that are held.
    pub(super) fn body(&mut self, size: usize, end: End, host: &mut dyn Host) -> Progress {
        if let Arrival::Freed { at_ms } = self.arrival {
            let at_once = host.now_ms().saturating_sub(at_ms) <= AT_ONCE_MS;
            let is_all = end == End::Closed && self.content_length == Some(size as u64);
            return if at_once && is_all { Progress::Unheld } else { Progress::Late };
        }
        self.arrival = Arrival::Some;
        if size > self.limit {
            return Progress::Trouble(Skip::BodyTooLarge);
        }
        let Some(reader) = &mut self.reader else { return Progress::Late };
        while reader.offset() < size {
            let from = reader.offset();
            let window = host.window(from, WINDOW_BYTES.min(size - from)).unwrap_or_default();
            if window.is_empty() {
                break;
            }
            if let Err(trouble) = reader.push(&window) {
                return Progress::Trouble(reason(trouble));
            }
        }
        match end {
            End::Open => Progress::More,
            End::Closed => self.ended(),
        }
    }

    /// The body has ended.
    pub(super) fn ended(&mut self) -> Progress {
        match (self.arrival, self.reader.take()) {
            (Arrival::Freed { .. }, _) | (_, None) => Progress::Late,
            (_, Some(reader)) => match reader.finish() {
                Ok(findings) => Progress::Whole(Box::new(findings)),
                Err(trouble) => Progress::Trouble(reason(trouble)),
            },
        }
    }
}

/// The reason that a body is left alone, as it is counted.
fn reason(trouble: Unread) -> Skip {
    match trouble {
        Unread::Json(json::Error::TooDeep { .. }) => Skip::TooDeep,
        Unread::Json(_) => Skip::NotJson,
        Unread::NoPrompt => Skip::NoPrompt,
        Unread::Duplicate { .. } => Skip::Duplicate,
        Unread::TooMany { .. } => Skip::TooMany,
    }
}
