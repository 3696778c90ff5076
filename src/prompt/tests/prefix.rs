use super::*;

/// A messages body with these messages and system.
fn body(system: &str, messages: &str) -> String {
    format!(r#"{{"model":"m","system":{system},"messages":[{messages}]}}"#)
}

#[test]
fn marks_change_no_digest() {
    let bare =
        r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"image","source":{}}]}"#;
    let marked = r#"{"role":"user","content":[{"cache_control":null,"type":"text","text":"a"},
        {"type":"image","cache_control":{"type":"ephemeral"},"source":{}}]}"#;
    let one = prefix(Dialect::Messages, &body("[]", bare));
    let other = prefix(Dialect::Messages, &body("[]", marked));
    assert_eq!((one.system, one.opener), (other.system, other.opener));
    assert_eq!(one.cuts[0].chain, other.cuts[0].chain);
}

#[test]
fn a_string_is_its_one_text_block() {
    let string = prefix(Dialect::Messages, &body(r#""s""#, r#"{"role":"user","content":"a\n"}"#));
    let block = prefix(
        Dialect::Messages,
        &body(
            r#"[ {"type":"text","text":"s"} ]"#,
            r#"{"role":"user","content":[{"type":"text","text":"a\n"}]}"#,
        ),
    );
    assert_eq!(string.system, block.system);
    assert_eq!(string.opener, block.opener);
    assert_eq!(string.cuts[0].chain, block.cuts[0].chain);
}

#[test]
fn order_of_sections_in_the_bytes_is_of_no_matter() {
    let message = r#""messages":[{"role":"user","content":"a"}]"#;
    let system = r#""system":[{"type":"text","text":"s"}]"#;
    let tools = r#""tools":[{"name":"f"}]"#;
    let one = prefix(Dialect::Messages, &format!("{{{message},{system},{tools}}}"));
    let other = prefix(Dialect::Messages, &format!("{{{tools},{system},{message}}}"));
    assert_eq!((one.tools, one.system, one.opener), (other.tools, other.system, other.opener));
    assert_eq!(one.cuts[0].chain, other.cuts[0].chain);
    assert_ne!(one.tools, one.system);
}

#[test]
fn the_billing_block_is_left_out() {
    let billing = |hex: &str| {
        let block = format!(r#"{{"type":"text","text":"x-anthropic-billing-header: cch={hex};"}}"#);
        prefix(Dialect::Messages, &body(&format!(r#"[{block},{{"type":"text","text":"s"}}]"#), ""))
            .system
    };
    let without = prefix(Dialect::Messages, &body(r#"[{"type":"text","text":"s"}]"#, "")).system;
    assert_eq!(billing("0df"), without);
    assert_eq!(billing("533"), without);
}

#[test]
fn ids_of_items_change_no_digest() {
    let items = |id: &str| {
        let body = format!(
            r#"{{"input":[{{"type":"message","role":"user","id":"{id}","content":[{{"type":"input_text","text":"a"}}]}}]}}"#
        );
        prefix(Dialect::Responses, &body)
    };
    assert_eq!(items("msg_1"), items("msg_2"));
    let string = prefix(Dialect::Responses, r#"{"input":"a"}"#);
    assert_eq!(string.opener, items("msg_1").opener);
}

/// Items that stand for what `id` names, and nothing else.
fn references(id: &str) -> [String; 4] {
    [
        format!(r#"{{"type":"item_reference","id":"{id}"}}"#),
        format!(r#"{{"id":"{id}"}}"#),
        format!(r#"{{"id":"{id}","type":"reasoning","summary":[]}}"#),
        format!(r#"{{"type":"reasoning","encrypted_content":null,"id":"{id}","summary":[]}}"#),
    ]
}

#[test]
fn ids_that_stand_for_what_an_answer_said_are_kept_and_tell_prompts_apart() {
    for (one, other) in references("rs_1").iter().zip(references("rs_2")) {
        let [one, other] =
            [one, &other].map(|item| read(Dialect::Responses, &format!(r#"{{"input":[{item}]}}"#)));
        assert_eq!((one.items, other.items), (vec![b"rs_1".to_vec()], vec![b"rs_2".to_vec()]));
        assert_ne!(one.prefix.cuts[0].chain, other.prefix.cuts[0].chain);
    }
    let many: Vec<String> = (0..9).flat_map(|n| references(&format!("msg_{n}"))).collect();
    let found = read(Dialect::Responses, &format!(r#"{{"input":[{}]}}"#, many.join(",")));
    assert_eq!(found.items, vec![b"msg_8"; 4]);
}

#[test]
fn what_is_sent_again_is_known_by_itself() {
    let items = |id: &str| {
        let all = format!(
            r#"{{"type":"reasoning","id":"{id}","summary":[],"encrypted_content":"gAAA"}},
            {{"type":"reasoning","id":"{id}","content":[{{"type":"reasoning_text","text":"hm"}}]}},
            {{"type":"message","id":"{id}","role":"assistant","content":[]}},
            {{"id":"{id}","role":"assistant","content":"a"}},
            {{"type":"function_call","id":"{id}","call_id":"c","name":"f","arguments":"{{}}"}}"#
        );
        read(Dialect::Responses, &format!(r#"{{"input":[{all}]}}"#))
    };
    assert_eq!(items("x_1").items, Vec::<Vec<u8>>::new());
    assert_eq!(items("x_1").prefix, items("x_2").prefix);
}

#[test]
fn every_other_byte_of_the_conversation_counts() {
    let chains = |message: &str| prefix(Dialect::Messages, &body("[]", message)).cuts[0].chain;
    let seen = [
        r#"{"role":"user","content":"a"}"#,
        r#"{"role":"assistant","content":"a"}"#,
        r#"{"role":"user","content":"b"}"#,
        r#"{"role":"user","content":"\u0061"}"#,
        r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"a"}]}"#,
        r#"{"role":"user","content":[{"type":"tool_result","content":"a"}]}"#,
        r#"{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"a"}]}]}"#,
        r#"{"role":"user","content":null}"#,
        r#"{"role":"user","content":"a"},{"role":"user","content":"a"}"#,
        r#"{"role":"user","content":[{"type":"x","n":1.0}]}"#,
        r#"{"role":"user","content":[{"type":"x","n":1}]}"#,
    ]
    .map(chains);
    for (index, one) in seen.iter().enumerate() {
        assert!(!seen[..index].contains(one), "{index}");
    }
}

#[test]
fn a_follow_up_shares_its_prefix() {
    let first = r#"{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}"#;
    let more = r#",{"role":"assistant","content":"b"},{"role":"user","content":"c"}"#;
    let one = prefix(Dialect::Messages, &body("[]", first));
    let two = prefix(Dialect::Messages, &body("[]", &format!("{first}{more}")));
    assert_eq!(one.cuts.len(), 1);
    assert_eq!(two.cuts.len(), 3);
    assert_eq!(two.cuts[2].chain, one.cuts[0].chain);
    assert!(two.cuts[0].length > two.cuts[1].length);
}

#[test]
fn long_texts_are_cut_at_powers_of_two() {
    let long = |tail: &str| {
        let text = "0123456789abcdef".repeat(640);
        prefix(
            Dialect::Messages,
            &body("[]", &format!(r#"{{"role":"user","content":"{text}{tail}"}}"#)),
        )
    };
    let (one, two) = (long("x"), long("y"));
    let lengths: Vec<u64> = one.cuts.iter().map(|cut| cut.length).collect();
    assert_eq!(lengths[1..], [8192, 4096, 2048]);
    assert_eq!(one.cuts[1..], two.cuts[1..]);
    assert_ne!(one.cuts[0].chain, two.cuts[0].chain);
    assert_eq!(one.opener, two.opener, "the opener covers 4 KiB");
}

#[test]
fn leading_system_messages_are_no_conversation() {
    let one = prefix(
        Dialect::Chat,
        r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"}]}"#,
    );
    let late_role = prefix(
        Dialect::Chat,
        r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"system","content":"t"}]}"#,
    );
    assert_eq!(one.cuts.len(), 1);
    assert_eq!((one.system, one.opener), (late_role.system, late_role.opener));
    assert_eq!(late_role.cuts[1], one.cuts[0]);
    let other = prefix(
        Dialect::Chat,
        r#"{"messages":[{"role":"system","content":"t"},{"role":"user","content":"a"}]}"#,
    );
    assert_ne!(one.system, other.system);
    assert_eq!(one.cuts[0].chain, other.cuts[0].chain);
}

#[test]
fn cuts_are_bounded() {
    let message = r#"{"role":"user","content":"a"},"#.repeat(5000);
    let cuts = prefix(Dialect::Messages, &body("[]", message.trim_end_matches(','))).cuts;
    assert!(cuts.len() <= 32 + 24 + 4, "{}", cuts.len());
}
