//! The body of an answer: bytes with gaps between them, which may end before they should.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body, Frame};
use tokio::time::Sleep;

pub(crate) enum Step {
    Send(Bytes),
    Wait(Duration),
    /// Ends the body as a provider does that dies.
    Cut,
    Do(Box<dyn FnOnce() + Send>),
}

impl Step {
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Send(bytes) => bytes.len(),
            Self::Wait(_) | Self::Cut | Self::Do(_) => 0,
        }
    }
}

/// A body as a list of steps.
#[derive(Default)]
pub(crate) struct Script {
    steps: VecDeque<Step>,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Lets what was sent before a cut reach the client: hyper drops what it has not flushed.
    flushed: bool,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), ..Self::default() }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(sleep) = &mut self.waiting {
                std::task::ready!(sleep.as_mut().poll(context));
                self.waiting = None;
            }
            match self.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Send(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Step::Wait(time)) => self.waiting = Some(Box::pin(tokio::time::sleep(time))),
                Some(Step::Do(effect)) => effect(),
                Some(Step::Cut) if self.flushed => {
                    return Poll::Ready(Some(Err(io::Error::other("cut as asked"))));
                }
                Some(Step::Cut) => {
                    self.flushed = true;
                    self.steps.push_front(Step::Cut);
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    }
}

/// Compresses what is sent, each step so that it can be read when it arrives.
pub(crate) fn gzip(steps: Vec<Step>) -> Vec<Step> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let last = steps.len().saturating_sub(1);
    let mut compress = |(position, step)| {
        let Step::Send(bytes) = step else { return step };
        // Writing to a vector cannot fail.
        _ = encoder.write_all(&bytes);
        _ = if position == last { encoder.try_finish() } else { encoder.flush() };
        Step::Send(std::mem::take(encoder.get_mut()).into())
    };
    steps.into_iter().enumerate().map(&mut compress).collect()
}
