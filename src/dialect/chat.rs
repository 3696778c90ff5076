//! OpenAI chat completions: system messages among the others, content of parts or a string.
//!
//! Clients of relays set marks on parts, messages, tools and their functions, some on tool calls.

use super::{Block, Meaning, Node};

pub(super) fn meaning(node: Node, name: &[u8]) -> Meaning {
    match (node, name) {
        (Node::Root, b"messages") => Meaning::Messages,
        (Node::Root, b"stream_options") => Meaning::StreamOptions,
        (Node::Message, b"role") => Meaning::Role,
        (Node::Message, b"content") => Meaning::Content,
        (Node::Message, b"tool_calls") => Meaning::Calls,
        (Node::Tool | Node::Call, b"function") => Meaning::Function,
        (Node::Block, b"type") => Meaning::Type,
        (Node::Block, b"text") => Meaning::Text,
        _ => Meaning::Other,
    }
}

pub(super) fn block(name: &[u8]) -> Block {
    match name {
        b"text" => Block::Text,
        b"image_url" | b"input_audio" | b"file" => Block::Media,
        _ => Block::Unknown,
    }
}
