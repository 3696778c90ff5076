//! Anthropic messages: `system` beside `messages`, content of blocks, marks on blocks and tools.

use super::{Block, Meaning, Node};

pub(super) fn meaning(node: Node, name: &[u8]) -> Meaning {
    match (node, name) {
        (Node::Root, b"system") => Meaning::System,
        (Node::Root, b"messages") => Meaning::Messages,
        (Node::Message, b"role") => Meaning::Role,
        (Node::Message | Node::Block, b"content") => Meaning::Content,
        (Node::SystemBlock | Node::Block | Node::NestedBlock, b"type") => Meaning::Type,
        (Node::SystemBlock | Node::Block | Node::NestedBlock, b"text") => Meaning::Text,
        _ => Meaning::Other,
    }
}

/// The kinds that the Anthropic SDK types give a `cache_control` (anthropic 2.10.0, read 2026-11).
pub(super) fn block(name: &[u8]) -> Block {
    match name {
        b"text" => Block::Text,
        b"image" | b"document" => Block::Media,
        b"tool_use" | b"server_tool_use" | b"mcp_tool_use" => Block::Call,
        b"thinking" | b"redacted_thinking" => Block::Thinking,
        b"search_result" | b"tool_reference" | b"container_upload" | b"browser_state" => {
            Block::Other
        }
        _ if name.ends_with(b"_result") => Block::Result,
        _ => Block::Unknown,
    }
}
