//! Request bodies as a coding agent sends them: tools with long schemas, instructions, and turns whose tool results are
//! source code, with the escapes that this needs in JSON.
//!
//! A [`Script`] is one conversation in several turns. Each time it is sent it is another conversation: a number in the
//! first user message is overwritten in place, which costs the sender nothing.

use serde_json::{Value, json};
use warmpath::dialect::Dialect;

/// The bodies of one conversation, turn by turn; each begins as the one before, up to the end of its messages.
#[derive(Clone)]
pub struct Script {
    pub dialect: Dialect,
    turns: Vec<Turn>,
}

#[derive(Clone)]
struct Turn {
    body: Vec<u8>,
    /// Where the conversation's number is.
    number: usize,
}

/// What a body is to be like.
#[derive(Clone, Copy)]
pub struct Shape {
    pub dialect: Dialect,
    /// Bytes of the first turn's body, about.
    pub bytes: usize,
    pub stream: bool,
}

/// What stands where the number of the conversation will be.
const NUMBER: &str = "conversation 0000000000000000";
const DIGITS: usize = 16;

/// As an agent's: most of a short request, little of a long one.
const TOOLS_BYTES: usize = 64_000;
const INSTRUCTIONS_BYTES: usize = 14_000;

/// Follow-ups of a conversation: of three requests one is a first turn.
const TURNS: usize = 3;

impl Script {
    /// Makes a conversation of three turns.
    pub fn new(shape: Shape) -> Self {
        let mut writer = Writer { state: 1 };
        let (tools, instructions) = match shape.bytes {
            ..20_000 => (shape.bytes / 4, shape.bytes / 4),
            _ => (TOOLS_BYTES, INSTRUCTIONS_BYTES),
        };
        let (tools, instructions) = (writer.tools(tools), writer.prose(instructions));
        let mut turns = vec![json!({"role": "user", "content": [
            {"type": "text", "text": format!("{NUMBER}: {}", writer.prose(shape.bytes / 100 + 100))},
        ]})];
        let rest = |turns: &[Value]| body(shape, &tools, &instructions, turns).len();
        while rest(&turns) + 600 < shape.bytes {
            let room = shape.bytes - rest(&turns);
            turns.extend(writer.exchange(room.min(9_000)));
        }
        let turns = (0..TURNS).map(|_| {
            let turn = Turn::new(body(shape, &tools, &instructions, &turns));
            turns.extend(writer.exchange((shape.bytes / 50).clamp(400, 9_000)));
            turn
        });
        Self { dialect: shape.dialect, turns: turns.collect() }
    }

    /// Returns the path that this dialect is sent to.
    pub fn path(&self) -> &'static str {
        match self.dialect {
            Dialect::Messages => "/v1/messages",
            _ => "/v1/chat/completions",
        }
    }

    /// Leaves the follow-ups out.
    pub fn first_turn(mut self) -> Self {
        self.turns.truncate(1);
        self
    }

    pub fn turns(&self) -> usize {
        self.turns.len()
    }

    /// Returns the body of a turn, from 0, in the conversation of this number.
    pub fn body(&mut self, turn: usize, conversation: u64) -> &[u8] {
        let Turn { body, number } = &mut self.turns[turn];
        body[*number..*number + DIGITS].copy_from_slice(format!("{conversation:016x}").as_bytes());
        body
    }
}

impl Turn {
    fn new(body: Vec<u8>) -> Self {
        let number = memchr::memmem::find(&body, NUMBER.as_bytes()).expect("the number");
        Self { number: number + NUMBER.len() - DIGITS, body }
    }
}

/// Writes a body with its members in the order of Claude Code: messages, system, tools.
fn body(shape: Shape, tools: &[Value], instructions: &str, turns: &[Value]) -> Vec<u8> {
    let mut body = match shape.dialect {
        Dialect::Messages => json!({
            "model": "claude-sonnet-4-5-20250929",
            "messages": turns,
            "system": [
                {"type": "text", "text": "You are a coding agent."},
                {"type": "text", "text": instructions},
            ],
            "tools": tools,
            "metadata": {"user_id": "user_6a1c_account_77d0_session_0b6e1a52"},
            "max_tokens": 32_000,
        }),
        _ => {
            let system = json!({"role": "system", "content": instructions});
            let messages: Vec<Value> =
                [system].into_iter().chain(turns.iter().flat_map(chat)).collect();
            let tools: Vec<Value> = tools.iter().map(function).collect();
            json!({"model": "gpt-5.1", "messages": messages, "tools": tools})
        }
    };
    body["stream"] = json!(shape.stream);
    body.to_string().into_bytes()
}

/// Says a turn in the way of chat.
fn chat(turn: &Value) -> Vec<Value> {
    let blocks = turn["content"].as_array().expect("blocks");
    let text = |block: &Value| block["text"].as_str().map(String::from);
    let said: String = blocks.iter().filter_map(text).collect();
    if let Some(result) = blocks.iter().find(|block| block["type"] == "tool_result") {
        let (id, content) = (&result["tool_use_id"], &result["content"]);
        return vec![json!({"role": "tool", "tool_call_id": id, "content": content})];
    }
    let mut message = json!({"role": turn["role"], "content": said});
    if let Some(call) = blocks.iter().find(|block| block["type"] == "tool_use") {
        message["tool_calls"] = json!([{
            "id": call["id"], "type": "function",
            "function": {"name": call["name"], "arguments": call["input"].to_string()},
        }]);
    }
    vec![message]
}

fn function(tool: &Value) -> Value {
    json!({"type": "function", "function": {
        "name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"],
    }})
}

/// Makes text, the same in every run.
struct Writer {
    state: u64,
}

impl Writer {
    fn next(&mut self) -> usize {
        // Knuth's constants for a 64-bit linear congruential generator; its high bits are random enough for words.
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 40) as usize
    }

    fn lines(&mut self, from: &[&str], bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 100);
        while text.len() < bytes {
            let line = from[self.next() % from.len()];
            text += &line.replace('#', &(self.next() % 1000).to_string());
        }
        text
    }

    fn prose(&mut self, bytes: usize) -> String {
        self.lines(&PROSE, bytes)
    }

    /// Returns an assistant's turn with a tool call, and the user's with its result.
    fn exchange(&mut self, bytes: usize) -> [Value; 2] {
        let id = format!("toolu_01{:08x}{:08x}", self.next(), self.next());
        let call = json!({
            "type": "tool_use", "id": id, "name": "Read",
            "input": {"file_path": format!("/home/dev/app/src/part_{}.rs", self.next() % 1000), "limit": 400},
        });
        let said = json!({"type": "text", "text": self.prose(bytes / 12 + 20)});
        let code = self.lines(&CODE, bytes.saturating_sub(400));
        let result = json!({"type": "tool_result", "tool_use_id": id, "content": code});
        [
            json!({"role": "assistant", "content": [said, call]}),
            json!({"role": "user", "content": [result]}),
        ]
    }

    fn tools(&mut self, bytes: usize) -> Vec<Value> {
        let each = bytes.clamp(400, 4_000);
        (0..bytes.div_ceil(each)).map(|number| self.tool(number, each)).collect()
    }

    fn tool(&mut self, number: usize, bytes: usize) -> Value {
        let mut properties = serde_json::Map::new();
        // Some 160 bytes each; descriptions are the longer half.
        for property in 0..bytes / 400 {
            let description = self.prose(60);
            properties.insert(
                format!("argument_{property}"),
                json!({"type": "string", "description": description, "enum": ["on", "off"]}),
            );
        }
        json!({
            "name": format!("tool_{number}"),
            "description": self.prose(bytes - properties.len() * 200),
            "input_schema": {
                "type": "object", "properties": properties, "required": ["argument_0"],
                "additionalProperties": false, "$schema": "http://json-schema.org/draft-07/schema#",
            },
        })
    }
}

const PROSE: [&str; 12] = [
    "Use this when you know which file you want to see; it reads at most # lines.\n",
    "- The path must be absolute, not relative: \"/home/dev/app/src/main.rs\".\n",
    "- IMPORTANT: never commit unless the user asks you to. Nobody likes surprises.\n",
    "The results come with line numbers in the way of `cat -n`, beginning at #. ",
    "If a test fails, say so with its output; do not claim that all is well.\n\n",
    "# Tone and style\nBe concise and direct. Answer in fewer than # lines. ",
    "You can call several tools at a time; independent calls belong together. ",
    "Let me look at how the naïve version handles \"#\" before I change it. ",
    "The function returns early when the cache is warm, so the counter stays at #.\n",
    "Prefer the dedicated tools to shell commands such as find, grep, cat, head, sed.\n",
    "It was introduced in version #.2 and has been kept for those who rely on it. ",
    "Run the linter (`npm run lint`) and then the type checker before you say \"done\".\n",
];

/// As Claude Code's tool shows a file. An escape every 30 bytes or so is what real code has.
const CODE: [&str; 16] = [
    "   #→    let mut entries = self.entries.lock().expect(\"a lock\");\n",
    "   #→    if let Some(entry) = entries.get(&key).filter(|entry| entry.until > now) {\n",
    "   #→        return Ok(entry.clone());\n",
    "   #→    }\n",
    "   #→\n",
    "   #→/// Returns the number of items that were read, at most `limit`.\n",
    "   #→pub fn read(&mut self, path: &Path, limit: usize) -> Result<Vec<Item>, Error> {\n",
    "   #→    for (index, line) in text.lines().enumerate().skip(#) {\n",
    "   #→        let (name, value) = line.split_once('=').ok_or(Error::Syntax { index })?;\n",
    "   #→        settings.insert(name.trim().to_string(), value.trim().to_string());\n",
    "   #→    tracing::debug!(target: \"store\", %key, size = value.len(), \"written\");\n",
    "   #→    const response = await fetch(`${base}/v1/items/${id}?limit=#`, { headers });\n",
    "   #→        description: \"What is shown beside the name, e.g. '#'\",\n",
    "   #→    assert_eq!(store.len(), #, \"{store:?}\");\n",
    "   #→        Self { path: PathBuf::from(r\"C:\\data\\#\"), size: #, ..Self::default() }\n",
    "   #→}\n",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(dialect: Dialect, bytes: usize) -> Shape {
        Shape { dialect, bytes, stream: false }
    }

    #[test]
    fn bodies_are_as_long_as_asked_for() {
        for dialect in [Dialect::Messages, Dialect::Chat] {
            for bytes in [2_000, 100_000, 1_000_000] {
                let mut script = Script::new(shape(dialect, bytes));
                let length = script.body(0, 1).len();
                assert!(length.abs_diff(bytes) < bytes / 3, "{bytes} asked, {length} made");
            }
        }
    }

    #[test]
    fn a_turn_begins_as_the_one_before() {
        let mut script = Script::new(shape(Dialect::Messages, 20_000));
        let messages =
            |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["messages"].clone();
        let first = messages(script.body(0, 77));
        let second = messages(script.body(1, 77));
        let (first, second) = (first.as_array().unwrap(), second.as_array().unwrap());
        assert_eq!(first[..], second[..first.len()]);
        assert_eq!(second.len(), first.len() + 2);
        assert!(first[0].to_string().contains("conversation 000000000000004d"));
    }
}
