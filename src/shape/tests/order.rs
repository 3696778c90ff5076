//! How many marks, in which order, for how long.

use super::*;

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
fn many_marks_cost_linear_time() {
    let blocks = vec![long(r#"{"type":"thinking",@}"#); 20_000].join(",");
    let (_, rules) = shaped("anthropic", Dialect::Messages, &user(&blocks));
    assert_eq!(rules.split(' ').count(), 20_000);
}
