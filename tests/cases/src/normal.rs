//! What a request says beside its marks: two bodies with one normal form differ only in what the
//! plugin may change.

use crate::plugin::Dialect;
use crate::tree::Tree;

const MARKS: [&str; 2] = ["cache_control", "prompt_cache_breakpoint"];

/// Members at the top that are about caching, or that an upstream has another value for.
const OWN: [&str; 5] = [
    "cache_control",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "model",
];

/// A request without its marks, with every content as a list of blocks.
pub fn request(dialect: Dialect, body: Tree) -> Tree {
    let Tree::Object(members) = body else { return body };
    let members = members.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
    let members = members.filter_map(|(name, value)| {
        let value = match (dialect, name.as_str()) {
            (Dialect::Chat, "stream_options") => stream_options(value)?,
            (_, "tools") => each(value, |tool| inside(unmarked(tool), "function", unmarked)),
            (Dialect::Messages, "system") => each(blocks(value, "text"), unmarked),
            (Dialect::Messages | Dialect::Chat, "messages") => {
                each(value, |message| self::message(dialect, message))
            }
            (Dialect::Responses, "input") => each(items(value), item),
            _ => value,
        };
        Some((name, value))
    });
    Tree::Object(members.collect())
}

/// The option is asked for by the plugin, alone or beside others.
fn stream_options(value: Tree) -> Option<Tree> {
    match value {
        Tree::Object(mut members) => {
            members.retain(|(name, _)| name != "include_usage");
            (!members.is_empty()).then_some(Tree::Object(members))
        }
        Tree::Scalar(null) if null == "null" => None,
        other => Some(other),
    }
}

fn message(dialect: Dialect, message: Tree) -> Tree {
    let message = inside(unmarked(message), "content", |content| {
        each(blocks(content, "text"), |block| match dialect {
            // The content of a tool result has no string form that the plugin makes a list of.
            Dialect::Messages => inside(unmarked(block), "content", |inner| each(inner, unmarked)),
            _ => unmarked(block),
        })
    });
    match dialect {
        Dialect::Chat => inside(message, "tool_calls", |calls| {
            each(calls, |call| inside(unmarked(call), "function", unmarked))
        }),
        _ => message,
    }
}

/// An input that is a string is one message of the user.
fn items(input: Tree) -> Tree {
    if !input.is_string() {
        return input;
    }
    let role = ("role".to_owned(), Tree::text("user"));
    Tree::List(vec![Tree::Object(vec![role, ("content".to_owned(), input)])])
}

fn item(item: Tree) -> Tree {
    let list = |content| one_text(each(blocks(content, "text"), unmarked));
    inside(inside(unmarked(item), "content", list), "output", list)
}

/// The type of a list's one text depends on who speaks.
fn one_text(list: Tree) -> Tree {
    match &list {
        Tree::List(items) => match &items[..] {
            [Tree::Object(members)] if members.iter().all(|(name, _)| TEXT.contains(&&**name)) => {
                let text = items[0].get("text").cloned().unwrap_or(Tree::List(Vec::new()));
                blocks(text, "text")
            }
            _ => list,
        },
        _ => list,
    }
}

const TEXT: [&str; 2] = ["type", "text"];

/// A content that is a string is a list of one block.
fn blocks(content: Tree, kind: &str) -> Tree {
    if !content.is_string() {
        return content;
    }
    let members = vec![("type".to_owned(), Tree::text(kind)), ("text".to_owned(), content)];
    Tree::List(vec![Tree::Object(members)])
}

fn unmarked(value: Tree) -> Tree {
    let Tree::Object(mut members) = value else { return value };
    members.retain(|(name, _)| !MARKS.contains(&name.as_str()));
    Tree::Object(members)
}

fn each(list: Tree, change: impl Fn(Tree) -> Tree) -> Tree {
    match list {
        Tree::List(items) => Tree::List(items.into_iter().map(change).collect()),
        other => other,
    }
}

fn inside(object: Tree, wanted: &str, change: impl Fn(Tree) -> Tree) -> Tree {
    let Tree::Object(members) = object else { return object };
    let members = members.into_iter().map(|(name, value)| {
        let value = if name == wanted { change(value) } else { value };
        (name, value)
    });
    Tree::Object(members.collect())
}
