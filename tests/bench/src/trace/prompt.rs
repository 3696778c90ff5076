//! The bodies in which the requests of a trace are sent.

use std::time::Duration;

use simulator::Provider;

use super::history::{Conversation, Speaker, TOKEN_BYTES};

/// A kind of cache, and of the prompts that use it.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub provider: Provider,
    /// How long its cache keeps what is not used.
    pub life: Duration,
    /// Members of each upstream in the plugin's configuration.
    pub upstream: &'static str,
    pub path: &'static str,
    pub model: &'static str,
    pub form: Form,
    pub marks: Marks,
}

/// How a prompt is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Turn by turn.
    Conversation,
    /// All turns as the text of one message.
    OneMessage,
}

/// Who marks what is to be cached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// The system prompt and the last turn, as coding agents do.
    Client,
    Nobody,
}

const MARK: &str = r#","cache_control":{"type":"ephemeral"}"#;

/// Writes a request; `text` is that of all turns, with its escapes.
pub fn body(kind: &Kind, conversation: &Conversation, text: &[u8]) -> Vec<u8> {
    let mut turns = conversation.turns.clone();
    if kind.form == Form::OneMessage {
        let users = |turn: &&(Speaker, _)| turn.0 != Speaker::System;
        let from = turns.iter().find(users).map_or(0, |(_, tokens)| tokens.start);
        turns.retain(|(speaker, _)| *speaker == Speaker::System);
        turns.push((Speaker::User, from..text.len() / TOKEN_BYTES));
    }
    let said = |tokens: &std::ops::Range<usize>| {
        &text[tokens.start * TOKEN_BYTES..tokens.end * TOKEN_BYTES]
    };
    let mut body = Vec::with_capacity(text.len() + 200 + turns.len() * 100);
    let mut add = |text: &str, said: &[u8], rest: &str| {
        body.extend_from_slice(text.as_bytes());
        body.extend_from_slice(said);
        body.extend_from_slice(rest.as_bytes());
    };
    add(&format!(r#"{{"model":"{}","max_tokens":64"#, kind.model), b"", "");
    let is_chat = kind.path.contains("chat");
    if let Some((Speaker::System, tokens)) = turns.first()
        && !is_chat
    {
        let mark = if kind.marks == Marks::Client { MARK } else { "" };
        add(r#","system":[{"type":"text","text":""#, said(tokens), &format!(r#""{mark}}}]"#));
        turns.remove(0);
    }
    add(r#","messages":["#, b"", "");
    for (number, (speaker, tokens)) in turns.iter().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        let is_last = number + 1 == turns.len();
        let mark = if kind.marks == Marks::Client && is_last { MARK } else { "" };
        let role = match speaker {
            Speaker::System => "system",
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
        };
        if is_chat {
            let head = format!(r#"{comma}{{"role":"{role}","content":""#);
            add(&head, said(tokens), r#""}"#);
        } else {
            let head = format!(r#"{comma}{{"role":"{role}","content":[{{"type":"text","text":""#);
            add(&head, said(tokens), &format!(r#""{mark}}}]}}"#));
        }
    }
    add("]}", b"", "");
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const KIND: Kind = Kind {
        name: "",
        provider: Provider::Anthropic,
        life: Duration::from_secs(300),
        upstream: "",
        path: "/v1/messages",
        model: "m",
        form: Form::Conversation,
        marks: Marks::Client,
    };

    fn written(kind: Kind) -> Value {
        let turns = vec![
            (Speaker::System, 0..1),
            (Speaker::User, 1..2),
            (Speaker::Assistant, 2..3),
            (Speaker::User, 3..4),
        ];
        let body = body(&kind, &Conversation { turns }, b"aaaabbbbccccdddd");
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn messages_have_their_turns_and_marks() {
        let body = written(KIND);
        assert_eq!(body["system"][0]["text"], "aaaa");
        assert_eq!(
            body["messages"][1],
            json!({"role": "assistant", "content": [{"type": "text", "text": "cccc"}]})
        );
        assert!(body["messages"][2]["content"][0]["cache_control"].is_object());
        assert!(body["messages"][0]["content"][0]["cache_control"].is_null());
    }

    #[test]
    fn chat_can_be_one_message() {
        let body = written(Kind {
            path: "/v1/chat/completions",
            form: Form::OneMessage,
            marks: Marks::Nobody,
            ..KIND
        });
        assert_eq!(
            body["messages"],
            json!([{"role": "system", "content": "aaaa"}, {"role": "user", "content": "bbbbccccdddd"}])
        );
    }
}
