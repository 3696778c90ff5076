//! The client of the measurements: a few connections that are kept, each with a thread that sends one request after the
//! other.

use std::io::{IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::prompt::Script;
use crate::upstream::{STAMP, STAMP_DIGITS, WANTS_STREAM, clock};

/// Clients with a connection each.
pub struct Load {
    clients: Vec<Client>,
}

/// What is sent.
#[derive(Clone)]
pub struct Plan {
    pub script: Script,
    pub path: &'static str,
    pub stream: bool,
    /// Whether each conversation has a session of its own.
    pub sessions: bool,
}

/// What a run of requests was like for the clients.
#[derive(Default)]
pub struct Seen {
    pub latencies: Vec<Duration>,
    /// From the moment at which the upstream wrote an event to that at which the client had it.
    pub delays: Vec<Duration>,
}

struct Client {
    connection: TcpStream,
    plan: Plan,
    /// The conversation that is being played, and its next turn.
    conversation: u64,
    turn: usize,
    /// The first conversation of this client.
    first: Option<u64>,
    unread: Vec<u8>,
    scratch: Vec<u8>,
}

impl Load {
    pub fn connect(address: SocketAddr, plan: &Plan, connections: usize) -> Self {
        let client = |_| {
            let connection = TcpStream::connect(address).expect("a connection to Envoy");
            connection.set_nodelay(true).expect("a socket option");
            Client {
                connection,
                plan: plan.clone(),
                conversation: 0,
                turn: 0,
                first: None,
                unread: Vec::new(),
                scratch: vec![0; 64 * 1024],
            }
        };
        Self { clients: (0..connections).map(client).collect() }
    }

    /// Sends so many requests over all connections and reads their answers.
    ///
    /// # Panics
    ///
    /// When one is not answered with 200.
    pub fn run(&mut self, requests: usize) -> Seen {
        let each = requests / self.clients.len();
        let seen = std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .clients
                .iter_mut()
                .map(|client| {
                    scope.spawn(move || {
                        let mut seen = Seen::default();
                        (0..each).for_each(|_| client.exchange(&mut seen));
                        seen
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a client")).collect::<Vec<_>>()
        });
        Seen {
            latencies: seen.iter().flat_map(|seen| &seen.latencies).copied().collect(),
            delays: seen.iter().flat_map(|seen| &seen.delays).copied().collect(),
        }
    }

    /// Plays the first turn of the first conversation again, and returns the answer's head and its body.
    ///
    /// # Panics
    ///
    /// When nothing was played yet, or it is not answered with 200.
    pub fn first_again(&mut self) -> (String, Vec<u8>) {
        let client = self.clients.first_mut().expect("a client");
        (client.conversation, client.turn) = (client.first.expect("a first conversation"), 0);
        let end = client.play(&mut Seen::default());
        let body = client.unread.split_off(end);
        (String::from_utf8_lossy(&client.unread).into_owned(), body)
    }
}

impl Client {
    fn exchange(&mut self, seen: &mut Seen) {
        static CONVERSATIONS: AtomicU64 = AtomicU64::new(1);
        if self.turn == 0 {
            self.conversation = CONVERSATIONS.fetch_add(1, Ordering::Relaxed);
            self.first.get_or_insert(self.conversation);
        }
        self.play(seen);
        self.turn = (self.turn + 1) % self.plan.script.turns();
    }

    /// Plays the turn that is next; returns where in what was read the answer's body begins.
    fn play(&mut self, seen: &mut Seen) -> usize {
        let Plan { script, path, stream, sessions } = &mut self.plan;
        let body = script.body(self.turn, self.conversation);
        let session = match sessions {
            true => format!("x-session-id: session-{}\r\n", self.conversation),
            false => String::new(),
        };
        let wants = if *stream { format!("{WANTS_STREAM}\r\n") } else { String::new() };
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\nauthorization: Bearer sk-bench\r\nanthropic-version: 2023-06-01\r\nuser-agent: bench\r\naccept: application/json\r\n{session}{wants}content-length: {}\r\n\r\n",
            body.len()
        );
        let start = Instant::now();
        send(&mut self.connection, head.as_bytes(), body).expect("an Envoy that reads");
        let body = self.answer(seen);
        seen.latencies.push(start.elapsed());
        body
    }

    /// Reads an answer to its end; returns where its body begins.
    fn answer(&mut self, seen: &mut Seen) -> usize {
        self.unread.clear();
        let end = loop {
            self.read();
            if let Some(end) = memchr::memmem::find(&self.unread, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).into_owned();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if let Some(length) = length {
            let length: usize = length.parse().expect("a length");
            while self.unread.len() < end + length {
                self.read();
            }
            return end;
        }
        // Chunked: its last chunk is looked for, not each; no event ends like that.
        let mut stamped = end;
        loop {
            let now = clock();
            while let Some(at) = memchr::memmem::find(&self.unread[stamped..], STAMP) {
                let from = stamped + at + STAMP.len();
                let Some(digits) = self.unread.get(from..from + STAMP_DIGITS) else { break };
                let written = std::str::from_utf8(digits).expect("digits").parse().expect("a time");
                seen.delays.push(now.saturating_sub(Duration::from_nanos(written)));
                stamped = from + STAMP_DIGITS;
            }
            if self.unread.ends_with(b"\r\n0\r\n\r\n") {
                return end;
            }
            self.read();
        }
    }

    fn read(&mut self) {
        let count = self.connection.read(&mut self.scratch).expect("an Envoy that answers");
        assert!(count > 0, "Envoy has closed the connection");
        self.unread.extend_from_slice(&self.scratch[..count]);
    }
}

fn send(connection: &mut TcpStream, head: &[u8], body: &[u8]) -> std::io::Result<()> {
    let sent = connection.write_vectored(&[IoSlice::new(head), IoSlice::new(body)])?;
    if sent < head.len() {
        connection.write_all(&head[sent..])?;
        return connection.write_all(body);
    }
    connection.write_all(&body[sent - head.len()..])
}
