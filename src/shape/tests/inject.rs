//! Marks that are placed for the client.

use super::*;

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
fn marks_are_injected_where_none_of_the_clients_can_stay() {
    let body = r#"{"input":[{"type":"function_call","name":"f",@},{"role":"user","content":"a"}]}"#;
    let expected = r#"{"input":[{"type":"function_call","name":"f"},{"role":"user","content":[{"type":"input_text","text":"a",@}]}]}"#;
    let (out, used) = injected("openrouter", Dialect::Responses, &long(body));
    assert_eq!((out, used.as_str()), (long(expected), "strip inject"));
}
