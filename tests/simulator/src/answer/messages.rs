//! Answers in Anthropic's dialect.

use serde_json::{Value, json};

use crate::answer::{Answer, Event, Says, alphanumeric};

/// How a provider speaks this dialect.
#[derive(Clone, Copy)]
pub(crate) struct MessagesVoice {
    pub(crate) id: fn(seed: u128) -> String,
    pub(crate) usage: fn(&Answer<'_>) -> Value,
    pub(crate) usage_at: UsageAt,
    pub(crate) extras: Extras,
}

/// Which event of a stream tells the input tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum UsageAt {
    /// `message_start`; `message_delta` then has output tokens alone.
    Start,
    /// `message_delta`, after zeros at the start: what translators do.
    Delta,
}

/// What a provider adds to the events of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extras {
    Nothing,
    Ping,
    VertexEvent,
    InvocationMetrics,
}

impl MessagesVoice {
    pub(crate) fn id(&self, answer: &Answer<'_>) -> String {
        (self.id)(answer.serial.id("message"))
    }

    pub(crate) fn json(&self, answer: &Answer<'_>) -> Value {
        json!({
            "id": self.id(answer),
            "type": "message",
            "role": "assistant",
            "model": answer.source.model,
            "content": content(answer),
            "stop_reason": stop_reason(answer),
            "stop_sequence": null,
            "usage": (self.usage)(answer),
        })
    }

    pub(crate) fn events(&self, answer: &Answer<'_>) -> Vec<Event> {
        let mut message = self.json(answer);
        message["content"] = json!([]);
        message["stop_reason"] = Value::Null;
        let mut delta_usage = json!({ "output_tokens": answer.usage.output });
        match self.usage_at {
            UsageAt::Start => message["usage"]["output_tokens"] = json!(1),
            UsageAt::Delta => {
                delta_usage = message["usage"].take();
                // No delta has these.
                for name in ["cache_creation", "service_tier"] {
                    delta_usage.as_object_mut().map(|usage| usage.remove(name));
                }
                message["usage"] = json!({ "input_tokens": 0, "output_tokens": 0 });
            }
        }
        let mut events = Vec::new();
        if self.extras == Extras::VertexEvent {
            let usage = json!({ "input_tokens": answer.usage.uncached });
            events.push(Event::named(&json!({ "type": "vertex_event", "usage": usage })));
        }
        events.push(Event::named(&json!({ "type": "message_start", "message": message })));
        self.block(answer, &mut events);
        events.push(Event::named(&json!({
            "type": "message_delta",
            "delta": { "stop_reason": stop_reason(answer), "stop_sequence": null },
            "usage": delta_usage,
        })));
        let mut stop = json!({ "type": "message_stop" });
        if self.extras == Extras::InvocationMetrics {
            stop["amazon-bedrock-invocationMetrics"] = json!({
                "inputTokenCount": answer.usage.uncached,
                "outputTokenCount": answer.usage.output,
                "invocationLatency": 3,
                "firstByteLatency": 2,
                "cacheReadInputTokenCount": answer.usage.read,
                "cacheWriteInputTokenCount": answer.usage.write,
            });
        }
        events.push(Event::named(&stop));
        events
    }

    fn block(&self, answer: &Answer<'_>, events: &mut Vec<Event>) {
        let Some(mut block) = content(answer).pop() else { return };
        let (kind, member, said) = match &answer.says {
            Says::Text { text, .. } => {
                block["text"] = json!("");
                ("text_delta", "text", text)
            }
            Says::Call { arguments, .. } => {
                block["input"] = json!({});
                ("input_json_delta", "partial_json", arguments)
            }
        };
        let start = json!({ "type": "content_block_start", "index": 0, "content_block": block });
        events.push(Event::named(&start));
        if matches!(self.extras, Extras::Ping | Extras::VertexEvent) {
            events.push(Event::named(&json!({ "type": "ping" })));
        }
        for part in answer.parts(said) {
            let delta = json!({ "type": kind, member: part });
            let event = json!({ "type": "content_block_delta", "index": 0, "delta": delta });
            events.push(Event::named(&event).paced());
        }
        events.push(Event::named(&json!({ "type": "content_block_stop", "index": 0 })));
    }
}

fn content(answer: &Answer<'_>) -> Vec<Value> {
    match &answer.says {
        Says::Text { text, .. } if text.is_empty() => Vec::new(),
        Says::Text { text, .. } => vec![json!({ "type": "text", "text": text })],
        Says::Call { name, arguments } => {
            let id = format!("toolu_{}", alphanumeric(answer.serial.id("tool")));
            let input: Value = serde_json::from_str(arguments).unwrap_or_default();
            vec![json!({ "type": "tool_use", "id": id, "name": name, "input": input })]
        }
    }
}

fn stop_reason(answer: &Answer<'_>) -> &'static str {
    match answer.says {
        Says::Text { whole: true, .. } => "end_turn",
        Says::Text { .. } => "max_tokens",
        Says::Call { .. } => "tool_use",
    }
}
