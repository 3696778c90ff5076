//! Answers in the dialect of OpenAI's responses.

use serde_json::{Value, json};

use crate::answer::{Answer, Event, Says, alphanumeric, hex};
use crate::exchange::Usage;
use crate::json::Members;

/// How a provider speaks this dialect.
#[derive(Clone, Copy)]
pub(crate) struct ResponsesVoice {
    pub(crate) usage: fn(&Answer<'_>) -> Value,
}

impl ResponsesVoice {
    /// OpenAI's ways, for those who copy them.
    pub(crate) const PLAIN: Self = Self {
        usage: |answer| counts(&answer.usage, json!({ "cached_tokens": answer.usage.read })),
    };

    pub(crate) fn id(&self, answer: &Answer<'_>) -> String {
        format!("resp_{}", hex(answer.serial.id("response")))
    }

    pub(crate) fn json(&self, answer: &Answer<'_>) -> Value {
        let status = match answer.says {
            Says::Text { whole: false, .. } => "incomplete",
            _ => "completed",
        };
        let usage = (self.usage)(answer);
        self.response(answer, status, json!([item(answer, "completed")]), usage)
    }

    pub(crate) fn events(&self, answer: &Answer<'_>) -> Vec<Event> {
        let mut events = Numbered::default();
        let begun = self.response(answer, "in_progress", json!([]), Value::Null);
        events.push(json!({ "type": "response.created", "response": begun }));
        events.push(json!({ "type": "response.in_progress", "response": begun }));
        said(answer, &mut events);
        let whole = self.json(answer);
        let kind = format!("response.{}", whole["status"].as_str().unwrap_or_default());
        events.push(json!({ "type": kind, "response": whole }));
        events.0
    }

    fn response(&self, answer: &Answer<'_>, status: &str, output: Value, usage: Value) -> Value {
        let body = &answer.source.body;
        let asked = |name: &str, default: Value| {
            let value = body.get(name).and_then(|value| serde_json::from_str(value.raw()).ok());
            value.unwrap_or(default)
        };
        let incomplete = (status == "incomplete").then(|| json!({ "reason": "max_output_tokens" }));
        let mut response = json!({
            "id": self.id(answer),
            "object": "response",
            "created_at": answer.serial.created,
            "status": status,
            "background": false,
            "error": null,
            "incomplete_details": incomplete,
            "instructions": asked("instructions", Value::Null),
            "max_output_tokens": asked("max_output_tokens", Value::Null),
            "model": answer.source.model,
            "output": output,
            "parallel_tool_calls": asked("parallel_tool_calls", json!(true)),
            "previous_response_id": asked("previous_response_id", Value::Null),
            "reasoning": asked("reasoning", json!({ "effort": null, "summary": null })),
            "store": asked("store", json!(true)),
            "temperature": asked("temperature", json!(1.0)),
            "text": asked("text", json!({ "format": { "type": "text" } })),
            "tool_choice": asked("tool_choice", json!("auto")),
            "tools": asked("tools", json!([])),
            "top_p": asked("top_p", json!(1.0)),
            "truncation": asked("truncation", json!("disabled")),
            "usage": usage,
            "user": asked("user", Value::Null),
            "metadata": asked("metadata", json!({})),
        });
        for name in ["prompt_cache_key", "prompt_cache_options"] {
            if body.get(name).is_some() {
                response[name] = asked(name, Value::Null);
            }
        }
        response
    }
}

/// Usage whose input includes what was read and written; `details` tells how much that was.
pub(crate) fn counts(usage: &Usage, details: Value) -> Value {
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": details,
        "output_tokens": usage.output,
        "output_tokens_details": { "reasoning_tokens": usage.reasoning },
        "total_tokens": usage.input + usage.output,
    })
}

/// The one item of the output.
fn item(answer: &Answer<'_>, status: &str) -> Value {
    let id = alphanumeric(answer.serial.id("item"));
    match &answer.says {
        Says::Text { text, .. } => json!({
            "id": format!("msg_{id}"),
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [part(text)],
        }),
        Says::Call { name, arguments } => json!({
            "id": format!("fc_{id}"),
            "type": "function_call",
            "status": status,
            "arguments": arguments,
            "call_id": format!("call_{}", alphanumeric(answer.serial.id("tool"))),
            "name": name,
        }),
    }
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

/// Events that count themselves.
#[derive(Default)]
struct Numbered(Vec<Event>);

impl Numbered {
    fn push(&mut self, event: Value) {
        let event = self.numbered(event);
        self.0.push(event);
    }

    /// An event that tells a part of the text.
    fn tell(&mut self, event: Value) {
        let event = self.numbered(event).paced();
        self.0.push(event);
    }

    fn numbered(&self, mut event: Value) -> Event {
        event["sequence_number"] = json!(self.0.len());
        Event::named(&event)
    }
}

/// The events between the item's appearance and its end.
fn said(answer: &Answer<'_>, events: &mut Numbered) {
    let whole = item(answer, "completed");
    let id = &whole["id"];
    let mut begun = item(answer, "in_progress");
    let added = |item: Value| json!({ "type": "response.output_item.added", "output_index": 0, "item": item });
    match &answer.says {
        Says::Text { text, .. } => {
            begun["content"] = json!([]);
            events.push(added(begun));
            let at = |kind: &str| json!({ "type": kind, "item_id": id, "output_index": 0, "content_index": 0 });
            let with = |mut event: Value, member: &str, value: Value| {
                event[member] = value;
                event
            };
            events.push(with(at("response.content_part.added"), "part", part("")));
            for part in answer.parts(text) {
                let delta = with(at("response.output_text.delta"), "delta", json!(part));
                events.tell(with(delta, "logprobs", json!([])));
            }
            let done = with(at("response.output_text.done"), "text", json!(text));
            events.push(with(done, "logprobs", json!([])));
            events.push(with(at("response.content_part.done"), "part", part(text)));
        }
        Says::Call { name, arguments } => {
            begun["arguments"] = json!("");
            events.push(added(begun));
            let at = |kind: &str, member: &str, value: &str| {
                let mut event =
                    json!({ "type": kind, "item_id": id, "output_index": 0, "name": name });
                event[member] = json!(value);
                event
            };
            for part in answer.parts(arguments) {
                events.tell(at("response.function_call_arguments.delta", "delta", part));
            }
            events.push(at("response.function_call_arguments.done", "arguments", arguments));
        }
    }
    events.push(json!({ "type": "response.output_item.done", "output_index": 0, "item": whole }));
}

/// Whether the answer is kept, so that it can be continued or fetched.
pub(crate) fn is_stored(body: &Members<'_>) -> bool {
    body.get("store").is_none_or(|store| store.raw() != "false")
}
