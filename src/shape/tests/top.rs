//! Marks on the whole request.

use super::*;

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
