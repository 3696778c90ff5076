use super::*;

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
