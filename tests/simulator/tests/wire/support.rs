//! A client that hides nothing: one connection per request, read to its end.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::{Account, Provider, Simulator, Usage};

/// Starts accounts that are named after their providers.
pub(crate) fn start(providers: &[Provider]) -> Simulator {
    start_accounts(
        providers.iter().map(|provider| Account::new(provider.name(), *provider)).collect(),
    )
}

pub(crate) fn start_accounts(accounts: Vec<Account>) -> Simulator {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Simulator::start(accounts)).unwrap()
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The data of each event of a stream, `[DONE]` left out.
    pub(crate) fn events(&self) -> Vec<Value> {
        let data = self.text().lines().filter_map(|line| line.strip_prefix("data: "));
        data.filter(|data| *data != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    /// What an error says, wherever the provider puts it.
    pub(crate) fn message(&self) -> String {
        let json = self.json();
        let json = json.get(0).unwrap_or(&json);
        let message = json.pointer("/error/message").or(json.get("message"));
        message.and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// A whole exchange; an error where the answer ends too early or never comes.
pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    request += &format!("content-length: {}\r\n", body.len());
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    stream.write_all(&[request.as_bytes(), b"\r\n", body].concat())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes, method == "HEAD")
}

fn parse(bytes: &[u8], headers_only: bool) -> io::Result<Answer> {
    let early = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(early)?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<_> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut answer = Answer { status, headers, body: Vec::new() };
    let rest = &bytes[end + 4..];
    if headers_only {
        return Ok(answer);
    }
    match answer.header("content-length") {
        Some(length) => {
            let length = length.parse().unwrap();
            answer.body = rest.get(..length).ok_or_else(early)?.to_vec();
        }
        None => answer.body = dechunk(rest).ok_or_else(early)?,
    }
    Ok(answer)
}

fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        rest = &rest[end + 2..];
        if length == 0 {
            return Some(body);
        }
        body.extend(rest.get(..length)?);
        rest = rest.get(length + 2..)?;
    }
}

pub(crate) fn post(simulator: &Simulator, account: &str, path: &str, body: &Value) -> Answer {
    send(simulator.address(account), "POST", path, &[], body.to_string().as_bytes()).unwrap()
}

/// Sends a request and leaves the answer to the caller.
pub(crate) fn begin(simulator: &Simulator, account: &str, path: &str, body: &Value) -> TcpStream {
    let mut stream = TcpStream::connect(simulator.address(account)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let body = body.to_string();
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    stream
}

/// Waits until an account has received so many requests.
pub(crate) fn await_requests(simulator: &Simulator, account: &str, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while simulator.received(account).len() < count {
        assert!(Instant::now() < deadline, "{account} has not received {count} requests");
        std::thread::yield_now();
    }
}

/// What the cache did for the latest exchange of an account.
pub(crate) fn usage(simulator: &Simulator, account: &str) -> Usage {
    simulator.received(account).pop().unwrap().usage.unwrap()
}

/// A text of exactly this many tokens, unlike those with another name.
pub(crate) fn text(name: &str, tokens: usize) -> String {
    let mut text = format!("{name} ").repeat(tokens * 4 / (name.len() + 1) + 1);
    text.truncate(tokens * 4);
    text
}
