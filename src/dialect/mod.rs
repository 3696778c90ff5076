//! The client-facing APIs: which one a request speaks, and what the members of its body mean.
//!
//! A dialect is what the client speaks; what an upstream accepts is its provider's profile. Each
//! file is one table from a member's name to its meaning; the walk over the body is the
//! prompt reader's.

mod chat;
mod messages;
mod responses;

use serde::{Deserialize, Serialize};

/// The API of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Dialect {
    /// Anthropic messages, `…/v1/messages`.
    Messages,
    /// OpenAI chat completions, `…/chat/completions`.
    Chat,
    /// OpenAI responses, `…/responses`.
    Responses,
    /// Things that exist at one account only: tasks, files, stored responses.
    Objects,
}

impl Dialect {
    /// Recognises a request by method and path. `object_paths` are prefixes of object paths.
    ///
    /// Suffixes come first: `POST /v1/responses` is a prompt, `GET /v1/responses/resp_1` an object.
    pub fn recognise(method: &[u8], path: &[u8], object_paths: &[String]) -> Option<Self> {
        let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        let trimmed = path.strip_suffix(b"/").unwrap_or(path);
        if method == b"POST" {
            if trimmed.ends_with(b"/v1/messages") {
                return Some(Self::Messages);
            }
            if trimmed.ends_with(b"/chat/completions") {
                return Some(Self::Chat);
            }
            if trimmed.ends_with(b"/responses") {
                return Some(Self::Responses);
            }
        }
        let object = object_paths.iter().any(|prefix| {
            let bare = prefix.strip_suffix('/').unwrap_or(prefix);
            path.strip_prefix(bare.as_bytes()).is_some_and(|rest| match rest.first() {
                None => prefix.len() == bare.len(),
                Some(first) => *first == b'/',
            })
        });
        object.then_some(Self::Objects)
    }

    /// Its name in headers and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Objects => "objects",
        }
    }

    /// What the member `name` of a container of the kind `node` means.
    pub(crate) fn meaning(self, node: Node, name: &[u8]) -> Meaning {
        match node {
            _ if self == Self::Objects => Meaning::Other,
            Node::Mark => match name {
                b"type" => Meaning::Type,
                b"ttl" => Meaning::Ttl,
                b"scope" => Meaning::Scope,
                _ => Meaning::Other,
            },
            Node::CacheOptions if name == b"ttl" => Meaning::Ttl,
            Node::CacheOptions if name == b"mode" => Meaning::Mode,
            Node::StreamOptions if name == b"include_usage" => Meaning::IncludeUsage,
            Node::CacheOptions | Node::StreamOptions => Meaning::Other,
            Node::Root => match name {
                b"model" => Meaning::Model,
                b"stream" => Meaning::Stream,
                b"tools" => Meaning::Tools,
                b"cache_control" => Meaning::Mark(MarkKind::CacheControl),
                b"prompt_cache_key" => Meaning::Field(FieldKind::CacheKey),
                b"prompt_cache_retention" => Meaning::Field(FieldKind::CacheRetention),
                b"prompt_cache_options" => Meaning::Field(FieldKind::CacheOptions),
                _ => self.own_meaning(node, name),
            },
            _ => match name {
                b"cache_control" => Meaning::Mark(MarkKind::CacheControl),
                b"prompt_cache_breakpoint" => Meaning::Mark(MarkKind::Breakpoint),
                _ => self.own_meaning(node, name),
            },
        }
    }

    fn own_meaning(self, node: Node, name: &[u8]) -> Meaning {
        match self {
            Self::Messages => messages::meaning(node, name),
            Self::Chat => chat::meaning(node, name),
            Self::Responses => responses::meaning(node, name),
            Self::Objects => Meaning::Other,
        }
    }

    /// The kind of a content block whose `type` is `name`.
    pub(crate) fn block(self, name: &[u8]) -> Block {
        match self {
            Self::Messages => messages::block(name),
            Self::Chat => chat::block(name),
            Self::Responses => responses::block(name),
            Self::Objects => Block::Unknown,
        }
    }

    /// Whether leading system messages stand for a system prompt.
    pub(crate) fn leads_with_system(self) -> bool {
        matches!(self, Self::Chat | Self::Responses)
    }
}

/// A container of a request that the reader looks into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Root,
    Tools,
    Tool,
    /// The `function` of a tool.
    Function,
    System,
    SystemBlock,
    Messages,
    /// A message, or an item of a responses input.
    Message,
    Content,
    Block,
    /// The content of a block, such as a tool result's.
    Nested,
    NestedBlock,
    /// `tool_calls` of a message, one of them, and its `function`.
    Calls,
    Call,
    CallFunction,
    Mark,
    CacheOptions,
    StreamOptions,
}

impl Node {
    pub(crate) fn is_array(self) -> bool {
        matches!(
            self,
            Self::Tools
                | Self::System
                | Self::Messages
                | Self::Content
                | Self::Nested
                | Self::Calls
        )
    }

    /// Whether its members are part of the prefix.
    pub(crate) fn is_prefix(self) -> bool {
        !matches!(self, Self::Root | Self::Mark | Self::CacheOptions | Self::StreamOptions)
    }
}

/// What a member means to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Content: part of the prefix, else of no interest.
    Other,
    /// The id of an item. It changes while the content stays, and is no part of the prefix but where
    /// it stands for the content.
    ItemId,
    /// Reasoning that an item carries with it. Without it, its id stands for it.
    Sealed,
    Model,
    Stream,
    StreamOptions,
    IncludeUsage,
    Tools,
    System,
    Messages,
    Role,
    Content,
    /// What a tool gave back. As a string it carries no mark: whether an array of one text is the
    /// same to a cache is known of contents only.
    Output,
    Type,
    Text,
    Function,
    Calls,
    Mark(MarkKind),
    Ttl,
    Scope,
    /// `mode` of the cache options.
    Mode,
    Field(FieldKind),
}

/// Which member makes a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarkKind {
    /// `cache_control`.
    CacheControl,
    /// `prompt_cache_breakpoint`.
    Breakpoint,
}

/// A top-level member about caching that some providers take and others reject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldKind {
    /// `prompt_cache_key`.
    CacheKey,
    /// `prompt_cache_retention`.
    CacheRetention,
    /// `prompt_cache_options`.
    CacheOptions,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// `system` or `developer`.
    System,
    User,
    Assistant,
    /// `tool`, or the output of a tool.
    Tool,
    Other,
}

/// What kind of content a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Block {
    Text,
    /// Text of nothing, or whose first 64 bytes are white space.
    Blank,
    /// An image, a document, a file, audio.
    Media,
    /// A tool's call.
    Call,
    /// A tool's result.
    Result,
    /// `thinking` or `redacted_thinking`.
    Thinking,
    /// The definition of a tool.
    Definition,
    /// A whole message of a responses input: there clients mark those.
    Item,
    /// Another kind that Anthropic documents as markable.
    Other,
    /// A kind that is not known here.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    fn recognise(method: &str, path: &str) -> Option<Dialect> {
        let objects = ["/v1/responses/", "/v1/videos", "/v1/files"].map(String::from);
        Dialect::recognise(method.as_bytes(), path.as_bytes(), &objects)
    }

    #[test]
    fn prompts_are_recognised_by_suffix_and_method() {
        let cases = [
            ("/v1/messages", Some(Dialect::Messages)),
            ("/v1/messages/", Some(Dialect::Messages)),
            ("/v1/messages?beta=true", Some(Dialect::Messages)),
            ("/anthropic/v1/messages", Some(Dialect::Messages)),
            ("/v1/messages/count_tokens", None),
            ("/v1/messages/batches", None),
            ("/api/v1/chat/completions", Some(Dialect::Chat)),
            ("/chat/completions?x=/v1/messages", Some(Dialect::Chat)),
            ("/v1/responses", Some(Dialect::Responses)),
            ("/v1/responses/", Some(Dialect::Responses)),
            ("/v1/embeddings", None),
            ("/v1/messagesx", None),
            ("/xv1/messages", None),
            ("", None),
        ];
        for (path, expected) in cases {
            assert_eq!(recognise("POST", path), expected, "{path}");
            if expected.is_some() && !path.starts_with("/v1/responses/") {
                assert_eq!(recognise("GET", path), None, "GET {path}");
            }
        }
    }

    #[test]
    fn objects_are_recognised_by_prefix_and_any_method() {
        for method in ["GET", "POST", "DELETE"] {
            assert_eq!(recognise(method, "/v1/responses/resp_1"), Some(Dialect::Objects));
            assert_eq!(recognise(method, "/v1/responses/resp_1/cancel"), Some(Dialect::Objects));
            assert_eq!(recognise(method, "/v1/videos"), Some(Dialect::Objects));
            assert_eq!(recognise(method, "/v1/videos/v1?x=1"), Some(Dialect::Objects));
            assert_eq!(recognise(method, "/v1/videosx"), None);
            assert_eq!(recognise(method, "/proxy/v1/videos"), None);
        }
    }
}
