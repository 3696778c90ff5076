//! Answers in the dialect of OpenAI's chat completions.

use serde_json::{Value, json};

use crate::answer::{Answer, Event, Says, alphanumeric};
use crate::exchange::Usage;
use crate::json::Json;

/// How a provider speaks this dialect.
#[derive(Clone, Copy)]
pub(crate) struct ChatVoice {
    pub(crate) id: fn(seed: u128, created: u64) -> String,
    pub(crate) usage: fn(&Answer<'_>) -> Value,
    pub(crate) stream_usage: StreamUsage,
    /// Further members of an answer and of every chunk of one.
    pub(crate) extra: fn(&Answer<'_>) -> Vec<(&'static str, Value)>,
    /// A comment line before the first chunk.
    pub(crate) comment: Option<&'static str>,
}

/// Where a stream tells its usage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamUsage {
    /// In a chunk of its own after the last, where `stream_options.include_usage` asks for it.
    Asked,
    /// In the last chunk, where it is asked for.
    AskedInLast,
    /// In the last chunk, unasked.
    Last,
    /// In a chunk of its own, unasked.
    Always,
    /// In `x_groq` of the last chunk, and as OpenAI has it where asked.
    Groq,
    /// In `choices[0]` of the last chunk, unless asked for as OpenAI has it.
    Choice,
}

impl ChatVoice {
    /// OpenAI's ways, for those who copy them.
    pub(crate) const PLAIN: Self = Self {
        id: |seed, _| format!("chatcmpl-{}", alphanumeric(seed)),
        usage: |answer| counts(&answer.usage, json!({ "cached_tokens": answer.usage.read })),
        stream_usage: StreamUsage::Asked,
        extra: |_| Vec::new(),
        comment: None,
    };

    pub(crate) fn id(&self, answer: &Answer<'_>) -> String {
        (self.id)(answer.serial.id("chat"), answer.serial.created)
    }

    pub(crate) fn json(&self, answer: &Answer<'_>) -> Value {
        let mut message = json!({ "role": "assistant", "content": null });
        match &answer.says {
            Says::Text { text, .. } => message["content"] = json!(text),
            Says::Call { .. } => message["tool_calls"] = json!([call(answer)]),
        }
        let choice =
            json!({ "index": 0, "message": message, "finish_reason": finish_reason(answer) });
        let mut json = self.envelope(answer, "chat.completion", json!([choice]));
        json["usage"] = (self.usage)(answer);
        json
    }

    pub(crate) fn events(&self, answer: &Answer<'_>) -> Vec<Event> {
        let mut events: Vec<_> = self
            .comment
            .map(|comment| Event::new(format!(": {comment}\n\n")))
            .into_iter()
            .collect();
        let options = answer.source.body.get("stream_options");
        let option =
            |name: &str| options.and_then(|options| options.get(name)).is_some_and(Json::is_true);
        let asked = option("include_usage");
        let usage = (self.usage)(answer);
        let chunk = |choices: Value| {
            let mut chunk = self.envelope(answer, "chat.completion.chunk", choices);
            if asked {
                let continuous = option("continuous_usage_stats");
                chunk["usage"] = if continuous { usage.clone() } else { Value::Null };
            }
            chunk
        };
        let delta =
            |delta: Value| chunk(json!([{ "index": 0, "delta": delta, "finish_reason": null }]));

        events.push(Event::data(&delta(json!({ "role": "assistant", "content": "" }))));
        for said in said(answer) {
            events.push(Event::data(&delta(said)).paced());
        }
        let finish = json!([{ "index": 0, "delta": {}, "finish_reason": finish_reason(answer) }]);
        let mut last = chunk(finish);
        let mut own = asked;
        match self.stream_usage {
            StreamUsage::Asked => {}
            StreamUsage::AskedInLast if !asked => {}
            StreamUsage::AskedInLast | StreamUsage::Last => {
                last["usage"] = usage.clone();
                own = false;
            }
            StreamUsage::Always => own = true,
            StreamUsage::Groq => last["x_groq"]["usage"] = usage.clone(),
            StreamUsage::Choice if asked => {}
            StreamUsage::Choice => last["choices"][0]["usage"] = usage.clone(),
        }
        events.push(Event::data(&last));
        if own {
            let mut chunk = chunk(json!([]));
            chunk["usage"] = usage;
            events.push(Event::data(&chunk));
        }
        events.push(Event::new("data: [DONE]\n\n".to_owned()));
        events
    }

    fn envelope(&self, answer: &Answer<'_>, object: &str, choices: Value) -> Value {
        let mut json = json!({
            "id": self.id(answer),
            "object": object,
            "created": answer.serial.created,
            "model": answer.source.model,
            "choices": choices,
        });
        for (name, value) in (self.extra)(answer) {
            json[name] = value;
        }
        json
    }
}

/// Usage whose input includes what was read and written; `details` tells how much that was.
pub(crate) fn counts(usage: &Usage, details: Value) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": details,
    })
}

/// The deltas between the first chunk and the last.
fn said(answer: &Answer<'_>) -> Vec<Value> {
    match &answer.says {
        Says::Text { text, .. } => {
            answer.parts(text).into_iter().map(|part| json!({ "content": part })).collect()
        }
        Says::Call { arguments, .. } => {
            let mut first = call(answer);
            first["index"] = json!(0);
            first["function"]["arguments"] = json!("");
            let rest = answer.parts(arguments).into_iter().map(
                |part| json!({ "tool_calls": [{ "index": 0, "function": { "arguments": part } }] }),
            );
            [json!({ "tool_calls": [first] })].into_iter().chain(rest).collect()
        }
    }
}

fn call(answer: &Answer<'_>) -> Value {
    let Says::Call { name, arguments } = &answer.says else { return Value::Null };
    let id = format!("call_{}", alphanumeric(answer.serial.id("tool")));
    json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
}

fn finish_reason(answer: &Answer<'_>) -> &'static str {
    match answer.says {
        Says::Text { whole: true, .. } => "stop",
        Says::Text { .. } => "length",
        Says::Call { .. } => "tool_calls",
    }
}
