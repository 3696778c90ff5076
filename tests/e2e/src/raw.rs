//! HTTP/1.1 by hand, for what no well-behaved client sends: bodies cut anywhere and sent slowly, wrong lengths, odd headers.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Answer;

/// A bare connection.
pub struct Raw {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Raw {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream, unread: Vec::new() }
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("a peer that reads");
    }

    /// Sends the head of a POST of JSON; further header lines without their line ends, such as `content-length: 3`.
    pub async fn post(&mut self, path: &str, lines: &[&[u8]]) {
        let mut head =
            format!("POST {path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n")
                .into_bytes();
        for line in lines {
            head.extend_from_slice(line);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        self.send(head).await;
    }

    /// Sends one chunk of a body that was announced with `transfer-encoding: chunked`; an empty one ends it.
    pub async fn chunk(&mut self, bytes: &[u8]) {
        self.send([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()).await;
    }

    /// Reads one answer, or says how far it came.
    pub async fn answer(&mut self) -> Result<Answer, String> {
        let head = self.until(b"\r\n\r\n").await?;
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok())
            .ok_or_else(|| format!("no status in {head}"))?;
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            let name: HeaderName = name.parse().map_err(|error| format!("{name}: {error}"))?;
            headers.append(
                name,
                HeaderValue::from_bytes(value.as_bytes())
                    .map_err(|error| format!("{value}: {error}"))?,
            );
        }
        let length =
            headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = match length {
            // `100 Continue`, say, is followed by the answer.
            _ if status < 200 => Vec::new(),
            Some(length) => self.exactly(length).await?,
            None => self.chunks().await?,
        };
        Ok(Answer { status, headers, body: body.into() })
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n").await?;
            let line = String::from_utf8_lossy(&line).into_owned();
            let length = usize::from_str_radix(line.trim(), 16)
                .map_err(|error| format!("{error} in {line:?}"))?;
            let chunk = self.exactly(length + 2).await?;
            if length == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..length]);
        }
    }

    async fn until(&mut self, end: &[u8]) -> Result<Vec<u8>, String> {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|window| window == end) {
                return Ok(self.unread.drain(..at + end.len()).collect());
            }
            self.read().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>, String> {
        while self.unread.len() < length {
            self.read().await?;
        }
        Ok(self.unread.drain(..length).collect())
    }

    async fn read(&mut self) -> Result<(), String> {
        match self.stream.read_buf(&mut self.unread).await {
            Ok(0) => {
                Err(format!("the connection ended at {:?}", String::from_utf8_lossy(&self.unread)))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }
}
