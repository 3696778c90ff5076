//! A body that the test writes as it goes, of a request or of an answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Writes a body. Dropping it ends the body as it should end.
pub struct Pen(UnboundedSender<Stroke>);

/// What is written, on its way.
pub(crate) struct Paper(UnboundedReceiver<Stroke>);

enum Stroke {
    Write(Bytes),
    Trailers(HeaderMap),
    Cut,
}

impl Pen {
    pub(crate) fn new() -> (Self, Paper) {
        let (sender, receiver) = unbounded_channel();
        (Self(sender), Paper(receiver))
    }

    pub fn write(&self, bytes: impl Into<Bytes>) {
        self.stroke(Stroke::Write(bytes.into()));
    }

    /// Ends the body with trailers.
    pub fn trailers(self, trailers: HeaderMap) {
        self.stroke(Stroke::Trailers(trailers));
    }

    /// Ends the body as a peer does that dies. What was written just before may be lost.
    pub fn cut(self) {
        self.stroke(Stroke::Cut);
    }

    fn stroke(&self, stroke: Stroke) {
        // Nobody may be left to read it; what a test then looks for is missing there.
        _ = self.0.send(stroke);
    }
}

impl Body for Paper {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|stroke| {
            Some(match stroke? {
                Stroke::Write(bytes) => Ok(Frame::data(bytes)),
                Stroke::Trailers(trailers) => Ok(Frame::trailers(trailers)),
                Stroke::Cut => Err(io::Error::other("cut as asked")),
            })
        })
    }
}
