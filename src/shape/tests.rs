use super::*;
use crate::dialect::Dialect;
use crate::prompt::Reader;
use crate::provider::Profile;
use crate::splice::apply;

fn prompt(dialect: Dialect, body: &str) -> Prompt {
    let mut reader = Reader::new(dialect, [].into());
    reader.push(body.as_bytes()).unwrap();
    reader.finish().unwrap().prompt
}

/// Shapes a body, checks what holds for every shaping, and returns it with the rules used.
fn shaped_with(
    provider: &str,
    dialect: Dialect,
    body: &str,
    change: impl Fn(&mut Target<'_>),
) -> (String, String) {
    let once = |body: &str| {
        let prompt = prompt(dialect, body);
        let profile = Profile::named(provider).unwrap();
        let model = prompt.model.as_ref().map_or("", |model| model.name.as_str());
        let mut target = Target {
            accepts: profile.accepts(dialect, model).unwrap(),
            policy: Policy::Keep,
            min_tokens: 0,
            model: None,
            cache_key: None,
            scope_beta: false,
            ask_usage: false,
        };
        change(&mut target);
        let shaping = shape(&prompt, &target);
        let out = apply(body, &shaping.edits).unwrap();
        assert_eq!(shaping.length(prompt.length), out.len() as u64);
        serde_json::from_str::<serde_json::Value>(&out).unwrap();
        (out, shaping)
    };
    let (out, shaping) = once(body);
    let (again, twice) = once(&out);
    assert_eq!((&again, twice.edits.len()), (&out, 0), "shaping is idempotent: {body}");
    let rules: Vec<&str> = shaping.rules.iter().map(|rule| rule.name()).collect();
    (out, rules.join(" "))
}

fn shaped(provider: &str, dialect: Dialect, body: &str) -> (String, String) {
    shaped_with(provider, dialect, body, |_| {})
}

fn injected(provider: &str, dialect: Dialect, body: &str) -> (String, String) {
    shaped_with(provider, dialect, body, |target| target.policy = Policy::Inject(Ttl::FiveMinutes))
}

/// Writes `@` for a mark, `@1h` and `@5m` for one with a lifetime, `@scope` for one with a scope,
/// `@@` for a breakpoint.
fn long(short: &str) -> String {
    short
        .replace("@@", r#""prompt_cache_breakpoint":{"mode":"explicit"}"#)
        .replace("@1h", r#""cache_control":{"type":"ephemeral","ttl":"1h"}"#)
        .replace("@5m", r#""cache_control":{"type":"ephemeral","ttl":"5m"}"#)
        .replace("@scope", r#""cache_control":{"type":"ephemeral","scope":"global"}"#)
        .replace('@', r#""cache_control":{"type":"ephemeral"}"#)
}

fn user(blocks: &str) -> String {
    format!(r#"{{"messages":[{{"role":"user","content":[{blocks}]}}]}}"#)
}

const A: &str = r#"{"type":"text","text":"a"}"#;

#[track_caller]
fn check(provider: &str, dialect: Dialect, body: &str, expected: &str, rules: &str) {
    let (out, used) = shaped(provider, dialect, &long(body));
    assert_eq!((out, used.as_str()), (long(expected), rules));
}

#[track_caller]
fn check_user(provider: &str, blocks: &str, expected: &str, rules: &str) {
    check(provider, Dialect::Messages, &user(blocks), &user(expected), rules);
}

#[test]
fn client_marks_win() {
    let body = r#"{"tools":[{"name":"f",@1h}],"system":[{"type":"text","text":"s",@1h}],
        "messages":[{"role":"user","content":[{"type":"text","text":"a",@5m},{"type":"image",@}]}]}"#;
    check("anthropic", Dialect::Messages, body, body, "");
    let (out, used) = injected("anthropic", Dialect::Messages, &long(body));
    assert_eq!((out, used.as_str()), (long(body), ""));
}

#[test]
fn marks_leave_thinking_and_empty_text() {
    check_user(
        "anthropic",
        r#"{"type":"text","text":"a"},{"type":"text","text":" \n ",@1h}"#,
        r#"{"type":"text","text":"a",@1h},{"type":"text","text":" \n "}"#,
        "move",
    );
    check_user(
        "anthropic",
        r#"{"type":"text","text":"a",@},{"type":"thinking","thinking":"x",@}"#,
        r#"{"type":"text","text":"a",@},{"type":"thinking","thinking":"x"}"#,
        "move",
    );
    check_user(
        "anthropic",
        r#"{"type":"text","text":"",@}"#,
        r#"{"type":"text","text":""}"#,
        "strip",
    );
}

#[test]
fn marks_leave_message_objects_and_tool_results() {
    check(
        "anthropic",
        Dialect::Messages,
        r#"{"messages":[{"role":"user","content":"a",@1h}]}"#,
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a",@1h}]}]}"#,
        "move",
    );
    check_user(
        "anthropic",
        r#"{"type":"tool_result","content":[{"type":"text","text":"x",@}]}"#,
        r#"{"type":"tool_result","content":[{"type":"text","text":"x"}],@}"#,
        "move",
    );
    check(
        "anthropic",
        Dialect::Messages,
        r#"{"messages":[{"role":"user","content":"a","cache_control":null}]}"#,
        r#"{"messages":[{"role":"user","content":"a"}]}"#,
        "strip",
    );
}

#[test]
fn marks_of_blocks_of_unknown_kind_stay() {
    check_user("anthropic", r#"{"type":"novel",@}"#, r#"{"type":"novel",@}"#, "");
}

#[test]
fn an_hour_never_comes_after_five_minutes() {
    let ttls = ["@", "@5m", "@1h"];
    for tool in ttls {
        for system in ttls {
            for message in ttls {
                let body = long(&format!(
                    r#"{{"messages":[{{"role":"user","content":[{{"type":"text","text":"a",{message}}}]}}],
                    "system":[{{"type":"text","text":"s",{system}}}],"tools":[{{"name":"f",{tool}}}]}}"#
                ));
                let (out, _) = shaped("anthropic", Dialect::Messages, &body);
                let prompt = prompt(Dialect::Messages, &out);
                let hours: Vec<bool> = [2, 1, 0]
                    .map(|index: usize| {
                        prompt.marks[index].ttl.is_some_and(|(ttl, _)| ttl == Ttl::OneHour)
                    })
                    .to_vec();
                assert!(
                    hours.is_sorted_by(|one, two| one >= two),
                    "{tool} {system} {message}: {hours:?}"
                );
                assert_eq!(hours[0], tool == "@1h");
            }
        }
    }
    check_user(
        "anthropic",
        r#"{"type":"text","text":"a",@},{"type":"text","text":"b",@1h}"#,
        r#"{"type":"text","text":"a",@},{"type":"text","text":"b",@5m}"#,
        "order",
    );
}

#[test]
fn at_most_four_marks_are_left() {
    let block = |text: &str| format!(r#"{{"type":"text","text":"{text}",@}}"#);
    let body = |tools: &str, system: &str, messages: &[&str]| {
        let messages: Vec<String> = messages.iter().map(|text| block(text)).collect();
        format!(
            r#"{{"tools":[{tools}],"system":[{system}],"messages":[{{"role":"user","content":[{}]}}]}}"#,
            messages.join(",")
        )
    };
    let tools = r#"{"name":"f",@},{"name":"g",@}"#;
    let system = format!("{},{}", block("s"), block("t"));
    let (out, rules) =
        shaped("anthropic", Dialect::Messages, &long(&body(tools, &system, &["a", "b", "c"])));
    assert_eq!(rules, "cap cap cap");
    let kept: Vec<&str> = out.split("cache_control").map(|part| &part[part.len() - 8..]).collect();
    assert_eq!(kept.len(), 5);
    assert!(
        out.contains(r#"{"name":"f"}"#)
            && out.contains(r#""text":"s"}"#)
            && out.contains(r#""text":"a"}"#)
    );
    let four = long(&body(r#"{"name":"f",@}"#, &block("s"), &["a", "b"]));
    assert_eq!(shaped("anthropic", Dialect::Messages, &four), (four, String::new()));
}

#[test]
fn top_level_marks_are_kept_where_they_are_known() {
    let body = r#"{@1h,"messages":[{"role":"user","content":"a"}]}"#;
    check("anthropic", Dialect::Messages, body, body, "");
    // Lowered after five minutes, then no contradiction is left.
    check(
        "anthropic",
        Dialect::Messages,
        &format!(r#"{{@1h,{}"#, &user(r#"{"type":"text","text":"a",@}"#)[1..]),
        &format!(r#"{{@5m,{}"#, &user(r#"{"type":"text","text":"a",@}"#)[1..]),
        "order",
    );
    check(
        "anthropic",
        Dialect::Messages,
        &format!(r#"{{@,{}"#, &user(r#"{"type":"text","text":"a",@1h}"#)[1..]),
        &user(r#"{"type":"text","text":"a",@1h}"#),
        "top_level",
    );
    let four = r#"{"type":"text","text":"a",@},{"type":"text","text":"b",@},
        {"type":"text","text":"c",@},{"type":"text","text":"d",@},{"type":"text","text":"e"}"#;
    check(
        "anthropic",
        Dialect::Messages,
        &format!(r#"{{@,{}"#, &user(four)[1..]),
        &user(four),
        "top_level",
    );
}

#[test]
fn top_level_marks_are_expanded_where_they_are_not() {
    for provider in ["bedrock", "vertex", "routerhub"] {
        check(
            provider,
            Dialect::Messages,
            &format!(r#"{{{}, @}}"#, &user(A)[1..user(A).len() - 1]),
            &user(r#"{"type":"text","text":"a",@}"#),
            "top_level",
        );
        check(
            provider,
            Dialect::Messages,
            &format!(r#"{{ @ ,{}"#, &user(r#"{"type":"text","text":"a",@}"#)[1..]),
            &format!("{{ {}", &user(r#"{"type":"text","text":"a",@}"#)[1..]),
            "top_level",
        );
    }
}

#[test]
fn lifetimes_and_scopes_go_where_they_are_unknown() {
    let model = r#"{"model":"claude-3-5-haiku","messages":[{"role":"user","content":[{"type":"text","text":"a",@1h}]}]}"#;
    check("bedrock", Dialect::Messages, model, &model.replace("@1h", "@"), "ttl");
    let model = model.replace("@1h", "@5m");
    check("bedrock", Dialect::Messages, &model, &model.replace("@5m", "@"), "ttl");
    let scoped = user(r#"{"type":"text","text":"a",@scope}"#);
    let bare = user(r#"{"type":"text","text":"a",@}"#);
    check("anthropic", Dialect::Messages, &scoped, &bare, "scope");
    let (out, rules) = shaped_with("anthropic", Dialect::Messages, &long(&scoped), |target| {
        target.scope_beta = true
    });
    assert_eq!((out, rules.as_str()), (long(&scoped), ""));
    let (out, _) =
        shaped_with("vertex", Dialect::Messages, &long(&scoped), |target| target.scope_beta = true);
    assert_eq!(out, long(&bare));
}

#[test]
fn what_takes_no_marks_gets_none() {
    let body = r#"{"model":"gpt-4o",@,"messages":[{"role":"system","content":[{"type":"text","text":"s",@}],"cache_control":null},
        {"role":"user","content":[{@1h,"type":"text","text":"a",@@},{"type":"text","text":"b","cache_control":1}]},
        {"role":"assistant","tool_calls":[{"id":"c",@}]}],
        "tools":[{"type":"function",@,"function":{"name":"f",@}}]}"#;
    let (out, _) = shaped("openai", Dialect::Chat, &long(body));
    assert!(!out.contains("cache_control") && !out.contains("breakpoint"), "{out}");
    let (out, _) = shaped_with(
        "anthropic",
        Dialect::Messages,
        &long(&user(r#"{"type":"text","text":"a",@}"#)),
        |target| {
            target.policy = Policy::Strip;
        },
    );
    assert_eq!(out, user(A));
}

#[test]
fn marks_in_data_are_data() {
    let body = r#"{"tools":[{"name":"f","input_schema":{"properties":{"cache_control":{"type":"object"}}}}],
        "messages":[{"role":"assistant","content":[{"type":"tool_use","input":{"cache_control":{"type":"x"}}}]}]}"#;
    let (out, _) =
        shaped_with("anthropic", Dialect::Messages, body, |target| target.policy = Policy::Strip);
    assert_eq!(out, body);
}

#[test]
fn marks_become_breakpoints_and_back() {
    check(
        "openai",
        Dialect::Chat,
        r#"{"model":"gpt-5.6","messages":[{"role":"system","content":"s",@},
            {"role":"user","content":[{"type":"text","text":"a",@1h},{"type":"image_url","image_url":{}}]},
            {"role":"assistant","content":[{"type":"text","text":"b",@}]}],@,"tools":[{"function":{"name":"f"},@}]}"#,
        r#"{"model":"gpt-5.6","messages":[{"role":"system","content":[{"type":"text","text":"s",@@}]},
            {"role":"user","content":[{"type":"text","text":"a",@@},{"type":"image_url","image_url":{},@@}]},
            {"role":"assistant","content":[{"type":"text","text":"b"}]}],"tools":[{"function":{"name":"f"}}]}"#,
        "strip convert move convert move",
    );
    check(
        "openrouter",
        Dialect::Chat,
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a",@@}]}]}"#,
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a",@}]}]}"#,
        "convert",
    );
    let (out, rules) = injected(
        "openai",
        Dialect::Chat,
        r#"{"model":"gpt-5.6","messages":[{"role":"user","content":"a"}]}"#,
    );
    assert_eq!((out.contains("breakpoint"), rules.as_str()), (false, ""));
}

#[test]
fn moonshot_gets_one_mark_on_the_whole_request() {
    check(
        "moonshot",
        Dialect::Messages,
        &user(r#"{"type":"text","text":"a",@1h},{"type":"text","text":"b",@}"#),
        &format!("{{@1h,{}", &user(&format!(r#"{A},{{"type":"text","text":"b"}}"#))[1..]),
        "convert convert",
    );
    let (out, rules) = injected("moonshot", Dialect::Messages, &user(A));
    assert_eq!((out, rules.as_str()), (long(&format!("{{@,{}", &user(A)[1..])), "inject"));
}

#[test]
fn concentrate_gets_marks_on_messages() {
    check(
        "concentrate",
        Dialect::Responses,
        r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"a",@1h}]},{"role":"user","content":"b",@}]}"#,
        r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"a"}],@1h},{"role":"user","content":"b",@}]}"#,
        "move",
    );
    let (out, rules) = injected("concentrate", Dialect::Responses, r#"{"input":"a"}"#);
    assert_eq!(
        (out, rules.as_str()),
        (long(r#"{"input":[{"role":"user","content":"a",@}]}"#), "inject")
    );
}

#[test]
fn injected_marks_write_what_the_next_turn_reads() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"a"},
        {"role":"assistant","content":[{"type":"thinking","thinking":"h"},{"type":"tool_use","id":"t"}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t"},{"type":"text","text":""}]},
        {"role":"system","content":"now"}],
        "system":"s","tools":[{"name":"f"},{"name":"g"}]}"#;
    let expected = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a",@}]},
        {"role":"assistant","content":[{"type":"thinking","thinking":"h"},{"type":"tool_use","id":"t"}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t",@},{"type":"text","text":""}]},
        {"role":"system","content":"now"}],
        "system":[{"type":"text","text":"s",@}],"tools":[{"name":"f"},{"name":"g",@}]}"#;
    let (out, rules) = injected("anthropic", Dialect::Messages, body);
    assert_eq!((out, rules.as_str()), (long(expected), "inject inject inject inject"));
}

#[test]
fn nothing_is_injected_below_the_minimum() {
    let text = "x".repeat(3000);
    let body = format!(
        r#"{{"system":"short","messages":[{{"role":"user","content":"{text}"}},{{"role":"user","content":"b"}}]}}"#
    );
    let inject = |min_tokens| {
        shaped_with("anthropic", Dialect::Messages, &body, |target| {
            target.policy = Policy::Inject(Ttl::OneHour);
            target.min_tokens = min_tokens;
        })
        .1
    };
    assert_eq!(inject(1024), "");
    assert_eq!(inject(700), "inject");
    assert_eq!(inject(0), "inject inject");
}

#[test]
fn long_turns_are_bridged() {
    let blocks: Vec<String> =
        (0..50).map(|n| format!(r#"{{"type":"text","text":"{n}"}}"#)).collect();
    let body = user(&blocks.join(","));
    let (out, _) = injected("anthropic", Dialect::Messages, &body);
    let places = prompt(Dialect::Messages, &out).marks;
    let seats: Vec<_> = places.iter().map(|mark| mark.seat).collect();
    use crate::prompt::Seat::Place;
    assert_eq!(seats, [Place(4), Place(19), Place(34), Place(49)]);
}

#[test]
fn chat_relays_get_marks_on_text_parts() {
    let body = r#"{"model":"anthropic/claude-opus-5","messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},
        {"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c"},{"type":"image_url","image_url":{}}]}],
        "tools":[{"type":"function","function":{"name":"f"}}]}"#;
    let (out, rules) = injected("openrouter", Dialect::Chat, body);
    assert_eq!(rules, "inject inject inject inject");
    assert!(
        out.contains(&long(r#"{"type":"text","text":"c",@}"#))
            && out.contains(&long(r#"{"name":"f"},@}"#))
    );
    let (out, rules) = injected("requesty", Dialect::Chat, body);
    assert_eq!(rules, "inject inject inject");
    assert!(out.contains(&long(r#"{"type":"image_url","image_url":{},@}"#)));
}

#[test]
fn fields_go_where_they_are_rejected() {
    let fields = r#""prompt_cache_key":"k","prompt_cache_retention":"24h","prompt_cache_options":{"mode":"implicit"}"#;
    let body = |model: &str| format!(r#"{{{fields},"model":"{model}","messages":[]}}"#);
    let names = |provider: &str, dialect, model: &str| {
        let (out, _) = shaped(provider, dialect, &body(model));
        ["key", "retention", "options"].map(|name| out.contains(&format!("prompt_cache_{name}")))
    };
    use Dialect::{Chat, Messages};
    assert_eq!(names("openai", Chat, "gpt-5.6"), [true, false, true]);
    assert_eq!(names("openai", Chat, "gpt-5.1"), [true, true, false]);
    assert_eq!(names("openai", Chat, "gpt-4o"), [true, false, false]);
    assert_eq!(names("groq", Chat, "gpt-oss-120b"), [false; 3]);
    assert_eq!(names("anthropic", Messages, "claude-opus-5"), [false; 3]);
    assert_eq!(names("vllm", Chat, "x"), [true; 3]);
}

#[test]
fn keys_models_and_the_usage_option_are_set() {
    let set = |body: &str| {
        shaped_with("openai", Dialect::Chat, body, |target| {
            target.cache_key = Some("k\"1");
            target.model = Some("gpt-5.6-2026");
            target.ask_usage = true;
        })
    };
    let (out, rules) = set(r#"{"model":"gpt-5.6","stream":true,"messages":[]}"#);
    assert_eq!(
        out,
        r#"{"prompt_cache_key":"k\"1","stream_options":{"include_usage":true},"model":"gpt-5.6-2026","stream":true,"messages":[]}"#
    );
    assert_eq!(rules, "cache_key model usage");
    for (option, expected) in [
        ("null", r#"{"include_usage":true}"#),
        ("{}", r#"{"include_usage":true}"#),
        (r#"{ "x":1}"#, r#"{"include_usage":true, "x":1}"#),
        (r#"{"include_usage":false}"#, r#"{"include_usage":false}"#),
    ] {
        let body = |option: &str| {
            format!(
                r#"{{"model":"gpt-5.6-2026","stream":true,"stream_options":{option},"messages":[],"prompt_cache_key":"own"}}"#
            )
        };
        assert_eq!(set(&body(option)).0, body(expected));
    }
    let (_, rules) =
        set(r#"{"model":"gpt-5.6-2026","stream":false,"prompt_cache_key":null,"messages":[]}"#);
    assert_eq!(rules, "");
}

#[test]
fn hidden_marks_do_not_come_to_light() {
    check_user(
        "bedrock",
        r#"{"type":"text","text":"a",@1h,"cache_control":{"type":"ephemeral","ttl":"1h"}}"#,
        r#"{"type":"text","text":"a",@}"#,
        "strip ttl",
    );
}

#[test]
fn a_mark_takes_the_place_of_a_null() {
    check_user(
        "anthropic",
        r#"{"type":"text","text":"a","cache_control":null},{"type":"text","text":"",@1h}"#,
        r#"{"type":"text","text":"a",@1h},{"type":"text","text":""}"#,
        "move",
    );
    // Here the client's own mark is hidden by the null.
    check_user(
        "anthropic",
        r#"{@,"type":"text","text":"a","cache_control": null },{"type":"thinking",@1h}"#,
        r#"{"type":"text","text":"a",@1h },{"type":"thinking"}"#,
        "strip move",
    );
    let chat = |part: &str| {
        format!(r#"{{"model":"gpt-5.6","messages":[{{"role":"user","content":[{part}]}}]}}"#)
    };
    check(
        "openai",
        Dialect::Chat,
        &chat(r#"{"type":"text","text":"a","prompt_cache_breakpoint":null,@1h}"#),
        &chat(r#"{"type":"text","text":"a",@@}"#),
        "convert",
    );
    check(
        "concentrate",
        Dialect::Responses,
        r#"{"input":[{"role":"user","cache_control":null,"content":[{"type":"input_text","text":"a",@}]}]}"#,
        r#"{"input":[{"role":"user",@,"content":[{"type":"input_text","text":"a"}]}]}"#,
        "move",
    );
    for (body, expected, rules) in [
        (
            r#"{"cache_control":null,"messages":[{"role":"user","content":[{"type":"text","text":"a",@1h}]}]}"#,
            r#"{@1h,"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]}"#,
            "convert",
        ),
        (
            r#"{@1h,"messages":[{"role":"user","content":"a"}],"cache_control":null}"#,
            r#"{"messages":[{"role":"user","content":"a"}],@}"#,
            "strip inject",
        ),
    ] {
        let (out, used) = injected("moonshot", Dialect::Messages, &long(body));
        assert_eq!((out, used.as_str()), (long(expected), rules));
    }
}

#[test]
fn marks_are_injected_where_none_of_the_clients_can_stay() {
    let body = r#"{"input":[{"type":"function_call","name":"f",@},{"role":"user","content":"a"}]}"#;
    let expected = r#"{"input":[{"type":"function_call","name":"f"},{"role":"user","content":[{"type":"input_text","text":"a",@}]}]}"#;
    let (out, used) = injected("openrouter", Dialect::Responses, &long(body));
    assert_eq!((out, used.as_str()), (long(expected), "strip inject"));
}

#[test]
fn a_top_level_mark_is_not_added_to_a_block_that_has_one() {
    let unknown = r#"{"type":"hologram",@}"#;
    let body = |top: &str, block: &str| {
        format!(r#"{{{top}"messages":[{{"role":"user","content":[{block},{unknown}]}}]}}"#)
    };
    let marked = r#"{"type":"text","text":"a",@}"#;
    let (top, plain) = ("@,", r#"{"type":"text","text":"a"}"#);
    for block in [plain, marked] {
        check("bedrock", Dialect::Messages, &body(top, block), &body("", marked), "top_level");
    }
    let (out, used) = shaped("anthropic", Dialect::Messages, &long(&body("@1h,", marked)));
    assert_eq!((out, used.as_str()), (long(&body("@5m,", marked)), "order"));
}

#[test]
fn a_lifetime_that_is_not_known_is_not_compared() {
    let odd = r#""cache_control":{"type":"ephemeral","ttl":null}"#;
    let body = |top: &str, message: &str, block: &str| {
        format!(
            r#"{{{top},"messages":[{{"role":"user"{message},"content":[{{"type":"text","text":"a"{block}}}]}}]}}"#
        )
    };
    let given = body(odd, &format!(",{odd}"), "");
    let expected = body(odd, "", ",@");
    check("anthropic", Dialect::Messages, &given, &expected, "move");
}

#[test]
fn wide_spaces_are_blank_wherever_they_are_cut() {
    for spaces in [1, 21, 22, 23] {
        let blank = format!(r#"{{"type":"text","text":"{}",@}}"#, "\u{3000}".repeat(spaces));
        let bare = blank.replace(",@", "");
        check_user(
            "anthropic",
            &format!("{A},{blank}"),
            &format!("{},{bare}", A.replace('}', ",@}")),
            "move",
        );
    }
}

#[test]
fn many_marks_cost_linear_time() {
    let blocks = vec![long(r#"{"type":"thinking",@}"#); 20_000].join(",");
    let (_, rules) = shaped("anthropic", Dialect::Messages, &user(&blocks));
    assert_eq!(rules.split(' ').count(), 20_000);
}
