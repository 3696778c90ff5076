use super::super::*;
use crate::dialect::Dialect;
use crate::provider::Usage;

const CHAT_STREAM: &str = concat!(
    ": comment\n\n",
    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi \\u00e9\"}}],\"usage\":null}\n\n",
    "data:{\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n",
    "data: {\"id\":\"chatcmpl-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":15000,\"completion_tokens\":60,\"total_tokens\":15060,\"prompt_tokens_details\":{\"cached_tokens\":12000,\"cache_write_tokens\":3000}},\"tail\":1}\n\n",
    "data: [DONE]\n\n"
);

/// Runs a stream through in these chunks.
fn run(purpose: Purpose, dialect: Dialect, chunks: &[&[u8]]) -> (Vec<u8>, Raw, Vec<Vec<u8>>) {
    let mut stream = Stream::new(dialect, Usage::Standard, purpose);
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend(stream.push(chunk).unwrap_or_else(|| chunk.to_vec()));
    }
    out.extend(stream.finish());
    (out, *stream.raw(), stream.ids().to_vec())
}

/// Checks that a stream comes out the same however it is cut, and returns it.
fn stream(purpose: Purpose, dialect: Dialect, text: &str) -> (String, Counts, Vec<Vec<u8>>) {
    let bytes = text.as_bytes();
    let whole = run(purpose, dialect, &[bytes]);
    for cut in 0..=bytes.len() {
        let (left, right) = bytes.split_at(cut);
        assert_eq!(run(purpose, dialect, &[left, right]), whole, "cut at {cut}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(run(purpose, dialect, &single), whole, "byte by byte");
    let (out, raw, ids) = whole;
    (String::from_utf8(out).unwrap(), raw.counts(dialect, Usage::Standard), ids)
}

#[test]
fn usage_ignores_chunking() {
    let (out, counts, ids) = stream(Purpose::Rewrite, Dialect::Chat, CHAT_STREAM);
    assert_eq!(
        out,
        CHAT_STREAM.replace(
            "\"cache_write_tokens\":3000",
            "\"cache_write_tokens\":3000,\"caching_tokens\":3000"
        )
    );
    assert_eq!((counts.input, counts.read, counts.write), (Some(15000), Some(12000), Some(3000)));
    assert_eq!(ids, [b"chatcmpl-1".to_vec()]);
}

#[test]
fn every_kind_of_line_end_is_known() {
    for end in ["\r\n", "\r"] {
        let text = CHAT_STREAM.replace('\n', end);
        let (out, counts, _) = stream(Purpose::Rewrite, Dialect::Chat, &text);
        assert!(out.contains("caching_tokens"));
        assert_eq!(counts.write, Some(3000));
        let (out, ..) = stream(Purpose::RewriteAndSwallow, Dialect::Chat, &text);
        let events: Vec<String> = CHAT_STREAM.split_inclusive("\n\n").map(String::from).collect();
        let kept = [0, 1, 2, 4].map(|index| events[index].clone()).concat();
        assert_eq!(out, kept.replace('\n', end));
    }
}

/// Whole events that tell nothing are not read as JSON; whatever tells something is, however it is written.
#[test]
fn what_an_event_tells_is_found_however_it_is_written() {
    let usage = "{\"prompt_tokens\":30,\"completion_tokens\":1}";
    for name in ["usage", "\\u0075sage", "us\\u0061ge"] {
        let event = format!("data: {{\"choices\":[],\"{name}\":{usage}}}\n\n");
        let (.., counts, _) = stream(Purpose::Read, Dialect::Chat, &event);
        assert_eq!(counts.input, Some(30), "{name}");
    }
    for (name, id) in [("id", "a"), ("id\" ", "\"b"), ("\\u0069d", "c"), ("task_id", "d")] {
        let name = if name.ends_with(' ') { format!("\"{name}") } else { format!("\"{name}\"") };
        let id = if id.starts_with('"') { format!(" {id}\"") } else { format!("\"{id}\"") };
        let known = "data: {\"id\":\"known\",\"choices\":[{}],\"usage\":null}\n\n";
        let event = format!("{known}{known}data: {{{name}:{id},\"choices\":[{{}}]}}\n\n");
        let (.., ids) = stream(Purpose::RewriteAndSwallow, Dialect::Chat, &event);
        assert_eq!(ids.len(), 2, "{event}");
    }
}

#[test]
fn a_usage_chunk_that_we_asked_for_is_swallowed() {
    let (out, counts, _) = stream(Purpose::RewriteAndSwallow, Dialect::Chat, CHAT_STREAM);
    assert!(
        !out.contains("prompt_tokens")
            && out.contains("\"usage\":null")
            && out.ends_with("data: [DONE]\n\n")
    );
    assert_eq!(counts.input, Some(15000));
    // One that carries content too is the client's.
    let mixed = "data: {\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"cached_tokens\":2}}\n\n";
    let (out, ..) = stream(Purpose::RewriteAndSwallow, Dialect::Chat, mixed);
    assert!(out.contains("\"prompt_tokens_details\":{\"cached_tokens\":2}"), "{out}");
}

#[test]
fn events_leave_when_they_come() {
    let mut stream = Stream::new(Dialect::Chat, Usage::Standard, Purpose::RewriteAndSwallow);
    for event in CHAT_STREAM.split_inclusive("\n\n").take(3) {
        let out = stream.push(event.as_bytes()).unwrap_or_else(|| event.as_bytes().to_vec());
        assert_eq!(out, event.as_bytes());
    }
    let mut stream = Stream::new(Dialect::Chat, Usage::Standard, Purpose::Rewrite);
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi";
    assert_eq!(stream.push(event.as_bytes()), None, "a part of an event passes at once");
}

const MESSAGES_STREAM: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"usage\":{\"input_tokens\":25,\"cache_creation_input_tokens\":340,\"cache_read_input_tokens\":12000,\"cache_creation\":{\"ephemeral_5m_input_tokens\":340,\"ephemeral_1h_input_tokens\":0},\"output_tokens\":1}}}\n\n",
    "event: ping\ndata: {\"type\": \"ping\"}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":15,\"input_tokens\":null}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
);

#[test]
fn messages_streams_pass_and_their_last_word_counts() {
    let (out, counts, ids) = stream(Purpose::RewriteAndSwallow, Dialect::Messages, MESSAGES_STREAM);
    assert_eq!(out, MESSAGES_STREAM);
    assert_eq!(
        (counts.input, counts.read, counts.write_5m, counts.output),
        (Some(12365), Some(12000), Some(340), Some(15))
    );
    assert_eq!(ids, [b"msg_1".to_vec()]);
}

#[test]
fn cut_streams_tell_what_came() {
    for cut in 0..MESSAGES_STREAM.len() {
        let (out, ..) = stream(Purpose::Rewrite, Dialect::Messages, &MESSAGES_STREAM[..cut]);
        assert_eq!(out, MESSAGES_STREAM[..cut]);
    }
    for cut in 0..CHAT_STREAM.len() {
        let (out, ..) = run(Purpose::Rewrite, Dialect::Chat, &[&CHAT_STREAM.as_bytes()[..cut]]);
        let out = String::from_utf8(out).unwrap();
        assert!(out.replace(",\"caching_tokens\":3000", "") == CHAT_STREAM[..cut], "{cut}: {out}");
    }
}

#[test]
fn responses_streams_are_rewritten_in_their_last_event() {
    let text = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"usage\":null}}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"output\":[{\"id\":\"msg_9\"}],\"usage\":{\"input_tokens\":10,\"input_tokens_details\":{\"cached_tokens\":4,\"cache_write_tokens\":0},\"output_tokens\":1,\"total_tokens\":11}}}\n\n";
    let (out, counts, ids) = stream(Purpose::Rewrite, Dialect::Responses, text);
    assert_eq!(
        out,
        text.replace("\"cache_write_tokens\":0", "\"cache_write_tokens\":0,\"caching_tokens\":0")
    );
    assert_eq!((counts.read, ids), (Some(4), vec![b"resp_1".to_vec()]));
}

#[test]
fn streams_hold_bounded_bytes() {
    for purpose in [Purpose::Rewrite, Purpose::RewriteAndSwallow] {
        let long = format!(
            "data: {{\"choices\":[],\"usage\":{{\"x\":\"{}\",\"prompt_tokens\":3,\"cached_tokens\":2}}}}\n\n",
            "y".repeat(100_000)
        );
        let mut stream = Stream::new(Dialect::Chat, Usage::Standard, purpose);
        let mut out = Vec::new();
        for chunk in long.as_bytes().chunks(1000) {
            out.extend(stream.push(chunk).unwrap_or_else(|| chunk.to_vec()));
            assert!(stream.held_bytes() <= body::USAGE_BYTES, "{}", stream.held_bytes());
        }
        out.extend(stream.finish());
        assert_eq!(out, long.as_bytes());
    }
}

#[test]
fn metrics_behind_a_bedrock_stream_are_read() {
    let metrics = "data: {\"type\":\"message_stop\",\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":3,\"outputTokenCount\":13,\"cacheReadInputTokenCount\":0,\"cacheWriteInputTokenCount\":25037}}\n\n";
    let (_, counts, _) = stream(Purpose::Read, Dialect::Messages, metrics);
    assert_eq!((counts.input, counts.write), (Some(25040), Some(25037)));
}
