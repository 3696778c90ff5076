//! From a reply to the bytes of a response: paced, compressed, cut; and the moment at which others
//! can read what it wrote.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::Response;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE,
};

use crate::account::{Running, lock};
use crate::answer::{Event, Script, Step, gzip};
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::provider::Ready;
use crate::reply::{Content, Reply};
use crate::serve::Arrival;

pub(crate) fn send(
    running: &Arc<Running>,
    arrival: &Arrival,
    reply: Reply,
    record: &Mutex<Exchange>,
) -> Response<Script> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    let streaming = matches!(reply.content, Content::Events(_));
    let mut steps = match reply.content {
        Content::Nothing => Vec::new(),
        Content::Json(json) => {
            response = response.header(CONTENT_TYPE, "application/json");
            vec![Step::Send(json.to_string().into())]
        }
        Content::Events(events) => {
            response = response.header(CONTENT_TYPE, "text/event-stream; charset=utf-8");
            response = response.header(CACHE_CONTROL, "no-cache");
            paced(events, arrival.pace.gap)
        }
    };
    if running.account.gzip && accepts_gzip(arrival) && !steps.is_empty() {
        response = response.header(CONTENT_ENCODING, "gzip");
        steps = gzip(steps);
    }
    if !streaming {
        response = response.header(CONTENT_LENGTH, steps.iter().map(Step::bytes).sum::<usize>());
    }

    let keep = {
        let (running, writes, at) = (running.clone(), reply.writes, arrival.at);
        move || running.state().store.write(&writes, at)
    };
    let cut = if streaming { Fault::CutStream } else { Fault::CutBody };
    let cut = running.state().faults.take(|fault| fault == cut);
    if reply.ready == Ready::AnswerBegun {
        keep();
    } else if cut.is_none() {
        // Before the last bytes: who has those may count on it.
        steps.insert(steps.len().saturating_sub(1), Step::Do(Box::new(keep)));
    }
    if cut.is_some() {
        steps = halve(steps);
    }
    {
        let mut record = lock(record);
        record.status = reply.status;
        record.usage = reply.usage;
        record.response_id = reply.response_id;
        record.fault = record.fault.or(cut);
    }
    running.decided(record);
    // A status or header that cannot be sent was asked for by a test: it sees an empty answer.
    response.body(Script::new(steps)).unwrap_or_default()
}

/// Puts the gap between two events that tell text.
fn paced(events: Vec<Event>, gap: Duration) -> Vec<Step> {
    let mut steps = Vec::with_capacity(events.len());
    let mut told = false;
    for event in events {
        if event.paced && told && !gap.is_zero() {
            steps.push(Step::Wait(gap));
        }
        told |= event.paced;
        steps.push(Step::Send(event.text.into()));
    }
    steps
}

fn accepts_gzip(arrival: &Arrival) -> bool {
    let accepted = arrival.parts.headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("gzip"))
}

/// The first half of a body, and then its end as a dying provider makes it.
fn halve(mut steps: Vec<Step>) -> Vec<Step> {
    if let [Step::Send(bytes)] = &mut steps[..] {
        bytes.truncate(bytes.len() / 2);
    } else {
        steps.truncate(steps.len() / 2);
    }
    steps.push(Step::Cut);
    steps
}
