//! Conversations as clients hold them: the same instructions and tools in every conversation, then turns that grow. Texts are
//! made from a seed, so that a run can be repeated, and are as long as those of real sessions.

use serde_json::{Value, json};

use crate::Answer;

/// Lengths in bytes as they are in real sessions of an agent; together some 4000 tokens, above every provider's minimum but
/// the longest.
const INSTRUCTIONS_BYTES: usize = 9_000;
const TOOL_BYTES: usize = 1_500;
const TOOLS: usize = 4;

/// The client-facing API of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Messages,
    Chat,
    Responses,
}

/// A conversation between one client and a model.
#[derive(Clone, Debug)]
pub struct Conversation {
    dialect: Dialect,
    /// The next request's body.
    pub body: Value,
    marks: Marks,
    seed: u64,
    asked: u64,
}

/// Who marks what is to be cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marks {
    Nobody,
    /// The instructions and the newest turn, as coding agents do.
    Client,
}

impl Conversation {
    /// Begins a conversation; another seed has other turns, but the same instructions and tools.
    pub fn new(dialect: Dialect, seed: u64) -> Self {
        let instructions = text(0, INSTRUCTIONS_BYTES);
        let body = match dialect {
            Dialect::Messages => json!({
                "model": "claude-sonnet-4-5",
                "max_tokens": 1024,
                "system": [{"type": "text", "text": instructions}],
                "tools": tools(|name, description, schema| json!({"name": name, "description": description, "input_schema": schema})),
                "messages": [],
            }),
            Dialect::Chat => json!({
                "model": "gpt-5.1",
                "tools": tools(|name, description, schema| {
                    json!({"type": "function", "function": {"name": name, "description": description, "parameters": schema}})
                }),
                "messages": [{"role": "system", "content": instructions}],
            }),
            Dialect::Responses => json!({
                "model": "gpt-5.1",
                "instructions": instructions,
                "tools": tools(|name, description, schema| {
                    json!({"type": "function", "name": name, "description": description, "parameters": schema})
                }),
                "input": [],
            }),
        };
        Self { dialect, body, marks: Marks::Nobody, seed, asked: 0 }
    }

    /// Asks for streams.
    pub fn streaming(mut self) -> Self {
        self.body["stream"] = json!(true);
        if self.dialect == Dialect::Chat {
            self.body["stream_options"] = json!({"include_usage": true});
        }
        self
    }

    /// Marks the instructions and, from turn to turn, what was asked last; only [`Dialect::Messages`] has marks.
    pub fn marking(mut self) -> Self {
        self.marks = Marks::Client;
        self.body["system"][0]["cache_control"] = json!({"type": "ephemeral"});
        self
    }

    /// Returns the path that this dialect is sent to.
    pub fn path(&self) -> &'static str {
        match self.dialect {
            Dialect::Messages => "/v1/messages",
            Dialect::Chat => "/v1/chat/completions",
            Dialect::Responses => "/v1/responses",
        }
    }

    /// Adds a turn of the user, of so many bytes.
    pub fn ask(&mut self, bytes: usize) {
        self.asked += 1;
        let question = text(self.seed << 32 | self.asked, bytes);
        let content = match self.marks {
            Marks::Nobody => json!(question),
            Marks::Client => {
                let earlier =
                    self.turns().iter_mut().filter_map(|turn| turn.pointer_mut("/content/0"));
                earlier
                    .filter_map(Value::as_object_mut)
                    .for_each(|block| drop(block.remove("cache_control")));
                json!([{"type": "text", "text": question, "cache_control": {"type": "ephemeral"}}])
            }
        };
        self.turns().push(json!({"role": "user", "content": content}));
    }

    /// Adds what the model said, as clients send it back.
    ///
    /// # Panics
    ///
    /// When the answer is an error.
    pub fn hear(&mut self, answer: &Answer) {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let said = said(self.dialect, answer);
        let turn = match self.dialect {
            Dialect::Messages => {
                json!({"role": "assistant", "content": [{"type": "text", "text": said}]})
            }
            Dialect::Chat => json!({"role": "assistant", "content": said}),
            Dialect::Responses => {
                json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said}]})
            }
        };
        self.turns().push(turn);
    }

    fn turns(&mut self) -> &mut Vec<Value> {
        let member = if self.dialect == Dialect::Responses { "input" } else { "messages" };
        self.body[member].as_array_mut().expect("a list of turns")
    }
}

/// Returns the text of an answer, plain or streamed.
fn said(dialect: Dialect, answer: &Answer) -> String {
    let texts = answer.documents().into_iter().map(|document| match dialect {
        Dialect::Messages => {
            texts(&document["content"]) + document["delta"]["text"].as_str().unwrap_or_default()
        }
        Dialect::Chat => {
            let choice = &document["choices"][0];
            [&choice["message"], &choice["delta"]]
                .iter()
                .filter_map(|part| part["content"].as_str())
                .collect()
        }
        Dialect::Responses if document["type"] == "response.completed" => {
            outputs(&document["response"])
        }
        Dialect::Responses => outputs(&document),
    });
    texts.collect()
}

fn outputs(response: &Value) -> String {
    response["output"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| texts(&item["content"]))
        .collect()
}

fn texts(blocks: &Value) -> String {
    blocks.as_array().into_iter().flatten().filter_map(|block| block["text"].as_str()).collect()
}

fn tools(tool: impl Fn(String, String, Value) -> Value) -> Value {
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}, "limit": {"type": "integer"}}});
    (1..=TOOLS as u64)
        .map(|n| tool(format!("tool_{n}"), text(n, TOOL_BYTES), schema.clone()))
        .collect()
}

/// Makes a text of at least so many bytes, the same for the same seed; some characters need an escape in JSON or more than
/// one byte, as in real prompts.
pub fn text(seed: u64, bytes: usize) -> String {
    const WORDS: [&str; 16] = [
        "the",
        "cache",
        "of",
        "a",
        "prompt",
        "\"holds\"",
        "every",
        "token",
        "in",
        "order,\n",
        "prefix",
        "naïve",
        "until",
        "then",
        "path\\to",
        "ends.",
    ];
    let mut text = format!("#{seed}");
    let mut state = seed;
    while text.len() < bytes {
        // Knuth's constants for a 64-bit linear congruential generator: the high bits are random enough for words.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push(' ');
        text.push_str(WORDS[(state >> 60) as usize]);
    }
    text
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn answer(body: &str) -> Answer {
        Answer { status: 200, headers: HeaderMap::new(), body: body.to_owned().into() }
    }

    #[test]
    fn the_same_seed_asks_the_same() {
        let ask = |seed| {
            let mut conversation = Conversation::new(Dialect::Messages, seed);
            conversation.ask(500);
            conversation.body.to_string()
        };
        assert_eq!(ask(1), ask(1));
        assert_ne!(ask(1), ask(2));
    }

    #[test]
    fn marks_of_the_client_move_on() {
        let mut conversation = Conversation::new(Dialect::Messages, 1).marking();
        conversation.ask(10);
        conversation.ask(10);
        let marked = |pointer: &str| {
            conversation.body.pointer(pointer).unwrap().get("cache_control").is_some()
        };
        assert!(
            marked("/system/0")
                && !marked("/messages/0/content/0")
                && marked("/messages/1/content/0")
        );
    }

    #[test]
    fn what_was_said_is_found_in_every_dialect() {
        let plain = [
            (Dialect::Messages, r#"{"content":[{"type":"text","text":"hi"}]}"#),
            (
                Dialect::Messages,
                "data: {\"delta\":{\"text\":\"h\"}}\n\ndata: {\"delta\":{\"text\":\"i\"}}\n\n",
            ),
            (Dialect::Chat, r#"{"choices":[{"message":{"content":"hi"}}]}"#),
            (
                Dialect::Chat,
                "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\ndata: [DONE]\n\n",
            ),
            (
                Dialect::Responses,
                r#"{"output":[{"content":[{"type":"output_text","text":"hi"}]}]}"#,
            ),
            (
                Dialect::Responses,
                "data: {\"type\":\"response.completed\",\"response\":{\"output\":[{\"content\":[{\"text\":\"hi\"}]}]}}\n\n",
            ),
        ];
        for (dialect, body) in plain {
            assert_eq!(said(dialect, &answer(body)), "hi", "{body}");
        }
    }
}
