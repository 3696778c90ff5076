//! Providers with ways of their own.

use super::*;

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
