//! Marks of the client: kept where they are legal, made legal where they are not.

use serde_json::{Value, json};

use crate::{CLAUDES, MESSAGES, block, keeping, mark, mark_for, marks, request, sent};

#[tokio::test(flavor = "multi_thread")]
async fn four_legal_marks_stay_where_they_are() {
    let gateway = keeping().await;
    let mut body = request(vec![block(3), block(4)]);
    for place in ["/tools/1", "/system/1", "/messages/0/content/0", "/messages/0/content/1"] {
        body.pointer_mut(place).expect("a place")["cache_control"] = mark();
    }
    for (_, upstream) in CLAUDES {
        let (answer, received) = sent(&gateway, upstream, MESSAGES, &body).await;
        assert_eq!(received, body);
        assert!(!answer.explanation().contains_key("edits"));
        assert!(answer.usage()["cache_creation_input_tokens"].as_u64() > Some(2_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_too_many_marks_the_last_of_each_section_stay() {
    let gateway = keeping().await;
    for extra in [1, 2, 8] {
        let mut body = request((0..extra + 2).map(block).collect());
        for place in ["/tools/0", "/tools/1", "/system/0", "/system/1"] {
            body.pointer_mut(place).expect("a place")["cache_control"] = mark();
        }
        for number in 0..extra + 2 {
            body["messages"][0]["content"][number as usize]["cache_control"] = mark();
        }
        for (_, upstream) in CLAUDES {
            let (answer, received) = sent(&gateway, upstream, MESSAGES, &body).await;
            let last = |back: u64| format!("/messages/0/content/{}", extra + 2 - back);
            assert_eq!(marks(&received), ["/tools/1".into(), "/system/1".into(), last(2), last(1)]);
            assert!(answer.explanation()["edits"].contains("cap"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_never_comes_after_five_minutes() {
    let gateway = keeping().await;
    let places = ["/tools/1", "/system/1", "/messages/0/content/0", "/messages/0/content/1"];
    for combination in 0..16 {
        let mut body = request(vec![block(3), block(4)]);
        let is_hour = |index: usize| combination >> index & 1 == 1;
        for (index, place) in places.iter().enumerate() {
            let ttl = if is_hour(index) { "1h" } else { "5m" };
            body.pointer_mut(place).expect("a place")["cache_control"] = mark_for(ttl);
        }
        let hours = (0..4).take_while(|index| is_hour(*index)).count();
        let expected: Vec<String> = places
            .iter()
            .enumerate()
            .map(|(index, place)| format!("{place} {}", if index < hours { "1h" } else { "5m" }))
            .collect();
        for (_, upstream) in CLAUDES {
            let (_, received) = sent(&gateway, upstream, MESSAGES, &body).await;
            assert_eq!(marks(&received), expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lifetime_goes_only_where_it_is_not_known() {
    let gateway = keeping().await;
    let mut body = request(vec![block(3)]);
    body["tools"][1]["cache_control"] = mark_for("1h");
    body["messages"][0]["content"][0]["cache_control"] = mark_for("1h");
    for (model, is_known) in [("claude-sonnet-4-5", true), ("claude-3-5-haiku-20241022", false)] {
        body["model"] = json!(model);
        for (provider, upstream) in CLAUDES {
            let (answer, received) = sent(&gateway, upstream, MESSAGES, &body).await;
            let is_hour = is_known || provider == "anthropic";
            let ttl = if is_hour { " 1h" } else { "" };
            assert_eq!(
                marks(&received),
                ["/tools/1", "/messages/0/content/0"].map(|place| format!("{place}{ttl}"))
            );
            assert_eq!(
                answer.explanation().contains_key("edits"),
                !is_hour,
                "what is lost is told"
            );
            let written = &answer.usage()["cache_creation"]["ephemeral_1h_input_tokens"];
            assert_eq!(written.as_u64() > Some(0), is_hour, "{provider} {model}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_on_the_whole_request_becomes_one_on_its_last_block_where_it_must() {
    let gateway = keeping().await;
    let mut body = request(vec![block(3), block(4)]);
    body["cache_control"] = mark();
    for (provider, upstream) in CLAUDES {
        let (_, received) = sent(&gateway, upstream, MESSAGES, &body).await;
        let expected = if provider == "anthropic" { "" } else { "/messages/0/content/1" };
        assert_eq!(marks(&received), [expected], "{provider}");
    }
    // Beside four others it would be a fifth.
    for place in ["/tools/0", "/tools/1", "/system/1", "/messages/0/content/0"] {
        body.pointer_mut(place).expect("a place")["cache_control"] = mark();
    }
    for (provider, upstream) in CLAUDES {
        let (_, received) = sent(&gateway, upstream, MESSAGES, &body).await;
        assert_eq!(marks(&received).len(), 4, "{provider}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_goes_to_the_nearest_place_that_can_carry_it() {
    let gateway = keeping().await;
    let conversation = |second: Value, third: Value| {
        let mut body = request(vec![block(3), block(4)]);
        let turns = body["messages"].as_array_mut().expect("turns");
        turns.push(json!({"role": "assistant", "content": second}));
        turns.push(json!({"role": "user", "content": third}));
        body
    };
    let thought = json!({"type": "thinking", "thinking": "so", "signature": "x"});
    let call = json!({"type": "tool_use", "id": "t", "name": "a", "input": {}});
    let marked = |mut block: Value| {
        block["cache_control"] = mark();
        block
    };
    let result = json!({"type": "tool_result", "tool_use_id": "t", "content": [marked(block(5))]});
    let blank = json!({"type": "text", "text": "  \n"});
    let mut on_message = request(vec![block(3), block(4)]);
    on_message["messages"][0]["cache_control"] = mark();
    let cases = [
        (on_message, "/messages/0/content/1"),
        (
            conversation(json!([block(5), marked(thought.clone())]), json!("go on")),
            "/messages/1/content/0",
        ),
        (
            conversation(
                json!([marked(thought.clone()), call.clone()]),
                json!([{"type": "tool_result", "tool_use_id": "t", "content": "x"}]),
            ),
            "/messages/0/content/1",
        ),
        (conversation(json!([call]), json!([result])), "/messages/2/content/0"),
        (conversation(json!("hm"), json!([block(6), marked(blank)])), "/messages/2/content/0"),
    ];
    for (number, (body, place)) in cases.iter().enumerate() {
        for (_, upstream) in CLAUDES {
            let (answer, received) = sent(&gateway, upstream, MESSAGES, body).await;
            assert_eq!(marks(&received), [*place], "case {number}");
            assert_eq!(answer.explanation()["edits"], "move");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_goes_where_it_is_not_known() {
    let gateway = keeping().await;
    let mut body = request(vec![block(3)]);
    body["system"][1]["cache_control"] =
        json!({"type": "ephemeral", "scope": "global", "ttl": "1h"});
    for (provider, upstream) in CLAUDES {
        for beta in [
            "prompt-caching-scope-2026-01-05",
            "context-1m,prompt-caching-scope-2026-01-05",
            "other",
        ] {
            let call = gateway.post(MESSAGES, &body).header("anthropic-beta", beta);
            let answer = call.header("upstream", upstream).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let received = gateway.providers.received(upstream).pop().expect("a request");
            assert_eq!(received.header("anthropic-beta"), Some(beta.as_bytes()));
            let received: Value = serde_json::from_slice(&received.body).expect("JSON");
            let is_known = provider == "anthropic" && beta != "other";
            let scope = received["system"][1]["cache_control"].get("scope");
            assert_eq!(scope.is_some(), is_known, "{provider} {beta}");
            assert_eq!(marks(&received), ["/system/1 1h"]);
        }
    }
}
