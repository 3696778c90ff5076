use super::super::*;
use crate::dialect::Dialect;
use crate::provider::Usage;
use crate::splice::Splicer;

/// Reads and writes back a JSON answer; what it says, and the body for the client.
fn body(dialect: Dialect, usage: Usage, text: &str) -> (Counts, String) {
    let read = |windows: &[&[u8]]| {
        let mut body = Body::default();
        windows.iter().for_each(|window| body.push(window));
        let (answer, edit) = body.finish(dialect, usage);
        let mut out = text.as_bytes().to_vec();
        if let Some(edit) = edit {
            out = Splicer::new(vec![edit]).splice(&out, out.len()).unwrap();
        }
        (answer.raw.counts(dialect, usage), String::from_utf8(out).unwrap(), answer.ids)
    };
    let whole = read(&[text.as_bytes()]);
    for cut in 0..text.len() {
        let (left, right) = text.as_bytes().split_at(cut);
        assert_eq!(read(&[left, right]), whole, "cut at {cut}");
    }
    (whole.0, whole.1)
}

fn chat(usage: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","choices":[{{"index":0,"message":{{"content":"usage"}}}}],"usage":{usage},"x":1}}"#
    )
}

#[track_caller]
fn check_chat(usage: Usage, before: &str, after: &str) {
    let (counts, out) = body(Dialect::Chat, usage, &chat(before));
    assert_eq!(out, chat(after));
    let (again, same) = body(Dialect::Chat, Usage::Standard, &out);
    assert_eq!(same, out, "what was written is right");
    assert_eq!((again.input, again.read, again.output), (counts.input, counts.read, counts.output));
}

#[test]
fn what_is_right_keeps_its_bytes() {
    let messages = r#"{"id":"msg_1","type":"message","usage":{"input_tokens":2048,"cache_read_input_tokens":1800,"cache_creation_input_tokens":248,"output_tokens":503,"cache_creation":{"ephemeral_5m_input_tokens":148,"ephemeral_1h_input_tokens":100}}}"#;
    let (counts, out) = body(Dialect::Messages, Usage::Standard, messages);
    assert_eq!(out, messages);
    let expected = Counts {
        input: Some(4096),
        uncached: Some(2048),
        read: Some(1800),
        write: Some(248),
        write_5m: Some(148),
        write_1h: Some(100),
        output: Some(503),
        reasoning: None,
    };
    assert_eq!(counts, expected);
    for untouched in [
        chat(r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}"#),
        chat(
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":3}}"#,
        ),
        chat(
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":null}"#,
        ),
        chat("null"),
        chat("{}"),
        chat("7"),
        r#"{"id":"x"}"#.into(),
        r#"{"error":{"message":"usage"}}"#.into(),
        "not json".into(),
    ] {
        assert_eq!(body(Dialect::Chat, Usage::Standard, &untouched).1, untouched);
    }
}

#[test]
fn chat_counts_are_written_inclusive_with_every_name() {
    check_chat(
        Usage::Standard,
        r#"{"prompt_tokens":15000,"completion_tokens":60,"total_tokens":15060,"prompt_tokens_details":{"cached_tokens":12000,"cache_write_tokens":3000}}"#,
        r#"{"prompt_tokens":15000,"completion_tokens":60,"total_tokens":15060,"prompt_tokens_details":{"cached_tokens":12000,"cache_write_tokens":3000,"caching_tokens":3000}}"#,
    );
    // Requesty, Qwen, DeepSeek, Moonshot, xAI, Gemini.
    check_chat(
        Usage::Relay,
        r#"{"prompt_tokens":20,"completion_tokens":1,"total_tokens":21,"prompt_tokens_details":{"caching_tokens":12,"cached_tokens":0}}"#,
        r#"{"prompt_tokens":20,"completion_tokens":1,"total_tokens":21,"prompt_tokens_details":{"caching_tokens":12,"cached_tokens":0,"cache_write_tokens":12}}"#,
    );
    check_chat(
        Usage::Standard,
        r#"{"prompt_tokens":20,"prompt_tokens_details":{ },"completion_tokens":1,"total_tokens":21,"prompt_cache_hit_tokens":12,"prompt_cache_miss_tokens":8}"#,
        r#"{"prompt_tokens":20,"prompt_tokens_details":{ "cached_tokens":12},"completion_tokens":1,"total_tokens":21,"prompt_cache_hit_tokens":12,"prompt_cache_miss_tokens":8}"#,
    );
    check_chat(
        Usage::Standard,
        r#"{"prompt_tokens":20,"completion_tokens":1,"total_tokens":21,"cached_tokens":12}"#,
        r#"{"prompt_tokens":20,"completion_tokens":1,"total_tokens":21,"cached_tokens":12,"prompt_tokens_details":{"cached_tokens":12}}"#,
    );
    check_chat(
        Usage::Standard,
        r#"{"prompt_tokens":20,"completion_tokens":1,"total_tokens":21,"prompt_tokens_details":null,"num_cached_tokens":12}"#,
        r#"{"prompt_tokens":20,"completion_tokens":1,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":12},"num_cached_tokens":12}"#,
    );
    check_chat(
        Usage::ReasoningApart,
        r#"{"prompt_tokens":125,"completion_tokens":48,"total_tokens":173,"prompt_tokens_details":{"cached_tokens":98},"completion_tokens_details":{"reasoning_tokens":300}}"#,
        r#"{"prompt_tokens":125,"completion_tokens":348,"total_tokens":473,"prompt_tokens_details":{"cached_tokens":98},"completion_tokens_details":{"reasoning_tokens":300}}"#,
    );
    check_chat(
        Usage::CompletionFromTotal,
        r#"{"prompt_tokens":1469,"completion_tokens":744,"total_tokens":2496}"#,
        r#"{"prompt_tokens":1469,"completion_tokens":1027,"total_tokens":2496}"#,
    );
}

#[test]
fn exclusive_relays_become_inclusive() {
    check_chat(
        Usage::Relay,
        r#"{"prompt_tokens":10,"completion_tokens":2,"total_tokens":5012,"prompt_tokens_details":{"cached_tokens":5000}}"#,
        r#"{"prompt_tokens":5010,"completion_tokens":2,"total_tokens":5012,"prompt_tokens_details":{"cached_tokens":5000}}"#,
    );
    check_chat(
        Usage::Relay,
        r#"{"prompt_tokens":9000,"completion_tokens":2,"total_tokens":14002,"prompt_tokens_details":{"cached_tokens":5000}}"#,
        r#"{"prompt_tokens":14000,"completion_tokens":2,"total_tokens":14002,"prompt_tokens_details":{"cached_tokens":5000}}"#,
    );
    // A write shown as cached as well.
    check_chat(
        Usage::Relay,
        r#"{"prompt_tokens":600,"completion_tokens":2,"total_tokens":602,"prompt_tokens_details":{"cached_tokens":500,"cache_write_tokens":500,"caching_tokens":500},"cache_creation_input_tokens":500,"cache_read_input_tokens":0}"#,
        r#"{"prompt_tokens":600,"completion_tokens":2,"total_tokens":602,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":500,"caching_tokens":500},"cache_creation_input_tokens":500,"cache_read_input_tokens":0}"#,
    );
}

#[test]
fn parts_that_are_more_than_all_are_cut_to_it() {
    check_chat(
        Usage::Standard,
        r#"{"prompt_tokens":100,"completion_tokens":1,"total_tokens":101,"prompt_tokens_details":{"cached_tokens":80,"cache_write_tokens":30,"caching_tokens":30}}"#,
        r#"{"prompt_tokens":100,"completion_tokens":1,"total_tokens":101,"prompt_tokens_details":{"cached_tokens":80,"cache_write_tokens":20,"caching_tokens":20}}"#,
    );
    check_chat(
        Usage::Standard,
        r#"{"prompt_tokens":100,"completion_tokens":1,"total_tokens":101,"prompt_tokens_details":{"cached_tokens":120,"cache_write_tokens":30,"caching_tokens":30}}"#,
        r#"{"prompt_tokens":100,"completion_tokens":1,"total_tokens":101,"prompt_tokens_details":{"cached_tokens":100,"cache_write_tokens":0,"caching_tokens":0}}"#,
    );
}

#[test]
fn counts_that_are_texts_become_numbers() {
    check_chat(
        Usage::Relay,
        r#"{"prompt_tokens":"20","completion_tokens":"1","total_tokens":"21","prompt_tokens_details":{"cached_tokens":"12"}}"#,
        r#"{"prompt_tokens":20,"completion_tokens":1,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":12}}"#,
    );
}

#[test]
fn responses_counts_are_written_inclusive() {
    let text = |details: &str| {
        format!(
            r#"{{"id":"resp_1","object":"response","usage":{{"input_tokens":15000,"input_tokens_details":{{{details}}},"output_tokens":60,"output_tokens_details":{{"reasoning_tokens":12}},"total_tokens":15060}}}}"#
        )
    };
    let (counts, out) = body(
        Dialect::Responses,
        Usage::Standard,
        &text(r#""cached_tokens":12000,"cache_write_tokens":3000"#),
    );
    assert_eq!(
        out,
        text(r#""cached_tokens":12000,"cache_write_tokens":3000,"caching_tokens":3000"#)
    );
    assert_eq!((counts.uncached, counts.reasoning), (Some(0), Some(12)));
}

#[test]
fn unknown_is_not_zero() {
    let (counts, _) = body(
        Dialect::Chat,
        Usage::Standard,
        &chat(r#"{"prompt_tokens":10,"completion_tokens":null}"#),
    );
    assert_eq!((counts.read, counts.write, counts.output), (None, None, None));
    assert!(!counts.tells_of_no_cache());
    let (counts, _) = body(
        Dialect::Messages,
        Usage::Standard,
        r#"{"usage":{"input_tokens":5,"cache_creation_input_tokens":340}}"#,
    );
    assert_eq!((counts.write, counts.write_5m, counts.read), (Some(340), None, None));
    let (counts, _) = body(
        Dialect::Messages,
        Usage::Standard,
        r#"{"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0}}"#,
    );
    assert!(counts.tells_of_no_cache());
}

#[test]
fn usages_of_the_big_clouds_are_read() {
    let (counts, _) = body(
        Dialect::Messages,
        Usage::Standard,
        r#"{"output":{},"usage":{"inputTokens":21,"outputTokens":87,"totalTokens":12448,"cacheReadInputTokens":0,"cacheWriteInputTokens":12340,"cacheDetails":[{"ttl":"1h","inputTokens":12000},{"inputTokens":340,"ttl":"5m"}]}}"#,
    );
    assert_eq!(
        (counts.input, counts.write_5m, counts.write_1h),
        (Some(12361), Some(340), Some(12000))
    );
    let gemini = r#"{"candidates":[],"usageMetadata":{"promptTokenCount":12340,"cachedContentTokenCount":12000,"candidatesTokenCount":87,"thoughtsTokenCount":40,"totalTokenCount":12467},"responseId":"r"}"#;
    let (counts, _) = body(Dialect::Chat, Usage::Standard, gemini);
    assert_eq!(
        (counts.uncached, counts.output, counts.reasoning),
        (Some(340), Some(127), Some(40))
    );
}

#[test]
fn the_first_and_the_latest_items_of_an_answer_are_kept() {
    let items: Vec<String> =
        (0..40).map(|n| format!(r#"{{"id":"fc_{n}","call":{{"id":"x"}}}}"#)).collect();
    let text = format!(r#"{{"id":"resp_1","output":[{}],"store":true}}"#, items.join(","));
    let mut body = Body::default();
    body.push(text.as_bytes());
    let (answer, _) = body.finish(Dialect::Responses, Usage::Standard);
    let kept: Vec<_> = answer.items().iter().map(|id| String::from_utf8_lossy(id)).collect();
    assert_eq!(kept, ["fc_0", "fc_1", "fc_2", "fc_3", "fc_36", "fc_37", "fc_38", "fc_39"]);
    assert_eq!(answer.ids, [b"resp_1".to_vec()]);
}
