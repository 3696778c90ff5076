//! An agent at work: in each turn a question, forty blocks of thinking, calls and results, and an
//! answer. Every request has all that came before.

use cases::plugin::Dialect;
use serde_json::{Value, json};

/// What an agent asks of a model in the course of a conversation, each request with the marks that
/// a client sets who knows what it sent before: on the last tool, at the end of the system prompt,
/// where the request before ended, and at its own end.
pub(crate) struct Agent {
    dialect: Dialect,
    model: &'static str,
    messages: Vec<Value>,
    /// How many messages the request before had.
    before: usize,
}

/// A request in both forms.
pub(crate) struct Asked {
    pub(crate) bare: Vec<u8>,
    pub(crate) marked: Vec<u8>,
}

/// Calls in one turn; with their results, a thought and a text they are forty blocks.
const CALLS: usize = 19;

const TOOLS: usize = 12;

impl Agent {
    pub(crate) fn new(dialect: Dialect, model: &'static str) -> Self {
        Self { dialect, model, messages: Vec::new(), before: 0 }
    }

    /// The two requests of a turn: the question, and the results of all calls.
    pub(crate) fn turn(&mut self, turn: usize) -> [Asked; 2] {
        self.messages.extend(question(self.dialect, turn));
        let asked = self.ask();
        self.messages.extend(work(self.dialect, turn));
        let worked = self.ask();
        self.messages.push(said(self.dialect, &text("answer", turn, 60)));
        [asked, worked]
    }

    fn ask(&mut self) -> Asked {
        let body = |messages: &[Value], tools: Value, system: Value| {
            let mut body = json!({ "model": self.model, "tools": tools });
            let system_message = json!({ "role": "system", "content": system.clone() });
            match self.dialect {
                Dialect::Chat => body["messages"] = [&[system_message], messages].concat().into(),
                Dialect::Responses => body["input"] = [&[system_message], messages].concat().into(),
                _ => {
                    body["max_tokens"] = json!(1024);
                    body["system"] = system;
                    body["messages"] = messages.into();
                }
            }
            body.to_string().into_bytes()
        };
        let (mut tools, mut system) = (tools(self.dialect), system(self.dialect));
        let bare = body(&self.messages, tools.clone(), system.clone());
        mark(&mut tools[TOOLS - 1]);
        mark(&mut system[0]);
        let mut messages = self.messages.clone();
        if let Some(before) = self.before.checked_sub(1) {
            mark_message(&mut messages[before]);
        }
        mark_message(messages.last_mut().expect("a question is there"));
        let marked = body(&messages, tools, system);
        self.before = self.messages.len();
        Asked { bare, marked }
    }
}

fn mark(object: &mut Value) {
    object["cache_control"] = json!({ "type": "ephemeral" });
}

/// On the last block, or on the message where that has none of its own.
fn mark_message(message: &mut Value) {
    let blocks = message.get_mut("content").and_then(Value::as_array_mut);
    match blocks.and_then(|blocks| blocks.last_mut()) {
        Some(block) => mark(block),
        None => mark(message),
    }
}

/// A text of so many words that no other text begins with.
fn text(what: &str, number: usize, words: usize) -> String {
    let words: Vec<_> = (0..words).map(|word| format!("{what}{number}w{word}")).collect();
    words.join(" ")
}

fn text_type(dialect: Dialect) -> &'static str {
    if dialect == Dialect::Responses { "input_text" } else { "text" }
}

fn system(dialect: Dialect) -> Value {
    json!([{ "type": text_type(dialect), "text": text("rule", 0, 900) }])
}

fn tools(dialect: Dialect) -> Value {
    let tool = |number| {
        let name = format!("tool_{number}");
        let description = text("tool", number, 60);
        let schema = json!({ "type": "object", "properties": { "cache_control": {} } });
        match dialect {
            Dialect::Chat => {
                json!({ "type": "function", "function": { "name": name, "description": description, "parameters": schema } })
            }
            Dialect::Responses => {
                json!({ "type": "function", "name": name, "description": description, "parameters": schema })
            }
            _ => json!({ "name": name, "description": description, "input_schema": schema }),
        }
    };
    (0..TOOLS).map(tool).collect()
}

/// A question, in every second turn with a picture.
fn question(dialect: Dialect, turn: usize) -> Vec<Value> {
    let url = format!("https://example.com/{turn}.png");
    let picture = match dialect {
        Dialect::Chat => json!({ "type": "image_url", "image_url": { "url": url } }),
        Dialect::Responses => json!({ "type": "input_image", "image_url": url }),
        _ => json!({ "type": "image", "source": { "type": "url", "url": url } }),
    };
    let mut parts = vec![json!({ "type": text_type(dialect), "text": text("question", turn, 40) })];
    if turn % 2 == 1 {
        parts.insert(0, picture);
    }
    vec![json!({ "role": "user", "content": parts })]
}

/// Thinking, calls, and all their results at once.
fn work(dialect: Dialect, turn: usize) -> Vec<Value> {
    let numbers = || (0..CALLS).map(|call| (turn * CALLS + call, format!("call_{turn}_{call}")));
    let arguments = |number: usize| json!({ "path": text("path", number, 3) });
    let result = |number: usize| text("result", number, 30);
    match dialect {
        Dialect::Chat => {
            let call = |(number, id)| json!({ "id": id, "type": "function", "function": { "name": "tool_1", "arguments": arguments(number).to_string() } });
            let calls: Vec<_> = numbers().map(call).collect();
            let asked = json!({ "role": "assistant", "content": text("plan", turn, 20), "tool_calls": calls });
            let results = numbers().map(|(number, id)| {
                json!({ "role": "tool", "tool_call_id": id, "content": result(number) })
            });
            [asked].into_iter().chain(results).collect()
        }
        Dialect::Responses => {
            let call = |(number, id)| json!({ "type": "function_call", "call_id": id, "name": "tool_1", "arguments": arguments(number).to_string() });
            let results = numbers().map(|(number, id)| {
                json!({ "type": "function_call_output", "call_id": id, "output": result(number) })
            });
            let plan = said(dialect, &text("plan", turn, 20));
            [plan].into_iter().chain(numbers().map(call)).chain(results).collect()
        }
        _ => {
            let mut blocks = vec![
                json!({ "type": "thinking", "thinking": text("thought", turn, 40), "signature": "c2ln" }),
                json!({ "type": "text", "text": text("plan", turn, 20) }),
            ];
            blocks.extend(numbers().map(|(number, id)| {
                json!({ "type": "tool_use", "id": id, "name": "tool_1", "input": arguments(number) })
            }));
            let results: Vec<_> = numbers()
                .map(|(number, id)| {
                    let content = json!([{ "type": "text", "text": result(number) }]);
                    json!({ "type": "tool_result", "tool_use_id": id, "content": content })
                })
                .collect();
            vec![
                json!({ "role": "assistant", "content": blocks }),
                json!({ "role": "user", "content": results }),
            ]
        }
    }
}

fn said(dialect: Dialect, text: &str) -> Value {
    let content = match dialect {
        Dialect::Responses => json!([{ "type": "output_text", "text": text }]),
        Dialect::Messages => json!([{ "type": "text", "text": text }]),
        _ => json!(text),
    };
    json!({ "role": "assistant", "content": content })
}
