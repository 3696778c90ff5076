//! Where a mark may stand, and where one goes that may not stay.

use super::*;

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
fn marks_in_data_are_data() {
    let body = r#"{"tools":[{"name":"f","input_schema":{"properties":{"cache_control":{"type":"object"}}}}],
        "messages":[{"role":"assistant","content":[{"type":"tool_use","input":{"cache_control":{"type":"x"}}}]}]}"#;
    let (out, _) =
        shaped_with("anthropic", Dialect::Messages, body, |target| target.policy = Policy::Strip);
    assert_eq!(out, body);
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
