//! Requests that name what earlier answers said instead of sending it again.

use super::*;

const RESPONSES: List<'static> = &[(":path", "/v1/responses")];

fn says(item: &str) -> String {
    format!(
        r#"{{"model":"gpt-5.6","input":[{{"role":"user","content":"hi"}},{item},{{"role":"user","content":"go on"}}]}}"#
    )
}

fn answer(id: &str, item: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{id}","object":"response","output":[{{"id":"{item}","type":"reasoning","summary":[]}}]{more},"usage":{{"input_tokens":9,"output_tokens":1,"total_tokens":10}}}}"#
    )
}

/// Where a request is pinned, and whether to nowhere else.
fn pinned(envoy: &mut Envoy, item: &str) -> (Option<String>, bool) {
    let mut route = Route::new(Rc::clone(&envoy.route));
    let body = says(item);
    let mut headers = request(RESPONSES, &body);
    let upstream = envoy.ask(&mut route, &mut headers, &body);
    (upstream, get(&headers, "x-warmpath-hard").is_some())
}

/// Asks the same at both accounts that speak responses, whose answers say `rs_x` and `rs_o`.
fn two_accounts(more: &str) -> Envoy {
    let mut envoy = Envoy::new();
    let asks = r#"{"model":"gpt-5.6","input":[{"role":"user","content":"hi"}]}"#;
    for name in ["x", "o"] {
        let text = answer(&format!("resp_{name}"), &format!("rs_{name}"), more);
        envoy.exchange(name, RESPONSES, asks, &text);
    }
    envoy
}

#[test]
fn what_is_named_is_asked_of_the_account_that_said_it_and_of_no_other() {
    let mut envoy = two_accounts("");
    for account in ["x", "o"] {
        for item in [
            format!(r#"{{"type":"item_reference","id":"rs_{account}"}}"#),
            format!(r#"{{"type":"reasoning","id":"rs_{account}","summary":[]}}"#),
        ] {
            assert_eq!(pinned(&mut envoy, &item), (Some(account.to_owned()), true), "{item}");
        }
    }
}

#[test]
fn what_is_sent_again_or_named_by_nobody_may_go_elsewhere() {
    let mut envoy = two_accounts("");
    for item in [
        r#"{"type":"reasoning","id":"rs_x","summary":[],"encrypted_content":"gAAA"}"#,
        r#"{"type":"item_reference","id":"rs_of_others"}"#,
    ] {
        // By the beginning of the conversation, which was last served there.
        assert_eq!(pinned(&mut envoy, item), (Some("o".to_owned()), false), "{item}");
    }
}

#[test]
fn what_a_provider_does_not_keep_is_not_learned() {
    let mut envoy = two_accounts(r#","store":false"#);
    let named = pinned(&mut envoy, r#"{"type":"item_reference","id":"rs_x"}"#);
    assert_eq!(named, (Some("o".to_owned()), false));
}

#[test]
fn what_a_stream_says_is_learned_at_its_end() {
    let mut envoy = Envoy::new();
    let mut route = Route::new(Rc::clone(&envoy.route));
    let asks = r#"{"model":"gpt-5.6","input":"hi","stream":true}"#;
    envoy.send(&mut route, "o", RESPONSES, asks);
    let events = format!(
        "data: {{\"type\":\"response.created\",\"response\":{{\"id\":\"resp_1\",\"output\":[]}}}}\n\n\
         data: {{\"type\":\"response.completed\",\"response\":{}}}\n\n",
        answer("resp_1", "rs_1", "")
    );
    let headers = &[(":status", "200"), ("content-type", "text/event-stream")];
    envoy.answer(&mut route, headers, &events);
    let named = pinned(&mut envoy, r#"{"id":"rs_1","type":"item_reference"}"#);
    assert_eq!(named, (Some("o".to_owned()), true));
}
