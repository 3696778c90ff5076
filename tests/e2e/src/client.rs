//! What clients send, over HTTP/1.1 or HTTP/2, and answers to look into.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as Pool, Error};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::pen::{Paper, Pen};

type Body = BoxBody<Bytes, io::Error>;

/// A client of one address, which keeps its connections.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    pool: Pool<HttpConnector, Body>,
}

impl Client {
    /// Speaks HTTP/1.1.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, pool: Pool::builder(TokioExecutor::new()).build_http() }
    }

    /// Speaks HTTP/2 from the first byte on, without TLS.
    pub fn http2(address: SocketAddr) -> Self {
        Self { address, pool: Pool::builder(TokioExecutor::new()).http2_only(true).build_http() }
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// Begins a POST of a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Call {
        self.call(Method::POST, path)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Begins a request without a body.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let uri = format!("http://{}{path}", self.address);
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Bytes::new())
            .expect("a path that fits into a URI");
        Call { pool: self.pool.clone(), request, paper: None }
    }
}

/// A request on its way: `.await` sends it.
pub struct Call {
    pool: Pool<HttpConnector, Body>,
    request: Request<Bytes>,
    /// The body, where it is written while the request is on its way.
    paper: Option<Paper>,
}

impl Call {
    /// Adds a header; its value may be any bytes that HTTP allows.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.request.headers_mut().append(header_name(name), header_value(value));
        self
    }

    /// Replaces the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// Adds a trailer behind the body, whose length is then not told in a header.
    pub fn trailer(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let body = self.request.body().clone();
        let (call, pen) = self.by_hand();
        pen.write(body);
        pen.trailers(HeaderMap::from_iter([(header_name(name), header_value(value))]));
        call
    }

    /// Lets the test write the body while the request is on its way; its length is not told in a header.
    pub fn by_hand(mut self) -> (Self, Pen) {
        let (pen, paper) = Pen::new();
        self.paper = Some(paper);
        (self, pen)
    }

    /// Sends the request and reads the answer to its end; an answer that is cut off is an error.
    pub async fn try_send(self) -> Result<Answer, String> {
        let mut stream = self.open().await.map_err(|error| format!("{error:?}"))?;
        let mut body = Vec::new();
        while let Some(bytes) = stream.next().await? {
            body.extend_from_slice(&bytes);
        }
        Ok(Answer { status: stream.status, headers: stream.headers, body: body.into() })
    }

    /// Sends the request and returns when the headers of the answer are there.
    pub async fn open(self) -> Result<Stream, Error> {
        let request = self.request.map(|bytes| match self.paper {
            None => Full::new(bytes).map_err(|never| match never {}).boxed(),
            Some(paper) => paper.boxed(),
        });
        let (parts, body) = self.pool.request(request).await?.into_parts();
        Ok(Stream {
            status: parts.status.as_u16(),
            headers: parts.headers,
            trailers: HeaderMap::new(),
            body: body.map_err(|error| format!("{error:?}")).boxed(),
        })
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            self.try_send().await.unwrap_or_else(|error| panic!("no whole answer: {error}"))
        })
    }
}

/// An answer of which only the headers have come.
pub struct Stream {
    pub status: u16,
    pub headers: HeaderMap,
    /// Those of the answer, once it has ended.
    pub trailers: HeaderMap,
    body: BoxBody<Bytes, String>,
}

impl Stream {
    /// Waits for more of the body; `None` at its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, String> {
        while let Some(frame) = self.body.frame().await {
            match frame?.into_data() {
                // HTTP/2 may end a body with nothing in a frame.
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Ok(Some(data)),
                Err(frame) => self.trailers.extend(frame.into_trailers().unwrap_or_default()),
            }
        }
        Ok(None)
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Returns a header's value, where it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Reads the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in: {}", self.text()))
    }

    /// Returns the JSON documents of the body: one, or those of all events of a stream.
    pub fn documents(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let events: Vec<Value> =
            data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect();
        if events.is_empty() { vec![self.json()] } else { events }
    }

    /// Returns the id of the answer, from whichever place its dialect has for it.
    pub fn id(&self) -> String {
        let places = ["/id", "/message/id", "/response/id"];
        let ids = self.documents().into_iter().find_map(|document| {
            places.iter().find_map(|place| Some(document.pointer(place)?.as_str()?.to_owned()))
        });
        ids.unwrap_or_else(|| panic!("no id in: {}", self.text()))
    }

    /// Returns the usage of the answer; in a stream, later counts replace earlier ones.
    pub fn usage(&self) -> Value {
        let places = ["/usage", "/message/usage", "/response/usage"];
        let mut usage = serde_json::Map::new();
        for document in self.documents() {
            for counts in places.iter().filter_map(|place| document.pointer(place)?.as_object()) {
                usage.extend(counts.clone());
            }
        }
        Value::Object(usage)
    }

    /// Returns the members of the `x-warmpath` header, strings without their quotes; empty without that header.
    pub fn explanation(&self) -> BTreeMap<String, String> {
        let members = self.header("x-warmpath").unwrap_or_default().split(", ");
        let pairs = members.filter_map(|member| member.split_once('='));
        pairs.map(|(key, value)| (key.into(), value.trim_matches('"').into())).collect()
    }
}

pub(crate) fn header_name(name: &str) -> HeaderName {
    name.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn header_value(value: impl AsRef<[u8]>) -> HeaderValue {
    HeaderValue::from_bytes(value.as_ref()).unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        Answer { status: 200, headers: HeaderMap::new(), body: body.to_owned().into() }
    }

    #[test]
    fn usage_of_a_stream_is_what_was_said_last() {
        let stream = answer(concat!(
            "event: message_start\ndata: {\"message\":{\"id\":\"msg_1\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n",
            "event: message_delta\ndata: {\"usage\":{\"output_tokens\":9}}\n\n",
        ));
        assert_eq!(stream.id(), "msg_1");
        assert_eq!(stream.usage(), serde_json::json!({"input_tokens": 3, "output_tokens": 9}));
    }

    #[test]
    fn an_explanation_is_read_by_member() {
        let mut explained = answer("{}");
        explained
            .headers
            .insert("x-warmpath", header_value(r#"by="prefix", upstream="a.b", attempts=2"#));
        let explanation = explained.explanation();
        assert_eq!(
            (
                explanation["by"].as_str(),
                explanation["upstream"].as_str(),
                explanation["attempts"].as_str()
            ),
            ("prefix", "a.b", "2")
        );
    }
}
