//! Reading: what is read does not depend on how it was cut, and nothing that is read is kept.

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Conversation, Gateway, Reply, Scripted, scripted};
use serde_json::json;

const CHAT: &str = "/v1/chat/completions";

/// A usage object as Qwen writes it, and as clients of OpenAI know it.
const QWEN: &str = r#"{"prompt_tokens": 90, "completion_tokens": 3, "total_tokens": 93, "prompt_tokens_details": {"cached_tokens": 40, "cache_creation_input_tokens": 20}}"#;
const CHATS: &str = r#"{"prompt_tokens": 90, "completion_tokens": 3, "total_tokens": 93, "prompt_tokens_details": {"cached_tokens": 40, "cache_creation_input_tokens": 20,"cache_write_tokens":20,"caching_tokens":20}}"#;

fn json_answer(usage: &str) -> String {
    format!(
        r#" {{"id": "chatcmpl-1","choices":[{{"message":{{"content":"naïve \"usage\":{{"}}}}], "usage": {usage} ,"z":1E3}}"#
    )
}

fn events(usage: &str) -> String {
    [
        ": hello\r\n\r\n",
        "data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"delta\":{\"content\":\"naïve \\\"usage\\\":{\"}}],\"usage\":null}\n\n",
        "event: x\r\ndata:{\"id\":\"chatcmpl-1\",\"choices\":[],\r\ndata: \"usage\": ",
        usage,
        "}\r\n\r\ndata: [DONE]\n\n",
    ]
    .concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_ignores_chunking() {
    let provider = Scripted::start(Reply::json("{}")).await;
    let qwen = Bootstrap::shipped().upstream("openai-a", r#"{"provider": "qwen"}"#);
    let gateway = Gateway::scripted(qwen, &provider).await;
    let body = json!({"model": "m", "stream": true, "stream_options": {"include_usage": true}, "messages": []});
    let mut asked = 0;
    for (whole, expected) in [
        (Reply::events(events(QWEN)), events(CHATS)),
        (Reply::json(json_answer(QWEN)), json_answer(CHATS)),
        (Reply::json(json_answer(QWEN)).chunked(), json_answer(CHATS)),
    ] {
        let cuts = (1..json_answer(QWEN).len()).step_by(3).map(|at| whole.clone().cut_at(at));
        let pieces = [1, 2, 7].map(|bytes| whole.clone().in_pieces(bytes));
        for reply in [whole.clone()].into_iter().chain(cuts).chain(pieces) {
            provider.say(reply);
            let answer = gateway.post(CHAT, &body).await;
            assert_eq!(answer.text(), expected);
            asked += 1;
        }
    }
    let stats = gateway.envoy.stats().await;
    let tokens = |kind| stats.sum("warmpath_tokens_total", &[("kind", kind)]);
    let counted = ["input", "read", "write", "output"].map(tokens);
    assert_eq!(counted, [30 * asked, 40 * asked, 20 * asked, 3 * asked]);
}

/// What a reading leads to: where a request goes, and what the provider gets.
#[tokio::test(flavor = "multi_thread")]
async fn reading_ignores_windows() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    gateway.turn(&mut conversation, 2_000).await;
    conversation.ask(70_000);
    let body = conversation.body.to_string();
    let body = body.as_bytes();
    let mut seen = Vec::new();
    for piece in [body.len(), 10_000, 977, 66_000] {
        for length in
            [format!("content-length: {}", body.len()), "transfer-encoding: chunked".into()]
        {
            let mut raw = gateway.raw().await;
            // Nothing is learned, so that each request finds the same.
            let off = b"x-warmpath-affinity: off";
            raw.post("/v1/messages", &[length.as_bytes(), off]).await;
            for piece in body.chunks(piece) {
                if length.starts_with("content-length") {
                    raw.send(piece).await;
                } else {
                    raw.chunk(piece).await;
                }
                tokio::time::sleep(scripted::GAP).await;
            }
            if length.starts_with("transfer-encoding") {
                raw.chunk(b"").await;
            }
            let answer = raw.answer().await.expect("an answer");
            let (upstream, exchange) = gateway.exchange(&answer);
            let length = exchange.header("content-length").map(|value| value.to_vec());
            assert_eq!(length, Some(exchange.body.len().to_string().into_bytes()));
            seen.push((upstream, answer.explanation()["edits"].clone(), exchange.body));
        }
    }
    assert!(seen[0].2.len() > body.len(), "it was shaped");
    for other in &seen[1..] {
        assert_eq!(other, &seen[0]);
    }
}

/// Many ids that never come again: more than the table holds, by far.
#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded() {
    let provider = Scripted::start(Reply::json(json_answer(QWEN))).await;
    let small = Bootstrap::shipped().configure(r#""affinity": {"entries": 1024}"#).workers(2);
    let gateway = Gateway::scripted(small, &provider).await;
    let mut grown = 0;
    for round in 0..4 {
        let before = gateway.envoy.resident_bytes();
        let senders = (0..8).map(|sender| {
            let client = gateway.client();
            tokio::spawn(async move {
                for number in 0..250 {
                    let id = |name: &str| format!("{name}-{round}-{sender}-{number}");
                    let body = json!({"model": "m", "session_id": id("field"), "prompt_cache_key": id("key"), "task_id": id("task"),
                        "messages": [{"role": "user", "content": id("prompt")}]});
                    let call = client.post(CHAT, &body).header("x-session-id", id("session"));
                    let call = call.header("session-id", id("other")).header("session_id", id("third"));
                    assert_eq!(call.header("x-api-key", id("caller")).await.status, 200);
                }
            })
        });
        for sender in senders.collect::<Vec<_>>() {
            sender.await.expect("answers");
        }
        grown = gateway.envoy.resident_bytes().saturating_sub(before);
    }
    // Eight ids of each request in this round, were they kept, would be 2000 × 8 × some 220 bytes.
    assert!(grown < 2_000_000, "the last 2000 requests took {grown} bytes");
    let evicted = gateway.envoy.stats().await.sum("warmpath_table_total", &[("event", "evicted")]);
    assert!(evicted > 10_000, "{evicted}");
}
