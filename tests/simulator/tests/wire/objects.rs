//! What lives at one account, and does not exist at another.

use serde_json::{Value, json};
use simulator::Provider;

use crate::support::{post, send, start, text};

#[test]
fn a_response_is_continued_where_it_was_made_and_unknown_elsewhere() {
    let simulator = start(&[Provider::OpenAi, Provider::AzureOpenAi]);
    let respond = |account: &str, body: Value| post(&simulator, account, "/v1/responses", &body);
    let first = respond("openai", json!({ "model": "gpt-5.6", "input": text("a", 1200) })).json();
    let id = first["id"].as_str().unwrap();
    let next = json!({ "model": "gpt-5.6", "input": text("b", 30), "previous_response_id": id });
    let second = respond("openai", next.clone()).json();
    assert_eq!(second["usage"]["input_tokens"], 1250, "the answer had 20");
    assert_eq!(second["usage"]["input_tokens_details"]["cached_tokens"], 1200);
    let elsewhere = respond("azure_openai", next);
    assert_eq!(elsewhere.status, 400);
    assert_eq!(
        elsewhere.json()["error"],
        json!({
            "message": format!("Previous response with id '{id}' not found."),
            "type": "invalid_request_error",
            "param": "previous_response_id",
            "code": "previous_response_not_found",
        })
    );
    let unstored =
        respond("openai", json!({ "model": "gpt-5.6", "input": "a", "store": false })).json();
    let next = json!({ "model": "gpt-5.6", "input": "b", "previous_response_id": unstored["id"] });
    assert_eq!(respond("openai", next).status, 400);
}

#[test]
fn what_a_response_said_is_named_where_it_was_said_and_unknown_elsewhere() {
    let simulator = start(&[Provider::OpenAi, Provider::AzureOpenAi]);
    let respond = |account: &str, body: Value| post(&simulator, account, "/v1/responses", &body);
    let asked = json!([{ "role": "user", "content": text("a", 1200) }]);
    let first = respond("openai", json!({ "model": "gpt-5.6", "input": asked })).json();
    let said = |id: &Value| {
        let named = json!({ "type": "item_reference", "id": id });
        let more = json!({ "role": "user", "content": text("b", 30) });
        json!({ "model": "gpt-5.6", "input": [asked[0], named, more] })
    };
    let id = &first["output"][0]["id"];
    let second = respond("openai", said(id)).json();
    assert_eq!(second["usage"]["input_tokens"], 1250, "the answer had 20");
    assert_eq!(second["usage"]["input_tokens_details"]["cached_tokens"], 1200);
    let elsewhere = respond("azure_openai", said(id));
    assert_eq!((elsewhere.status, &elsewhere.json()["error"]["param"]), (404, &json!("input")));
    let unstored = json!({ "model": "gpt-5.6", "input": "a", "store": false });
    let unstored = respond("openai", unstored).json();
    assert_eq!(respond("openai", said(&unstored["output"][0]["id"])).status, 404);
}

#[test]
fn objects_live_at_one_account() {
    let simulator = start(&[Provider::OpenAi, Provider::AzureOpenAi]);
    let call = |account: &str, method: &str, path: &str, body: &str| {
        send(simulator.address(account), method, path, &[], body.as_bytes()).unwrap()
    };
    for (path, body) in [
        ("/v1/responses", r#"{"model":"gpt-5.6","input":"a"}"#),
        ("/v1/videos", r#"{"model":"sora-2","prompt":"a"}"#),
        ("/v1/files", "--form--"),
        ("/v1/batches", "{}"),
        ("/v1/images/generations", r#"{"prompt":"a"}"#),
    ] {
        let made = call("openai", "POST", path, body).json();
        let own = format!("{path}/{}", made["id"].as_str().unwrap());
        assert_eq!(call("openai", "GET", &own, "").json()["id"], made["id"], "{path}");
        assert_eq!(call("azure_openai", "GET", &own, "").status, 404, "{path}");
        assert_eq!(call("openai", "DELETE", &own, "").json()["deleted"], true);
        assert_eq!(call("openai", "GET", &own, "").status, 404, "{path}");
    }
    let video = call("openai", "POST", "/v1/videos", r#"{"prompt":"a"}"#).json();
    let more = json!({ "prompt": "b", "task_id": video["task_id"] }).to_string();
    assert_eq!(call("openai", "POST", "/v1/videos", &more).status, 200);
    assert_eq!(call("azure_openai", "POST", "/v1/videos", &more).status, 404);
    let response =
        call("openai", "POST", "/v1/responses", r#"{"model":"gpt-5.6","input":"a"}"#).json();
    let cancel = format!("/v1/responses/{}/cancel", response["id"].as_str().unwrap());
    assert_eq!(call("openai", "POST", &cancel, "").json()["status"], "cancelled");
}
