//! All simulated providers, and a connection to each that is kept.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use simulator::{Account, Provider, Simulator, Usage};

pub(crate) struct Server {
    simulator: Simulator,
    connections: RefCell<HashMap<&'static str, BufReader<TcpStream>>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// What an error says.
    pub(crate) fn message(&self) -> String {
        let json: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let json = json.get(0).unwrap_or(&json);
        let message = json.pointer("/error/message").or(json.get("message"));
        message.map_or_else(|| self.body.clone(), ToString::to_string)
    }
}

impl Server {
    /// One account at each provider, with its name.
    pub(crate) fn start() -> Self {
        let accounts = Provider::ALL.map(|provider| Account::new(provider.name(), provider));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let simulator = runtime.block_on(Simulator::start(accounts.to_vec())).unwrap();
        Self { simulator, connections: RefCell::default() }
    }

    /// What the cache of an account did for its latest exchange.
    pub(crate) fn usage(&self, account: &str) -> Usage {
        self.simulator.received(account).pop().and_then(|exchange| exchange.usage).unwrap()
    }

    /// Forgets all that was cached and recorded.
    pub(crate) fn forget(&self) {
        self.simulator.forget();
    }

    /// Lets time pass, in seconds.
    pub(crate) fn advance(&self, seconds: u64) {
        self.simulator.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn post(
        &self,
        account: &'static str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut connections = self.connections.borrow_mut();
        let connection = connections.entry(account).or_insert_with(|| {
            let stream = TcpStream::connect(self.simulator.address(account)).unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            BufReader::new(stream)
        });
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: {account}\r\n");
        head += &format!("content-length: {}\r\n", body.len());
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        let request = [head.as_bytes(), b"content-type: application/json\r\n\r\n", body].concat();
        connection.get_mut().write_all(&request).unwrap();
        answer(connection)
    }
}

fn answer(connection: &mut BufReader<TcpStream>) -> Answer {
    let status = line(connection).split(' ').nth(1).unwrap().parse().unwrap();
    let mut length = None;
    loop {
        let header = line(connection).to_lowercase();
        if header.is_empty() {
            break;
        }
        let value = header.strip_prefix("content-length: ");
        length = value.map_or(length, |value| value.parse().ok());
    }
    let mut body = Vec::new();
    match length {
        Some(length) => body = bytes(connection, length),
        // In chunks.
        None => loop {
            let length = usize::from_str_radix(&line(connection), 16).unwrap();
            body.extend(bytes(connection, length));
            line(connection);
            if length == 0 {
                break;
            }
        },
    }
    Answer { status, body: String::from_utf8(body).unwrap() }
}

fn line(connection: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    connection.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn bytes(connection: &mut BufReader<TcpStream>, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    connection.read_exact(&mut bytes).unwrap();
    bytes
}
