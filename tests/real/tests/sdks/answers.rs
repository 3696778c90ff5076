//! The golden answers, and what an SDK should expose of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use e2e::Reply;
use serde_json::{Value, json};

/// Answers that no SDK reads as a whole answer, or not as its provider means it, and why.
const NOT_FOR_SDKS: [(&str, &str); 12] = [
    ("anthropic/messages.error.sse", "an error in mid-stream is raised"),
    ("bedrock/messages.converse.json", "Converse's own names, which its own SDK reads"),
    ("bedrock/messages.converse_stream.sse", "the same, and no server-sent events on the wire"),
    ("bedrock/messages.stop_usage.sse", "counts in message_stop, where the SDK does not look"),
    ("bedrock/messages.stream.sse", "no names of events: an AWS event stream on the wire"),
    ("litellm/chat.stream_nulls.sse", "the last usage has null where an earlier one has counts"),
    ("openai/chat.odd_numbers.json", "numbers that are no counts"),
    ("openai/chat.stream_comments.sse", "data that is no JSON is raised"),
    ("openai/chat.stream_cut.sse", "cut inside the usage"),
    ("openai/chat.stream_error.sse", "an error in mid-stream is raised"),
    ("openai/chat.stream_no_last_line_end.sse", "the SDK drops an event that does not end"),
    ("openai/chat.stream_not_json.sse", "data that is no JSON is raised"),
];

/// The web search example of Anthropic's page has fewer members than the SDK's strict type.
const NOT_STRICT: &str = "anthropic/messages.stream_delta_overrides.sse";

/// Pieces in which streams are sent, in bytes: events are cut in their middle.
const PIECE_BYTES: usize = 97;

/// A golden answer, and what is counted in it.
pub struct Fixture {
    pub provider: String,
    pub dialect: String,
    pub is_stream: bool,
    /// From the folder of the answers on.
    pub path: String,
    body: Vec<u8>,
    /// What the plugin counts: `counts` and `ids`.
    told: Value,
}

/// Returns the golden answers that are for the SDKs, in order.
///
/// # Panics
///
/// When one of those that are not has gone.
pub fn golden() -> Vec<Fixture> {
    let mut left_out = BTreeSet::from(NOT_FOR_SDKS.map(|(path, _)| path));
    let mut fixtures: Vec<Fixture> = providers()
        .iter()
        .flat_map(|provider| files(&folder().join(provider)))
        .filter_map(|path| Fixture::read(&path))
        .collect();
    fixtures.retain(|fixture| !left_out.remove(fixture.path.as_str()));
    assert!(left_out.is_empty(), "no such answers: {left_out:?}");
    fixtures
}

/// Returns the names of the providers that have answers.
pub fn providers() -> Vec<String> {
    let name = |path: PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    files(&folder()).into_iter().filter_map(name).collect()
}

impl Fixture {
    fn read(path: &Path) -> Option<Self> {
        let end = path.extension()?.to_str()?;
        let name = path.file_stem()?.to_str()?;
        let made = [".usage", ".client", ".swallowed"].iter().any(|made| name.ends_with(made));
        let dialect = name.split('.').next()?;
        // Objects are no dialect of an SDK here.
        if made || dialect == "objects" {
            return None;
        }
        let told =
            std::fs::read(path.with_file_name(format!("{name}.usage.json"))).expect("counts");
        let provider = path.parent()?.file_name()?.to_str()?;
        Some(Self {
            provider: provider.into(),
            dialect: dialect.into(),
            is_stream: end == "sse",
            path: format!("{provider}/{name}.{end}"),
            body: std::fs::read(path).expect("an answer"),
            told: serde_json::from_slice(&told).expect("JSON"),
        })
    }

    pub fn reply(&self) -> Reply {
        if self.is_stream {
            Reply::events(self.body.clone()).in_pieces(PIECE_BYTES)
        } else {
            Reply::json(self.body.clone())
        }
    }

    /// Whether the answer says what was asked and what was answered.
    pub fn tells_usage(&self) -> bool {
        ["input", "output"].iter().all(|name| self.told["counts"][name].is_u64())
    }

    /// Compares what an SDK exposes with what was counted.
    pub fn compare(&self, exposed: &Value) -> Result<(), String> {
        let (counts, told) = (&exposed["counts"], &self.told["counts"]);
        if !self.told["ids"].as_array().is_some_and(|ids| ids.contains(&exposed["id"])) {
            return Err(format!("another id, or none: {exposed}"));
        }
        if counts.is_null() {
            let nothing =
                told.as_object().is_some_and(|counts| counts.values().all(Value::is_null));
            return if nothing { Ok(()) } else { Err(format!("no usage instead of {told}")) };
        }
        for name in ["input", "uncached", "read", "write", "output", "reasoning"] {
            if counts[name] != told[name] {
                return Err(format!("{name} is {}, expected {}", counts[name], told[name]));
            }
        }
        let split =
            ["write_5m", "write_1h"].map(|name| (counts[name].as_u64(), told[name].as_u64()));
        let sum = split[0].0.zip(split[1].0).map(|(five, hour)| five + hour);
        // A stream whose last event raises the sum does not tell the split again.
        if sum.is_some()
            && sum == counts["write"].as_u64()
            && split.iter().any(|(got, told)| got != told)
        {
            return Err(format!("the lifetimes are {counts}, expected {told}"));
        }
        // The strict type of responses wants counts of which some providers say nothing, and what is unknown is left out.
        let unknown = self.dialect == "responses" && told["write"].is_null();
        if exposed["invalid"].is_string() != (unknown || self.path == NOT_STRICT) {
            return Err(format!("by the SDK's type: {}", exposed["invalid"]));
        }
        Ok(())
    }
}

/// Returns an answer of this dialect with this usage.
pub fn answer(dialect: &str, usage: &Value) -> Value {
    let text = "Hello!";
    match dialect {
        "messages" => json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn", "stop_sequence": null,
            "content": [{"type": "text", "text": text}], "usage": usage
        }),
        "chat" => json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1795132800, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}], "usage": usage
        }),
        _ => json!({
            "id": "resp_1", "object": "response", "created_at": 1795132800, "model": "m", "status": "completed",
            "output": [{"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "text": text, "annotations": []}]}],
            "usage": usage
        }),
    }
}

fn folder() -> PathBuf {
    e2e::bootstrap::root().join("tests/golden/responses")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}
