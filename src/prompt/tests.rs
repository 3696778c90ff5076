use std::rc::Rc;

use super::*;

fn ids() -> Rc<[String]> {
    ["previous_response_id", "prompt_cache_key"].map(String::from).into()
}

fn read_cut(dialect: Dialect, windows: &[&[u8]]) -> Result<Findings, Unread> {
    let mut reader = Reader::new(dialect, ids());
    for window in windows {
        reader.push(window)?;
    }
    reader.finish()
}

fn read(dialect: Dialect, body: &str) -> Findings {
    read_cut(dialect, &[body.as_bytes()]).unwrap()
}

fn prefix(dialect: Dialect, body: &str) -> Prefix {
    read(dialect, body).prefix
}

const MESSAGES: &str = r#"{"model": "claude-opus-4-8", "stream":true,
 "messages":[
  {"role":"user","content":"hello"},
  {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},
    {"type":"tool_use","id":"t1","name":"f","input":{"cache_control":1}}]},
  {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[
      {"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]},
    {"type":"text","text":"  ","cache_control":{"ttl":"1h","type":"ephemeral","scope":"global"}}],
   "cache_control":null}],
 "system":[{"type":"text","text":"be brief","cache_control":{"type":"ephemeral","ttl":"5m"}}],
 "tools":[{"name":"f","input_schema":{"type":"object","properties":{"cache_control":{}}}}],
 "cache\u005fcontrol":{"type":"ephemeral"}, "prompt_cache_key":"k1"}"#;

const CHAT: &str = r#"{"messages":[{"role":"system","content":"be brief"},
 {"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}}],"role":"user"},
 {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
   "function":{"name":"f","arguments":"{}"},"cache_control":{"type":"ephemeral"}}]},
 {"role":"tool","tool_call_id":"c","content":"r"}],
 "tools":[{"type":"function","function":{"name":"f","cache_control":{"type":"ephemeral"}}}],
 "stream":true,"stream_options":{}}"#;

const RESPONSES: &str = r#"{"model":"gpt-5.6","instructions":"be brief","previous_response_id":"resp_1",
 "input":[{"type":"message","role":"user","id":"msg_1","cache_control":{"type":"ephemeral"},
   "content":[{"type":"input_text","text":"a","prompt_cache_breakpoint":{"mode":"explicit"}}]},
  {"type":"function_call","name":"f","arguments":"{}","call_id":"c"},
  {"type":"function_call_output","call_id":"c","output":"r"}],
 "prompt_cache_options":{"mode":"implicit","ttl":"12h"},"prompt_cache_retention":"24h"}"#;

#[test]
fn reading_ignores_windows() {
    for (dialect, body) in
        [(Dialect::Messages, MESSAGES), (Dialect::Chat, CHAT), (Dialect::Responses, RESPONSES)]
    {
        let whole = read(dialect, body);
        let body = body.as_bytes();
        for cut in 0..=body.len() {
            let (left, right) = body.split_at(cut);
            assert_eq!(read_cut(dialect, &[left, right]).unwrap(), whole, "{dialect:?} at {cut}");
        }
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(read_cut(dialect, &bytes).unwrap(), whole, "{dialect:?} byte by byte");
    }
}

/// Bytes of a body at a member's name and value.
fn text(body: &str, member: Member) -> &str {
    &body[member.start as usize..member.end as usize]
}

#[test]
fn marks_are_found_where_they_stand_and_nowhere_else() {
    let prompt = read(Dialect::Messages, MESSAGES).prompt;
    let seats: Vec<Seat> = prompt.marks.iter().map(|mark| mark.seat).collect();
    assert_eq!(
        seats,
        [Seat::Inside(3), Seat::Place(4), Seat::Message(2), Seat::Place(5), Seat::Top]
    );
    let forms: Vec<Form> = prompt.marks.iter().map(|mark| mark.form).collect();
    assert_eq!(forms, [Form::Object, Form::Object, Form::Null, Form::Object, Form::Object]);
    let second = prompt.marks[1];
    let (ttl, member) = second.ttl.unwrap();
    assert_eq!((ttl, text(MESSAGES, member)), (Ttl::OneHour, r#""ttl":"1h""#));
    assert!(member.first);
    assert_eq!(text(MESSAGES, second.scope.unwrap()), r#""scope":"global""#);
    assert_eq!(
        text(MESSAGES, prompt.marks[4].member),
        r#""cache\u005fcontrol":{"type":"ephemeral"}"#
    );
}

#[test]
fn places_tell_what_they_are() {
    let prompt = read(Dialect::Messages, MESSAGES).prompt;
    let places: Vec<_> = prompt
        .places
        .iter()
        .map(|place| (place.section, place.role, place.block, place.turn))
        .collect();
    use Section::{Messages, System, Tools};
    assert_eq!(
        places,
        [
            (Messages, Role::User, Block::Text, 0),
            (Messages, Role::Assistant, Block::Thinking, 0),
            (Messages, Role::Assistant, Block::Call, 0),
            (Messages, Role::User, Block::Result, 1),
            (Messages, Role::User, Block::Blank, 1),
            (System, Role::System, Block::Text, 0),
            (Tools, Role::Other, Block::Definition, 0),
        ]
    );
    for place in &prompt.places {
        let (first, last) = (place.start as usize, place.end as usize);
        match place.carrier {
            Carrier::Object => {
                assert_eq!((&MESSAGES[first..=first], &MESSAGES[last..=last]), ("{", "}"))
            }
            _ => assert_eq!(&MESSAGES[first..last], "\"hello\""),
        }
    }
}

#[test]
fn leading_system_messages_of_chat_are_the_system_prompt() {
    let prompt = read(Dialect::Chat, CHAT).prompt;
    let places: Vec<_> =
        prompt.places.iter().map(|place| (place.section, place.role, place.message)).collect();
    use Section::{Messages, System, Tools};
    assert_eq!(
        places,
        [
            (System, Role::System, 0),
            (Messages, Role::User, 1),
            (Messages, Role::User, 1),
            (Messages, Role::Tool, 3),
            (Tools, Role::Other, Place::NO_MESSAGE),
        ]
    );
    assert_eq!(prompt.marks[0].seat, Seat::Message(2));
    assert_eq!(prompt.marks[1].seat, Seat::Inside(4));
    assert!(matches!(prompt.usage_option, UsageOption::Open { empty: true, .. }));
}

#[test]
fn responses_items_are_places_and_fields_tell_their_lifetime() {
    let Findings { prompt, ids, .. } = read(Dialect::Responses, RESPONSES);
    let places: Vec<_> = prompt.places.iter().map(|place| (place.role, place.block)).collect();
    assert_eq!(
        places,
        [
            (Role::User, Block::Text),
            (Role::User, Block::Item),
            (Role::Assistant, Block::Call),
            (Role::Tool, Block::Result),
        ]
    );
    assert_eq!(prompt.marks[0].seat, Seat::Message(0));
    assert_eq!(
        (prompt.marks[1].kind, prompt.marks[1].seat),
        (MarkKind::Breakpoint, Seat::Place(0))
    );
    let fields: Vec<_> = prompt.fields.iter().map(|field| (field.kind, field.ttl)).collect();
    assert_eq!(
        fields,
        [
            (FieldKind::CacheOptions, Some(Ttl::TwelveHours)),
            (FieldKind::CacheRetention, Some(Ttl::OneDay)),
        ]
    );
    assert_eq!(ids, [(0, b"resp_1".to_vec())]);
}

#[test]
fn what_is_no_prompt_is_left_alone() {
    let cases = [
        ("[]", "no prompt of its dialect"),
        ("{}", "no prompt of its dialect"),
        ("1", "no prompt of its dialect"),
        (r#"{"messages":"hi"}"#, "no prompt of its dialect"),
        (r#"{"messages":[1]}"#, "no prompt of its dialect"),
        (r#"{"messages":[],"tools":{}}"#, "no prompt of its dialect"),
        (r#"{"messages":[],"system":7}"#, "no prompt of its dialect"),
        (r#"{"messages":[],"messages":[]}"#, "a member stands twice, at byte 15"),
        (
            r#"{"messages":[{"role":"user","r\u006fle":"user"}]}"#,
            "a member stands twice, at byte 28",
        ),
        (r#"{"messages":[]}}"#, "not JSON at byte 15"),
        (r#"{"messages":["#, "the text ends inside a value"),
    ];
    for (body, message) in cases {
        let error = read_cut(Dialect::Messages, &[body.as_bytes()]).unwrap_err();
        assert_eq!(error.to_string(), message, "{body}");
    }
}

#[test]
fn later_marks_hide_earlier_ones() {
    let body = r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a",
        "cache_control":{"type":"ephemeral","ttl":"1h"},"cache_control":null}]}]}"#;
    let marks = read(Dialect::Messages, body).prompt.marks;
    assert_eq!(marks.iter().map(|mark| mark.shadowed).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn places_are_bounded() {
    let body = format!(r#"{{"messages":[{{"content":[{}{{}}]}}]}}"#, "{},".repeat(70_000));
    let error = read_cut(Dialect::Messages, &[body.as_bytes()]).unwrap_err();
    assert!(matches!(error, Unread::TooMany { .. }));
}

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
