//! One exchange at an account: noted, failed as asked, or answered.

use std::future;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_ENCODING, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use tokio::sync::Notify;

use crate::account::{Begun, Running};
use crate::answer::{Script, Serial, alphanumeric};
use crate::ask::ask;
use crate::exchange::{Exchange, Recording};
use crate::fault::Fault;
use crate::json::Json;
use crate::pace::Pace;
use crate::provider::Saying;
use crate::refusal::{Breach, Path, Refusal};
use crate::reply::{Content, Reply};
use crate::route::Route;
use crate::send::send;

/// A request that is here with all of its body.
pub(crate) struct Arrival {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    pub(crate) serial: Serial,
    pub(crate) pace: Pace,
    /// When its headers came: caches count from there.
    pub(crate) at: Duration,
}

/// `reset` ends the connection with a TCP RST.
pub(crate) async fn serve(
    running: Arc<Running>,
    request: Request<Incoming>,
    reset: Arc<Notify>,
) -> Result<Response<Script>, hyper::Error> {
    let at = running.shared.now();
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let noted = noted(&parts, &body, running.shared.recording());
    let Begun { record, serial, fault, pace } = running.begin(noted);
    let arrival = Arrival { parts, body, serial, pace, at };

    let result = match fault {
        Some(Fault::Status(status)) => Err(Refusal::new(Path::default(), Breach::Failing(status))),
        Some(fault) => {
            running.decided(&record);
            if fault == Fault::Reset {
                reset.notify_one();
            }
            future::pending().await
        }
        None => answer(&running, &arrival),
    };
    let prefix = running.rules.request_id_prefix;
    let request_id = format!("{prefix}{}", alphanumeric(serial.id("request")));
    let mut reply =
        result.unwrap_or_else(|refusal| refuse(&running, &arrival, &refusal, &request_id));
    reply.headers.extend((running.rules.headers)(&request_id));
    if !pace.delay.is_zero() {
        tokio::time::sleep(pace.delay).await;
    }
    Ok(send(&running, &arrival, reply, &record))
}

fn noted(parts: &Parts, body: &Bytes, recording: Recording) -> Exchange {
    let exchange = Exchange {
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        ..Exchange::default()
    };
    if recording != Recording::Everything {
        return exchange;
    }
    let headers = parts.headers.iter();
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    // HTTP/2 has the host elsewhere; tests should not have to care.
    if let Some(authority) = parts.uri.authority().filter(|_| !parts.headers.contains_key("host")) {
        headers.insert(0, ("host".to_owned(), authority.as_str().into()));
    }
    Exchange { headers, body: body.to_vec(), ..exchange }
}

fn answer(running: &Running, arrival: &Arrival) -> Result<Reply, Refusal> {
    let parts = &arrival.parts;
    let body = unzipped(parts, &arrival.body)?;
    match Route::of(&parts.method, parts.uri.path()) {
        Route::Model(question) => ask(running, arrival, question, &body),
        Route::Objects(segments) => {
            let mut state = running.state();
            let json = state.objects.serve(&parts.method, &segments, &body, arrival.serial)?;
            let response_id = json["id"].as_str().map(str::to_owned);
            Ok(Reply { response_id, ..Reply::json(json) })
        }
        Route::Alive => Ok(Reply::new(200, Content::Nothing)),
        Route::Unknown => Err(Refusal::new(Path::default(), Breach::NoRoute)),
    }
}

/// That providers take compressed requests is not documented; clients that send them expect it.
fn unzipped(parts: &Parts, body: &Bytes) -> Result<Bytes, Refusal> {
    if parts.headers.get(CONTENT_ENCODING).is_none_or(|encoding| encoding != "gzip") {
        return Ok(body.clone());
    }
    let mut plain = Vec::new();
    match GzDecoder::new(&body[..]).read_to_end(&mut plain) {
        Ok(_) => Ok(plain.into()),
        Err(error) => Err(Refusal::new(Path::default(), Breach::NotJson(error.to_string()))),
    }
}

fn refuse(running: &Running, arrival: &Arrival, refusal: &Refusal, request_id: &str) -> Reply {
    let model = Json::parse(&arrival.body).ok().and_then(|body| body.get("model")?.text());
    let dialect = match Route::of(&arrival.parts.method, arrival.parts.uri.path()) {
        Route::Model(question) => Some(question.dialect),
        _ => None,
    };
    let saying = Saying { request_id, model: model.as_deref().unwrap_or_default(), dialect };
    let said = (running.rules.refuse)(refusal, &saying);
    let mut reply = Reply::new(said.status, Content::Json(said.body));
    if said.status == 429 {
        reply.headers.push((RETRY_AFTER.as_str(), "1".to_owned()));
    }
    reply
}
