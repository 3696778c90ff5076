//! Random requests of all dialects, with marks anywhere.

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::{BoxedStrategy, Just, Strategy};
use proptest::prop_oneof;
use proptest::sample::select;

use crate::plugin::Dialect;
use crate::tree::Tree;

/// What is left to chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// What providers take, but for marks and the members about caching.
    Tame,
    /// And what none takes: marks that are no objects, members twice, blocks of no kind.
    Wild,
}

type Members = Vec<(String, Tree)>;

/// A request.
pub fn request(dialect: Dialect, care: Care) -> BoxedStrategy<Tree> {
    match dialect {
        Dialect::Chat => chat(care),
        Dialect::Responses => responses(care),
        _ => messages(care),
    }
}

fn json(text: &str) -> Tree {
    Tree::parse(text).unwrap_or_else(|| panic!("{text} is no JSON"))
}

fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<Tree> {
    select(texts).prop_map(json).boxed()
}

/// An object of these members in any order, with marks among them.
fn object(members: impl Strategy<Value = Members> + 'static, care: Care) -> BoxedStrategy<Tree> {
    let all = (members, marks(care)).prop_map(|(members, marks)| [members, marks].concat());
    all.prop_shuffle().prop_map(Tree::Object).boxed()
}

/// The same objects, with marks among their members.
fn marked(bare: BoxedStrategy<Tree>, care: Care) -> BoxedStrategy<Tree> {
    bare.prop_flat_map(move |bare| match bare {
        Tree::Object(members) => object(Just(members), care),
        other => Just(other).boxed(),
    })
    .boxed()
}

fn fixed(members: &'static str) -> BoxedStrategy<Members> {
    match json(members) {
        Tree::Object(members) => Just(members).boxed(),
        other => panic!("{other:?} is no object"),
    }
}

/// An object with fixed members, and one more.
fn with(
    members: &'static str,
    name: &'static str,
    value: impl Strategy<Value = Tree> + 'static,
) -> BoxedStrategy<Members> {
    let all = (fixed(members), value).prop_map(move |(mut members, value)| {
        members.push((name.to_owned(), value));
        members
    });
    all.boxed()
}

fn list(items: impl Strategy<Value = Tree> + 'static, most: usize) -> BoxedStrategy<Tree> {
    vec(items, 0..=most).prop_map(Tree::List).boxed()
}

fn at_least_one(items: impl Strategy<Value = Tree> + 'static, most: usize) -> BoxedStrategy<Tree> {
    vec(items, 1..=most).prop_map(Tree::List).boxed()
}

/// Marks for one object: mostly none.
fn marks(care: Care) -> BoxedStrategy<Members> {
    let control = one_of(match care {
        Care::Tame => &CONTROLS[..6],
        Care::Wild => &CONTROLS,
    });
    let point = one_of(match care {
        Care::Tame => &POINTS[..3],
        Care::Wild => &POINTS,
    });
    let control = control.prop_map(|value| ("cache_control".to_owned(), value)).boxed();
    let point = point.prop_map(|value| ("prompt_cache_breakpoint".to_owned(), value)).boxed();
    match care {
        Care::Tame => (weighted(0.3, control), weighted(0.1, point))
            .prop_map(|(control, point)| control.into_iter().chain(point).collect())
            .boxed(),
        Care::Wild => {
            let any = prop_oneof![3 => control, 1 => point];
            prop_oneof![6 => Just(Vec::new()), 3 => vec(any.clone(), 1), 1 => vec(any, 2..4)]
                .boxed()
        }
    }
}

const CONTROLS: [&str; 14] = [
    r#"{"type":"ephemeral"}"#,
    r#"{"type":"ephemeral","ttl":"5m"}"#,
    r#"{"type":"ephemeral","ttl":"1h"}"#,
    r#"{"ttl":"1h","type":"ephemeral"}"#,
    r#"{"scope":"global","type":"ephemeral","ttl":"1h"}"#,
    "null",
    "{}",
    r#"{"type":"ephemeral","ttl":null,"scope":null}"#,
    r#"{"ttl":3600,"scope":{"a":[]}}"#,
    r#"{"type":"ephemeral","ttl":"2h"}"#,
    r#"{"type":{"ttl":"1h"},"ttl":"1h","more":[{"ttl":"5m"}]}"#,
    r#""ephemeral""#,
    "[1]",
    "true",
];

const POINTS: [&str; 6] = [
    r#"{"mode":"explicit"}"#,
    r#"{"mode":"explicit","ttl":"30m"}"#,
    "null",
    r#"{"ttl":"12h","mode":"explicit"}"#,
    "{}",
    "0",
];

/// Texts, blank ones and long ones among them.
fn text(care: Care) -> BoxedStrategy<Tree> {
    let chosen =
        select(&TEXTS[..]).prop_map(|text| Tree::text(&text.replace('†', &" ".repeat(70))));
    let any = "\\PC{0,24}".prop_map(|text| Tree::text(&text));
    let odd = one_of(&[r#""\ud800""#, r#""\udc00\ud83d x""#, r#""\/\u0000""#]);
    match care {
        Care::Tame => prop_oneof![3 => chosen, 1 => any].boxed(),
        Care::Wild => prop_oneof![3 => chosen, 1 => any, 1 => odd].boxed(),
    }
}

const TEXTS: [&str; 12] = [
    "a",
    "Hello, world.",
    "",
    " \n\t",
    "†",
    "†then text",
    "\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}\u{3000}",
    "say \"hi\" \\ / \u{1} \u{7f}",
    "☃ é 😀",
    "x-anthropic-billing-header: cc_version=2; cch=1;",
    "{\"cache_control\":{\"type\":\"ephemeral\"}}",
    "cache_control",
];

fn messages(care: Care) -> BoxedStrategy<Tree> {
    let text_block = object(with(r#"{"type":"text"}"#, "text", text(care)), care);
    let nested = object(with(r#"{"type":"text"}"#, "text", text(care)), care);
    let inner = prop_oneof![text(care), list(nested, 3)];
    let others = one_of(&[
        r#"{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}"#,
        r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}}"#,
        r#"{"type":"thinking","thinking":"hm","signature":"s"}"#,
        r#"{"type":"redacted_thinking","data":"x"}"#,
        r#"{"type":"tool_use","id":"t","name":"f","input":{"cache_control":{"type":"x"},"n":1.0}}"#,
    ]);
    let odd =
        one_of(&[r#"{"type":"hologram"}"#, "{}", r#"{"type":7,"text":[]}"#, r#"{"text":"t"}"#]);
    let result = with(r#"{"type":"tool_result","tool_use_id":"t"}"#, "content", inner);
    let known = prop_oneof![
        3 => text_block.clone(),
        1 => object(result, care),
        3 => marked(others, care),
    ];
    let odd = prop_oneof![1 => marked(odd, care), 1 => one_of(&["1", "\"s\"", "null"])];
    let block = match care {
        Care::Tame => known.boxed(),
        Care::Wild => prop_oneof![7 => known, 2 => odd].boxed(),
    };
    let content = prop_oneof![1 => text(care), 2 => at_least_one(block, 5)];
    let message = (one_of(&[r#""user""#, r#""assistant""#, r#""user""#, r#""system""#]), content);
    let message = message.prop_map(|(role, content)| pair("role", role, "content", content));
    let system = prop_oneof![text(care), list(text_block, 3)];
    let tool = object(
        fixed(r#"{"name":"f","input_schema":{"type":"object","properties":{"cache_control":{}}}}"#),
        care,
    );
    let models = one_of(&[
        r#""claude-opus-4-8""#,
        r#""claude-sonnet-4-20250514""#,
        r#""claude-3-5-haiku-20241022""#,
        r#""us.anthropic.claude-opus-4-6-v1""#,
        r#""anthropic/claude-opus-4.8""#,
        r#""kimi-k3""#,
    ]);
    let members = (
        of(models),
        of(system),
        of(list(tool, 3)),
        at_least_one(object(message, care), 5),
        fields(care),
        proptest::bool::ANY,
    );
    let members = members.prop_map(|(model, system, tools, messages, fields, stream)| {
        let mut members = vec![
            ("model".to_owned(), model.unwrap_or_else(|| Tree::text("claude-opus-5"))),
            ("max_tokens".to_owned(), json("64")),
            ("messages".to_owned(), messages),
            ("stream".to_owned(), json(if stream { "true" } else { "false" })),
        ];
        members.extend(system.map(|system| ("system".to_owned(), system)));
        members.extend(tools.map(|tools| ("tools".to_owned(), tools)));
        members.extend(fields);
        members
    });
    top(members, care)
}

fn chat(care: Care) -> BoxedStrategy<Tree> {
    let text_part = object(with(r#"{"type":"text"}"#, "text", text(care)), care);
    let others = one_of(&[
        r#"{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}"#,
        r#"{"type":"file","file":{"file_id":"f"}}"#,
    ]);
    let others = marked(others, care);
    let part = prop_oneof![3 => text_part.clone(), 1 => others];
    let user = said("user", prop_oneof![text(care), at_least_one(part, 4)]);
    let system = said("system", prop_oneof![text(care), at_least_one(text_part.clone(), 3)]);
    let developer = said("developer", text(care));
    let tool = with(r#"{"role":"tool","tool_call_id":"c"}"#, "content", text(care));
    let function = object(fixed(r#"{"name":"f","arguments":"{}"}"#), care);
    let call = match care {
        Care::Tame => {
            one_of(&[r#"{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}"#])
        }
        Care::Wild => object(with(r#"{"id":"c","type":"function"}"#, "function", function), care),
    };
    let calls = with(r#"{"role":"assistant","content":null}"#, "tool_calls", at_least_one(call, 2));
    let assistant = said("assistant", prop_oneof![text(care), at_least_one(text_part, 3)]);
    let message =
        prop_oneof![4 => user, 2 => system, 1 => developer, 1 => tool, 1 => calls, 2 => assistant];
    let function =
        object(fixed(r#"{"name":"f","parameters":{"properties":{"cache_control":{}}}}"#), care);
    let tool = object(with(r#"{"type":"function"}"#, "function", function), care);
    let options = one_of(&[
        "null",
        "{}",
        r#"{"include_usage":false}"#,
        r#"{"include_usage":true}"#,
        r#"{"include_obfuscation":false}"#,
    ]);
    let members = (
        one_of(&GPTS),
        of(list(tool, 3)),
        at_least_one(object(message, care), 6),
        fields(care),
        proptest::bool::ANY,
        of(options),
    );
    let members = members.prop_map(|(model, tools, messages, fields, stream, options)| {
        let mut members = vec![("model".to_owned(), model), ("messages".to_owned(), messages)];
        members.extend(stream.then(|| ("stream".to_owned(), json("true"))));
        // Beside a stream only: alone it is refused.
        members
            .extend(options.filter(|_| stream).map(|value| ("stream_options".to_owned(), value)));
        members.extend(tools.map(|tools| ("tools".to_owned(), tools)));
        members.extend(fields);
        members
    });
    top(members, care)
}

fn responses(care: Care) -> BoxedStrategy<Tree> {
    let text_part = |kind: &'static str| {
        let fixed = if kind == "input_text" {
            r#"{"type":"input_text"}"#
        } else {
            r#"{"type":"output_text"}"#
        };
        object(with(fixed, "text", text(care)), care)
    };
    let image =
        object(fixed(r#"{"type":"input_image","image_url":"https://example.com/a.png"}"#), care);
    let part = prop_oneof![3 => text_part("input_text"), 1 => image];
    let user = said("user", prop_oneof![text(care), at_least_one(part.clone(), 4)]);
    let developer =
        said("developer", prop_oneof![text(care), at_least_one(text_part("input_text"), 2)]);
    let assistant =
        said("assistant", prop_oneof![text(care), at_least_one(text_part("output_text"), 2)]);
    let typed = with(
        r#"{"type":"message","role":"user","id":"msg_1","status":"completed"}"#,
        "content",
        at_least_one(part.clone(), 2),
    );
    let call =
        fixed(r#"{"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{}"}"#);
    let reasoning = fixed(r#"{"type":"reasoning","id":"rs_1","summary":[]}"#);
    let sealed =
        fixed(r#"{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gAAA"}"#);
    // What is named must be known there, so tame requests name nothing.
    let named = match care {
        Care::Tame => sealed.clone(),
        Care::Wild => fixed(r#"{"id":"msg_2","type":"item_reference"}"#),
    };
    let output = with(
        r#"{"type":"function_call_output","call_id":"c"}"#,
        "output",
        prop_oneof![text(care), at_least_one(part, 2)],
    );
    let item = prop_oneof![
        4 => user, 1 => developer, 2 => assistant, 1 => typed, 1 => call, 1 => reasoning, 1 => sealed, 1 => named, 1 => output,
    ];
    let input = prop_oneof![1 => text(care), 4 => at_least_one(object(item, care), 5)];
    let tool = object(fixed(r#"{"type":"function","name":"f","parameters":{}}"#), care);
    let members = (one_of(&GPTS), of(text(care)), of(list(tool, 2)), input, fields(care));
    let members = members.prop_map(|(model, instructions, tools, input, fields)| {
        let mut members = vec![("model".to_owned(), model), ("input".to_owned(), input)];
        members.extend(instructions.map(|text| ("instructions".to_owned(), text)));
        members.extend(tools.map(|tools| ("tools".to_owned(), tools)));
        members.extend(fields);
        members
    });
    top(members, care)
}

const GPTS: [&str; 11] = [
    r#""gpt-5.6""#,
    r#""gpt-5.6""#,
    r#""gpt-5.1""#,
    r#""gpt-4o""#,
    r#""gpt-6.1-sol""#,
    r#""o3""#,
    r#""anthropic/claude-opus-4.8""#,
    r#""claude-sonnet-4-5""#,
    r#""kimi-k3""#,
    r#""openai/gpt-oss-120b""#,
    r#""deepseek-v4""#,
];

fn pair(one: &str, value: Tree, other: &str, second: Tree) -> Members {
    vec![(one.to_owned(), value), (other.to_owned(), second)]
}

fn said(
    role: &'static str,
    content: impl Strategy<Value = Tree> + 'static,
) -> BoxedStrategy<Members> {
    content.prop_map(move |content| pair("role", Tree::text(role), "content", content)).boxed()
}

/// Top-level members about caching.
fn fields(care: Care) -> BoxedStrategy<Members> {
    let key = one_of(match care {
        Care::Tame => &[r#""k""#, r#""tenant-7:session-42""#],
        Care::Wild => &[r#""k""#, "null", "7", r#"{"a":1}"#],
    });
    let retention = one_of(&[r#""24h""#]);
    let options = one_of(match care {
        Care::Tame => &[r#"{"mode":"implicit"}"#],
        Care::Wild => {
            &[r#"{"mode":"implicit","ttl":"12h"}"#, "null", "[]", r#"{"ttl":1,"ttl":"30m"}"#]
        }
    });
    let all = (weighted(0.2, key), weighted(0.2, retention), weighted(0.2, options));
    all.prop_map(|(key, retention, options)| {
        let named = [
            ("prompt_cache_key", key),
            ("prompt_cache_retention", retention),
            ("prompt_cache_options", options),
        ];
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    })
    .boxed()
}

/// A whole body: a mark may stand on it too, and in the wild a field twice.
fn top(members: impl Strategy<Value = Members> + 'static, care: Care) -> BoxedStrategy<Tree> {
    let marks = marks(care).prop_map(|mut marks| {
        // A breakpoint is never asked for up here, so nothing is known of it.
        marks.retain(|(name, _)| name == "cache_control");
        marks
    });
    let more = match care {
        Care::Tame => Just(Vec::new()).boxed(),
        Care::Wild => fields(care),
    };
    let all =
        (members, marks, more).prop_map(|(members, marks, more)| [members, marks, more].concat());
    all.prop_shuffle().prop_map(Tree::Object).boxed()
}
