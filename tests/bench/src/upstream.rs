//! The upstream of the measurements: a small HTTP/1.1 server with canned answers, so that what is measured is Envoy and
//! not the simulated providers. One thread per connection, no copy of a body.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use warmpath::dialect::Dialect;

/// Events of a stream that tell text.
pub const EVENTS: usize = 200;
/// Time between two of them.
pub const GAP: Duration = Duration::from_millis(2);
/// Stands in front of the moment at which an event was written, in nanoseconds since the bench began.
pub const STAMP: &[u8] = b"written at ";
pub const STAMP_DIGITS: usize = 16;

/// A request header that asks for a stream.
pub const WANTS_STREAM: &str = "x-bench: stream";

/// Starts the server; it serves as long as this process lives.
pub fn serve() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || answer_all(connection));
        }
    });
    address
}

/// Returns the time since the first call of this function in this process.
pub fn clock() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// An end of the connection, of either kind, ends the thread: Envoy was stopped.
fn answer_all(mut connection: TcpStream) {
    let mut scratch = vec![0; 256 * 1024];
    if connection.set_nodelay(true).is_err() {
        return;
    }
    while let Some(request) = request(&mut connection, &mut scratch) {
        let answered = match request.stream {
            true => stream(&mut connection, request.dialect),
            false => connection.write_all(&json(request.dialect)),
        };
        if answered.is_err() {
            return;
        }
    }
}

struct Request {
    dialect: Dialect,
    stream: bool,
}

/// Reads a request to its end; nothing of the body is kept.
fn request(connection: &mut TcpStream, scratch: &mut [u8]) -> Option<Request> {
    let mut filled = 0;
    let end = loop {
        let count = connection.read(&mut scratch[filled..]).ok().filter(|count| *count > 0)?;
        filled += count;
        if let Some(end) = memchr::memmem::find(&scratch[..filled], b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&scratch[..end]).into_owned();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length?.parse().ok()?;
    let mut missing = length - (filled - end);
    while missing > 0 {
        let count = connection.read(scratch).ok().filter(|count| *count > 0)?;
        missing -= count;
    }
    let chat = head.lines().next().is_some_and(|line| line.contains("/chat/completions"));
    let dialect = if chat { Dialect::Chat } else { Dialect::Messages };
    Some(Request { dialect, stream: head.contains(WANTS_STREAM) })
}

/// Returns a number that no answer had before.
fn serial() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub fn json(dialect: Dialect) -> Vec<u8> {
    let serial = serial();
    let said = "I have read the file and changed the two lines that you named. ".repeat(12);
    let body = match dialect {
        Dialect::Messages => format!(
            r#"{{"model":"claude-sonnet-4-5-20250929","id":"msg_{serial:020}","type":"message","role":"assistant","content":[{{"type":"text","text":"{said}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":12,"cache_creation_input_tokens":310,"cache_read_input_tokens":20480,"cache_creation":{{"ephemeral_5m_input_tokens":310,"ephemeral_1h_input_tokens":0}},"output_tokens":188,"service_tier":"standard"}}}}"#
        ),
        _ => format!(
            r#"{{"id":"chatcmpl-{serial:020}","object":"chat.completion","created":1790000000,"model":"gpt-5.1","choices":[{{"index":0,"message":{{"role":"assistant","content":"{said}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":20802,"completion_tokens":188,"total_tokens":20990,"prompt_tokens_details":{{"cached_tokens":20480,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}},"service_tier":"default","system_fingerprint":null}}"#
        ),
    };
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn stream(connection: &mut TcpStream, dialect: Dialect) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
    let (first, last) = frame(dialect, serial());
    connection.write_all(&[head.as_bytes(), &chunk(&first)].concat())?;
    let start = Instant::now();
    for number in 1..=EVENTS as u32 {
        std::thread::sleep((GAP * number).saturating_sub(start.elapsed()));
        connection.write_all(&chunk(&event(dialect, clock().as_nanos())))?;
    }
    connection.write_all(&[&chunk(&last)[..], b"0\r\n\r\n"].concat())
}

fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

/// Returns what stands in front of the events that tell text, and what behind them.
pub fn frame(dialect: Dialect, serial: u64) -> (String, String) {
    match dialect {
        Dialect::Messages => (
            format!(
                "event: message_start\ndata: {{\"type\":\"message_start\",\"message\":{{\"model\":\"claude-sonnet-4-5-20250929\",\"id\":\"msg_{serial:020}\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{{\"input_tokens\":12,\"cache_creation_input_tokens\":310,\"cache_read_input_tokens\":20480,\"cache_creation\":{{\"ephemeral_5m_input_tokens\":310,\"ephemeral_1h_input_tokens\":0}},\"output_tokens\":3,\"service_tier\":\"standard\"}}}}}}\n\nevent: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"text\",\"text\":\"\"}}}}\n\n"
            ),
            "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"input_tokens\":12,\"cache_creation_input_tokens\":310,\"cache_read_input_tokens\":20480,\"output_tokens\":188}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".into(),
        ),
        _ => (
            format!(
                "data: {{\"id\":\"chatcmpl-{serial:020}\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-5.1\",\"choices\":[{{\"index\":0,\"delta\":{{\"role\":\"assistant\",\"content\":\"\"}},\"finish_reason\":null}}]}}\n\n"
            ),
            "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-5.1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-5.1\",\"choices\":[],\"usage\":{\"prompt_tokens\":20802,\"completion_tokens\":188,\"total_tokens\":20990,\"prompt_tokens_details\":{\"cached_tokens\":20480}}}\n\ndata: [DONE]\n\n".into(),
        ),
    }
}

/// Returns an event that tells text, and when it was written.
pub fn event(dialect: Dialect, written: u128) -> String {
    match dialect {
        Dialect::Messages => format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\" written at {written:016}\"}}}}\n\n"
        ),
        _ => format!(
            "data: {{\"id\":\"chatcmpl-00000000000000000001\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-5.1\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" written at {written:016}\"}},\"finish_reason\":null}}]}}\n\n"
        ),
    }
}
