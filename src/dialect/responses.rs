//! OpenAI responses: `instructions` and `input`, a string or a list of messages and other items.
//!
//! Items carry ids that change from session to session although the content is the same. Some say
//! nothing but their id: what it names is at the account that made it.

use super::{Block, Meaning, Node};

pub(super) fn meaning(node: Node, name: &[u8]) -> Meaning {
    match (node, name) {
        (Node::Root, b"instructions") => Meaning::System,
        (Node::Root, b"input") => Meaning::Messages,
        (Node::Message, b"role") => Meaning::Role,
        (Node::Message, b"type") => Meaning::Type,
        (Node::Message, b"content") => Meaning::Content,
        (Node::Message, b"output") => Meaning::Output,
        (Node::Message, b"id") => Meaning::ItemId,
        (Node::Message, b"encrypted_content") => Meaning::Sealed,
        (Node::Block, b"type") => Meaning::Type,
        (Node::Block, b"text") => Meaning::Text,
        _ => Meaning::Other,
    }
}

pub(super) fn block(name: &[u8]) -> Block {
    match name {
        b"input_text" | b"output_text" => Block::Text,
        b"input_image" | b"input_file" | b"computer_screenshot" => Block::Media,
        _ => Block::Unknown,
    }
}
