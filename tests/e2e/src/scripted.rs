//! A provider whose answers the test writes itself, byte for byte, for what the simulated ones never say: odd headers, answers
//! cut anywhere, trailers, events that wait for the test.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::client::{header_name, header_value};
use crate::pen::{Paper, Pen};

/// Time between two pieces of an answer. Long enough that Envoy nearly always reads them one by one; a test must hold
/// however it reads them.
pub const GAP: Duration = Duration::from_millis(2);

/// A provider that says what it is told to say, over HTTP/1.1 and HTTP/2.
pub struct Scripted {
    address: SocketAddr,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

struct Desk {
    reply: Mutex<Reply>,
    received: Mutex<Vec<Received>>,
}

/// A request as it arrived, with all of its body.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: HeaderMap,
}

impl Scripted {
    /// Starts on a port of the system's choice; every request gets this answer.
    pub async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let desk = Arc::new(Desk { reply: Mutex::new(reply), received: Mutex::default() });
        let serving = tokio::spawn(accept(listener, desk.clone()));
        Self { address, desk, serving }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the answer to all requests to come.
    pub fn say(&self, reply: Reply) {
        *lock(&self.desk.reply) = reply;
    }

    /// Returns the requests so far, in the order in which they were complete.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.desk.received).clone()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        lock(&self.desk.received).clear();
    }

    /// Returns the newest request.
    ///
    /// # Panics
    ///
    /// When there was none.
    pub fn last(&self) -> Received {
        self.received().pop().expect("a request that has arrived")
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// An answer. Only headers that are given here are sent, and what the protocol needs.
#[derive(Clone)]
pub struct Reply {
    status: u16,
    headers: HeaderMap,
    body: Body,
    trailers: HeaderMap,
}

#[derive(Clone)]
enum Body {
    Pieces(Vec<Bytes>),
    /// For the one request that comes first.
    ByHand(Arc<Mutex<Option<Paper>>>),
}

impl Reply {
    /// An answer without headers; its length is told unless [`Reply::chunked`] or trailers say otherwise.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        let reply = Self {
            status,
            headers: HeaderMap::new(),
            body: Body::Pieces(vec![body]),
            trailers: HeaderMap::new(),
        };
        reply.header("content-length", length)
    }

    /// A whole JSON answer.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::new(200, body).header("content-type", "application/json")
    }

    /// A stream of events.
    pub fn events(body: impl Into<Bytes>) -> Self {
        Self::new(200, body).header("content-type", "text/event-stream").chunked()
    }

    /// An answer of this content type to one request, whose body the test writes as it goes.
    pub fn by_hand(content_type: &str) -> (Self, Pen) {
        let (pen, paper) = Pen::new();
        let body = Body::ByHand(Arc::new(Mutex::new(Some(paper))));
        let reply = Self { body, ..Self::new(200, "").chunked() };
        (reply.header("content-type", content_type), pen)
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.append(header_name(name), header_value(value));
        self
    }

    /// Does not tell the length.
    pub fn chunked(mut self) -> Self {
        self.headers.remove("content-length");
        self
    }

    /// Adds a trailer.
    pub fn trailer(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.trailers.append(header_name(name), header_value(value));
        self.chunked()
    }

    /// Sends the body in two pieces, the first of so many bytes.
    pub fn cut_at(self, offset: usize) -> Self {
        self.cut(|body| vec![body.slice(..offset), body.slice(offset..)])
    }

    /// Sends the body in pieces of so many bytes.
    pub fn in_pieces(self, bytes: usize) -> Self {
        self.cut(|body| body.chunks(bytes).map(|piece| body.slice_ref(piece)).collect())
    }

    fn cut(mut self, cut: impl Fn(&Bytes) -> Vec<Bytes>) -> Self {
        if let Body::Pieces(pieces) = &mut self.body {
            *pieces = pieces.iter().flat_map(cut).collect();
        }
        self
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, desk.clone()));
    }
}

async fn connection(stream: TcpStream, desk: Arc<Desk>) {
    stream.set_nodelay(true).expect("a socket option");
    let mut builder = Builder::new(TokioExecutor::new());
    // Two answers to the same request are to be the same.
    builder.http1().auto_date_header(false);
    builder.http2().auto_date_header(false);
    let serve = service_fn(|request| serve(request, desk.clone()));
    // A client that breaks off is no trouble of the provider's.
    _ = builder.serve_connection(TokioIo::new(stream), serve).await;
}

async fn serve(
    request: Request<Incoming>,
    desk: Arc<Desk>,
) -> Result<Response<Paper>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let collected = body.collect().await?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    lock(&desk.received).push(Received {
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: parts.headers,
        body: collected.to_bytes(),
        trailers,
    });
    let reply = lock(&desk.reply).clone();
    let paper = match reply.body {
        Body::Pieces(pieces) => {
            let (pen, paper) = Pen::new();
            tokio::spawn(write(pen, pieces, reply.trailers));
            paper
        }
        Body::ByHand(paper) => lock(&paper).take().expect("one request for an answer by hand"),
    };
    let mut response = Response::new(paper);
    *response.status_mut() = reply.status.try_into().expect("a status of HTTP");
    *response.headers_mut() = reply.headers;
    Ok(response)
}

async fn write(pen: Pen, pieces: Vec<Bytes>, trailers: HeaderMap) {
    for (index, piece) in pieces.into_iter().enumerate() {
        if index > 0 {
            tokio::time::sleep(GAP).await;
        }
        pen.write(piece);
    }
    if !trailers.is_empty() {
        pen.trailers(trailers);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
