//! The simulator's powers over HTTP, for curl and for tests in other languages. Bodies are JSON; a
//! body of bytes that are no UTF-8 is shown with replacement characters.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::exchange::Exchange;
use crate::listen::Service;
use crate::pace::Pace;
use crate::simulator::{Core, Tenant};

#[derive(Clone)]
pub(crate) struct Control(pub(crate) Arc<Core>);

impl Service<Full<Bytes>> for Control {
    fn call(
        &self,
        request: Request<Incoming>,
        _: Arc<Notify>,
    ) -> impl Future<Output = Result<Response<Full<Bytes>>, hyper::Error>> + Send + 'static {
        let core = self.0.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            // Closing a port waits for a task of this runtime.
            let handled = tokio::task::spawn_blocking(move || {
                let uri = &parts.uri;
                handle(&core, &parts.method, uri.path(), uri.query().unwrap_or_default(), &body)
            });
            let (status, json) = match handled.await {
                Ok(Ok(json)) => (200, json),
                Ok(Err(error)) => (400, json!({ "error": error })),
                Err(error) => (500, json!({ "error": error.to_string() })),
            };
            let response =
                Response::builder().status(status).header(CONTENT_TYPE, "application/json");
            Ok(response.body(Full::from(format!("{json}\n"))).unwrap_or_default())
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    account: String,
    fault: String,
    times: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Heal {
    account: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetPace {
    account: String,
    events: Option<usize>,
    gap_ms: Option<u64>,
    answer_bytes: Option<usize>,
    delay_ms: Option<u64>,
}

fn handle(
    core: &Core,
    method: &Method,
    path: &str,
    query: &str,
    body: &[u8],
) -> Result<Value, String> {
    match (method.as_str(), path) {
        ("GET", "/accounts") => Ok(core.tenants.iter().map(account).collect()),
        ("GET", "/received") => {
            let tenant = named(core, query.strip_prefix("account=").unwrap_or_default())?;
            Ok(tenant.running.received().iter().map(exchange).collect())
        }
        ("POST", "/fail") => {
            let fail: Fail = read(body)?;
            named(core, &fail.account)?.fail(fail.fault.parse()?, fail.times);
            Ok(json!({}))
        }
        ("POST", "/heal") => {
            let heal: Heal = read(body)?;
            named(core, &heal.account)?.heal();
            Ok(json!({}))
        }
        ("POST", "/advance") => {
            let advance: Advance = read(body)?;
            let by =
                Duration::try_from_secs_f64(advance.seconds).map_err(|error| error.to_string())?;
            core.shared.advance(by);
            Ok(json!({}))
        }
        ("POST", "/forget") => {
            core.forget();
            Ok(json!({}))
        }
        ("POST", "/pace") => {
            let set: SetPace = read(body)?;
            let mut state = named(core, &set.account)?.running.state();
            let now = state.pace;
            state.pace = Pace {
                events: set.events.unwrap_or(now.events),
                gap: set.gap_ms.map_or(now.gap, Duration::from_millis),
                answer_bytes: set.answer_bytes.unwrap_or(now.answer_bytes),
                delay: set.delay_ms.map_or(now.delay, Duration::from_millis),
            };
            Ok(json!({}))
        }
        _ => Err(format!(
            "unknown {method} {path}, expected GET /accounts or /received?account=NAME, or POST /fail, /heal, /advance, /forget or /pace"
        )),
    }
}

fn named<'c>(core: &'c Core, account: &str) -> Result<&'c Tenant, String> {
    core.tenant(account).ok_or_else(|| format!("unknown account {account:?}"))
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn account(tenant: &Tenant) -> Value {
    let account = &tenant.running.account;
    json!({
        "name": account.name,
        "provider": account.provider.name(),
        "address": tenant.port.address.to_string(),
    })
}

fn exchange(exchange: &Exchange) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Vec<_> =
        exchange.headers.iter().map(|(name, value)| json!([name, text(value)])).collect();
    json!({
        "method": exchange.method,
        "path": exchange.path,
        "headers": headers,
        "body": text(&exchange.body),
        "status": exchange.status,
        "usage": exchange.usage,
        "response_id": exchange.response_id,
        "fault": exchange.fault.map(|fault| fault.to_string()),
    })
}
