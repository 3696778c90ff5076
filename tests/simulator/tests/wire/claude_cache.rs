//! What the caches of Claude's endpoints read and write.

use std::io::Read;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{Pace, Provider};

use crate::claude::{CLAUDE, ask, block, body, hour, mark, marked, ok, refusal, user, with};
use crate::support::{await_requests, begin, send, start, text, usage};

#[test]
fn a_prefix_is_written_once_and_then_read() {
    let simulator = start(&[Provider::Anthropic, Provider::Foundry]);
    let turn = |last: &str| {
        let system = json!([marked(&text("rules", 1000), mark())]);
        with(body(json!([user(json!(last))])), "system", system)
    };
    let cold = ask(&simulator, "anthropic", &turn(&text("a", 10))).json()["usage"].clone();
    assert_eq!(cold["input_tokens"], 10);
    assert_eq!(cold["cache_creation_input_tokens"], 1000);
    assert_eq!(cold["cache_read_input_tokens"], 0);
    assert_eq!(
        cold["cache_creation"],
        json!({ "ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 0 })
    );
    let warm = ask(&simulator, "anthropic", &turn(&text("b", 20))).json()["usage"].clone();
    assert_eq!(
        (&warm["input_tokens"], &warm["cache_read_input_tokens"]),
        (&json!(20), &json!(1000))
    );
    assert_eq!(warm["cache_creation_input_tokens"], 0);
    // Another account, and another model, know nothing of it.
    assert_eq!(ok(&simulator, "foundry", &turn("c")).write, 1000);
    assert_eq!(
        ok(&simulator, "anthropic", &with(turn("c"), "model", json!("claude-opus-5-5"))).write,
        1000
    );
}

#[test]
fn a_moving_mark_still_finds_what_it_wrote() {
    let simulator = start(&[Provider::Anthropic]);
    let first = text("first", 600);
    let usage = ok(&simulator, "anthropic", &body(json!([user(json!([marked(&first, mark())]))])));
    assert_eq!((usage.read, usage.write), (0, 600));
    // The old block comes back without its mark, once as a block and once as a string.
    for old in [json!([block(&first)]), json!(first)] {
        simulator.forget();
        ok(&simulator, "anthropic", &body(json!([user(json!([marked(&first, mark())]))])));
        let next = marked(&text("next", 50), mark());
        let said = json!({ "role": "assistant", "content": text("said", 30) });
        let usage =
            ok(&simulator, "anthropic", &body(json!([user(old), said, user(json!([next]))])));
        assert_eq!((usage.read, usage.write, usage.uncached), (600, 80, 0));
    }
}

#[test]
fn the_bytes_of_a_block_are_its_key() {
    let simulator = start(&[Provider::Anthropic]);
    let schema = text("x", 600);
    let ask = |tool: String| {
        let body = format!(
            r#"{{"model":"claude-opus-5","max_tokens":9,"tools":[{tool}],"messages":[{{"role":"user","content":"a"}}]}}"#
        );
        send(simulator.address("anthropic"), "POST", "/v1/messages", &[], body.as_bytes()).unwrap();
        usage(&simulator, "anthropic").read
    };
    let tool = |rest: &str| {
        format!(
            r#"{{"name":"t","description":"{schema}","input_schema":{{"a":1.0, "b":2}}{rest}}}"#
        )
    };
    let marked = tool(r#","cache_control":{"type":"ephemeral"}"#);
    assert_eq!(ask(marked.clone()), 0);
    let warm = ask(marked.clone());
    assert!(warm > 600);
    assert_eq!(ask(marked.replace(", \"b\"", ",\"b\"")), 0, "white space");
    assert_eq!(ask(marked.replace("1.0", "1")), 0, "numbers");
    assert_eq!(ask(marked.replace(r#""a":1.0, "b":2"#, r#""b":2, "a":1.0"#)), 0, "order");
    // The mark itself is no part of it, wherever in the object it stands.
    assert_eq!(
        ask(marked
            .replace(
                "{\"name\"",
                "{\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"5m\"},\"name\""
            )
            .replace(r#","cache_control":{"type":"ephemeral"}}"#, "}")),
        warm
    );
}

#[test]
fn entries_expire_and_their_use_keeps_them() {
    let simulator = start(&[Provider::Anthropic]);
    let ask = |mark: Value| {
        let usage = ok(
            &simulator,
            "anthropic",
            &body(json!([user(json!([marked(&text("a", 600), mark)]))])),
        );
        (usage.read, usage.write)
    };
    let minutes = |minutes: u64| simulator.advance(Duration::from_secs(minutes * 60));
    assert_eq!(ask(mark()), (0, 600));
    minutes(4);
    assert_eq!(ask(mark()), (600, 0));
    minutes(4);
    assert_eq!(ask(mark()), (600, 0), "kept by the use four minutes ago");
    minutes(5);
    assert_eq!(ask(mark()), (0, 600), "expired");
    simulator.forget();
    assert_eq!(ask(hour()), (0, 600));
    minutes(59);
    assert_eq!(ask(hour()), (600, 0));
    minutes(59);
    assert_eq!(ask(hour()), (600, 0));
    minutes(60);
    assert_eq!(ask(hour()), (0, 600));
}

#[test]
fn a_mark_looks_back_over_twenty_positions() {
    let conversation = |blocks: usize| {
        let mut content = vec![block(&text("start", 600))];
        content.extend((0..blocks).map(|number| block(&format!("block {number}"))));
        content.last_mut().unwrap()["cache_control"] = mark();
        body(json!([user(json!(content))]))
    };
    for (added, found) in [(18, true), (19, true), (20, false), (30, false)] {
        let simulator = start(&[Provider::Anthropic]);
        let first = ok(&simulator, "anthropic", &conversation(0));
        assert_eq!(first.write, 600);
        let second = ok(&simulator, "anthropic", &conversation(added));
        assert_eq!(second.read == 600, found, "{added} blocks later");
    }
}

#[test]
fn only_what_was_written_is_found() {
    let simulator = start(&[Provider::Anthropic]);
    let (a, b) = (text("a", 600), text("b", 600));
    ok(&simulator, "anthropic", &body(json!([user(json!([block(&a), marked(&b, mark())]))])));
    // The first block alone was never the end of a written prefix.
    let usage = ok(&simulator, "anthropic", &body(json!([user(json!([marked(&a, mark())]))])));
    assert_eq!((usage.read, usage.write), (0, 600));
}

#[test]
fn below_the_minimum_nothing_is_written_and_nothing_is_wrong() {
    let simulator = start(&[Provider::Anthropic]);
    for (model, tokens, written) in [
        ("claude-opus-5", 511, 0),
        ("claude-opus-5", 512, 512),
        ("claude-opus-4-6", 4095, 0),
        ("claude-opus-4-6", 4096, 4096),
    ] {
        let body = body(json!([user(json!([marked(&text("a", tokens), mark())]))]));
        let usage = ok(&simulator, "anthropic", &with(body, "model", json!(model)));
        assert_eq!((usage.read, usage.write), (0, written), "{model}");
    }
}

#[test]
fn mixed_lifetimes_are_billed_by_class() {
    let simulator = start(&[Provider::Anthropic]);
    let ask = |last: &str, tail: Value| {
        let system = json!([marked(&text("rules", 1000), hour())]);
        let content = json!([marked(&text("docs", 300), hour()), marked(last, mark()), tail]);
        ok(&simulator, "anthropic", &with(body(json!([user(content)])), "system", system))
    };
    let tail = block(&text("tail", 7));
    let cold = ask(&text("q", 40), tail.clone());
    assert_eq!((cold.read, cold.write_1h, cold.write_5m, cold.uncached), (0, 1300, 40, 7));
    let warm = ask(&text("other", 40), tail);
    assert_eq!((warm.read, warm.write_1h, warm.write_5m, warm.uncached), (1300, 0, 40, 7));
}

#[test]
fn the_mark_at_the_top_stands_for_the_last_block_that_can_carry_one() {
    let simulator = start(&[Provider::Anthropic]);
    let ask = |content: Value| {
        ok(&simulator, "anthropic", &with(body(json!([user(content)])), "cache_control", mark()))
    };
    let long = text("a", 600);
    assert_eq!(ask(json!([block(&long), block(" ")])).write, 600);
    assert_eq!(ask(json!([block(&long), block("more")])).read, 600);
    let other = json!([block(&long), marked("more", hour())]);
    let words =
        refusal(Provider::Anthropic, &with(body(json!([user(other)])), "cache_control", mark()));
    assert!(words.contains("different ttl"), "{words}");
}

#[test]
fn an_entry_can_be_read_once_its_answer_has_begun() {
    let simulator = start(&[Provider::Anthropic]);
    let body = body(json!([user(json!([marked(&text("a", 600), mark())]))]));
    let late = Pace { delay: Duration::from_secs(60), ..Pace::default() };
    simulator.pace("anthropic", late);
    let _waiting = begin(&simulator, "anthropic", "/v1/messages", &body);
    await_requests(&simulator, "anthropic", 1);
    simulator.pace("anthropic", Pace::default());
    let usage = ok(&simulator, "anthropic", &body);
    assert_eq!((usage.read, usage.write), (0, 600), "the first answer has not begun");
    assert_eq!(ok(&simulator, "anthropic", &body).read, 600);

    // A stream that goes on has begun.
    simulator.forget();
    simulator.pace("anthropic", Pace { gap: Duration::from_secs(60), ..Pace::default() });
    let mut going_on =
        begin(&simulator, "anthropic", "/v1/messages", &with(body.clone(), "stream", json!(true)));
    going_on.read_exact(&mut [0]).unwrap();
    assert_eq!(ok(&simulator, "anthropic", &body).read, 600);
}

#[test]
fn the_billing_block_counts_except_at_anthropic() {
    let turn = |version: &str| {
        let billing = block(&format!("x-anthropic-billing-header: cc_version={version};"));
        let system = json!([billing, marked(&text("rules", 600), mark())]);
        with(body(json!([user(json!("a"))])), "system", system)
    };
    let simulator = start(&CLAUDE);
    for provider in CLAUDE {
        ok(&simulator, provider.name(), &turn("1"));
        let read = ok(&simulator, provider.name(), &turn("2")).read;
        assert_eq!(read, if provider == Provider::Anthropic { 600 } else { 0 }, "{provider}");
    }
}

#[test]
fn another_tool_choice_loses_messages_but_not_the_system() {
    let simulator = start(&[Provider::Anthropic]);
    let turn = |choice: &str| {
        let system = json!([marked(&text("rules", 600), mark())]);
        let body =
            with(body(json!([user(json!([marked(&text("u", 100), mark())]))])), "system", system);
        with(body, "tool_choice", json!({ "type": choice }))
    };
    ok(&simulator, "anthropic", &turn("auto"));
    let usage = ok(&simulator, "anthropic", &turn("none"));
    assert_eq!((usage.read, usage.write), (600, 100));
}
