//! A Kubernetes API with fixed objects: as much of it as Istio's control plane asks for.
//!
//! Lists, watches (whose objects never change) and single objects; what is written is acknowledged and forgotten.

mod kinds;
mod request;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::manifest::Manifests;
use request::{Asked, Place};

type Body = BoxBody<Bytes, Infallible>;

/// How often an idle watch says that it is still there.
const BOOKMARKS: Duration = Duration::from_secs(20);

/// The API while it runs.
pub struct Kubernetes {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Kubernetes {
    /// Serves these objects, in namespaces that are there.
    pub async fn start(manifests: &Manifests) -> Self {
        let objects = Arc::new(request::stored(&manifests.objects));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let objects = objects.clone();
                let service = service_fn(move |request| answer(objects.clone(), request));
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async { _ = connection.await });
            }
        });
        Self { address, task }
    }

    /// Returns a configuration by which a client of Kubernetes finds this API.
    pub fn configuration(&self) -> String {
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": format!("http://{}", self.address)}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "current-context": "test",
        })
        .to_string()
    }
}

impl Drop for Kubernetes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    objects: Arc<Vec<Value>>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    if *request.method() != Method::GET {
        return Ok(acknowledged(request).await);
    }
    let asked = Asked::of(&request);
    let (status, body) = match &asked.place {
        Place::Version => (200, json!({"major": "1", "minor": "34", "gitVersion": "v1.34.0"})),
        Place::Groups => (200, json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})),
        Place::Versions => (200, json!({"kind": "APIVersions", "versions": ["v1"]})),
        Place::Resources { version } => (
            200,
            json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": []}),
        ),
        Place::Objects if asked.watch => return Ok(watch(&asked, &objects)),
        Place::Objects => asked.found(&objects),
        Place::Nowhere => (404, request::missing("path")),
    };
    Ok(json(status, &body))
}

/// What was written comes back as if it had been kept.
async fn acknowledged(request: Request<Incoming>) -> Response<Body> {
    let status = if *request.method() == Method::POST { 201 } else { 200 };
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let written = serde_json::from_slice(&body)
        .unwrap_or_else(|_| json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}));
    json(status, &written)
}

/// All objects, where they are wanted as events; then a sign of life now and then.
fn watch(asked: &Asked, objects: &[Value]) -> Response<Body> {
    let mut events: Vec<Value> = Vec::new();
    if asked.initial_events {
        let added =
            asked.matching(objects).map(|object| json!({"type": "ADDED", "object": object}));
        events.extend(added);
        events.push(asked.bookmark(json!({"k8s.io/initial-events-end": "true"})));
    }
    let beat = asked.bookmark(json!({}));
    let beats = stream::unfold(beat, |beat| async move {
        tokio::time::sleep(BOOKMARKS).await;
        Some((beat.clone(), beat))
    });
    let body = StreamBody::new(frames(stream::iter(events).chain(beats)));
    response(200, BodyExt::boxed(body))
}

fn frames(
    events: impl Stream<Item = Value> + Send,
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send {
    events.map(|event| Ok(Frame::data(format!("{event}\n").into())))
}

fn json(status: u16, body: &Value) -> Response<Body> {
    response(status, Full::new(Bytes::from(body.to_string())).boxed())
}

fn response(status: u16, body: Body) -> Response<Body> {
    let builder = Response::builder().status(status).header("content-type", "application/json");
    builder.body(body).expect("a response")
}
