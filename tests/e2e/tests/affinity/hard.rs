//! What lives at one account only: stored responses, tasks, files. Nobody else can answer for them.

use e2e::client::Call;
use e2e::gateway::accounts;
use e2e::{Answer, Bootstrap, Gateway};
use http::Method;
use serde_json::{Value, json};
use simulator::{Account, Fault, Provider};

const RESPONSES: &str = "/v1/responses";

/// Two accounts at OpenAI, the second behind the first.
async fn two() -> Gateway {
    let mut accounts = accounts();
    accounts[1] = Account::new("anthropic-b", Provider::OpenAi);
    let both = r#"route: {timeout: 0s, weighted_clusters: {header_name: x-warmpath-hash, clusters: [{name: openai-a, weight: 50}, {name: anthropic-b, weight: 50}]}}"#;
    let bootstrap = Bootstrap::explaining()
        .replace("route: {cluster: openai-a, timeout: 0s}", both)
        .upstream("anthropic-b", r#"{"provider": "openai"}"#);
    Gateway::with_accounts(accounts, bootstrap.steered()).await
}

fn ask(gateway: &Gateway, body: &Value) -> Call {
    gateway.post(RESPONSES, body)
}

fn by(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.explanation()["by"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_response_is_continued_where_it_is() {
    let gateway = two().await;
    for (upstream, model) in [("openai-a", "gpt-5.1"), ("anthropic-b", "gpt-5.6")] {
        let mut body = json!({"model": model, "input": "hello", "stream": upstream == "openai-a"});
        let mut answer = ask(&gateway, &body).header("upstream", upstream).await;
        for turn in 0..4 {
            body["previous_response_id"] = json!(answer.id());
            body["input"] = json!(format!("turn {turn}"));
            // Whatever model goes on with it.
            body["model"] = json!(["gpt-5.1", "gpt-5-mini"][turn % 2]);
            answer = ask(&gateway, &body).await;
            assert_eq!((&*by(&answer), gateway.served(&answer)), ("field", upstream.to_owned()));
        }
        let read = gateway.get(&format!("{RESPONSES}/{}", answer.id())).await;
        assert_eq!((&*by(&read), read.id()), ("object", answer.id()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_pin_goes_to_nobody_else_whatever_happens() {
    let gateway = two().await;
    let mut body = json!({"model": "gpt-5.1", "input": "hello"});
    let first = ask(&gateway, &body).header("upstream", "anthropic-b").await;
    body["previous_response_id"] = json!(first.id());
    for fault in [Fault::Status(503), Fault::Status(429), Fault::Reset, Fault::Refused] {
        gateway.providers.fail("anthropic-b", fault);
        let answer = ask(&gateway, &body).await;
        let status = if let Fault::Status(status) = fault { status } else { 503 };
        assert_eq!(answer.status, status, "{fault}");
        gateway.providers.heal("anthropic-b");
    }
    assert!(gateway.providers.received("openai-a").is_empty());
    assert_eq!(by(&ask(&gateway, &body).await), "field");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_said_is_named_only_where_it_was_said() {
    let gateway = two().await;
    for (upstream, stream) in [("openai-a", true), ("anthropic-b", false)] {
        let mut items = vec![json!({"role": "user", "content": "hello"})];
        let body = |items: &[Value]| json!({"model": "gpt-5.1", "input": items, "stream": stream});
        let mut answer = ask(&gateway, &body(&items)).header("upstream", upstream).await;
        for turn in 0..4 {
            let said = gateway.get(&format!("{RESPONSES}/{}", answer.id())).await.json();
            items.push(json!({"type": "item_reference", "id": said["output"][0]["id"]}));
            items.push(json!({"role": "user", "content": format!("turn {turn}")}));
            answer = ask(&gateway, &body(&items)).await;
            assert_eq!((&*by(&answer), gateway.served(&answer)), ("field", upstream.to_owned()));
        }
        let before = gateway.statuses();
        gateway.providers.fail(upstream, Fault::Status(503));
        assert_eq!(ask(&gateway, &body(&items)).await.status, 503);
        gateway.providers.heal(upstream);
        let other = if upstream == "openai-a" { "anthropic-b" } else { "openai-a" };
        assert_eq!(gateway.statuses()[other], before[other], "nobody else was asked");
        assert_eq!(by(&ask(&gateway, &body(&items)).await), "field");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_found_again_by_its_path() {
    let gateway = two().await;
    let call = |method: Method, path: &str| gateway.client().call(method, path);
    for upstream in ["openai-a", "anthropic-b"] {
        let made = gateway.post("/v1/videos", &json!({"prompt": "a cat"}));
        let made = made.header("upstream", upstream).await;
        let path = format!("/v1/videos/{}", made.id());
        for _ in 0..3 {
            let polled = gateway.get(&path).await;
            assert_eq!((&*by(&polled), &polled.json()["status"]), ("object", &json!("queued")));
        }
        let content = gateway.get(&format!("{path}/content?variant=video")).await;
        assert_eq!(by(&content), "object");
        let cancelled = gateway.post(&format!("{path}/cancel"), &json!({})).await;
        assert_eq!(
            (&*by(&cancelled), &cancelled.json()["status"]),
            ("object", &json!("cancelled"))
        );
        // What is made from it is there too, and so is what names it in a body.
        let remix = gateway.post(&format!("{path}/remix"), &json!({"prompt": "a dog"})).await;
        assert_eq!(by(&gateway.get(&format!("/v1/videos/{}", remix.id())).await), "object");
        let task = gateway.post("/v1/video/generations", &json!({"task_id": made.id()})).await;
        assert_eq!((&*by(&task), &*task.explanation()["upstream"]), ("field", upstream));
        let deleted = call(Method::DELETE, &path).await;
        assert_eq!((&*by(&deleted), &deleted.json()["deleted"]), ("object", &json!(true)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_asked_of_nobody_else_when_its_account_fails() {
    let gateway = two().await;
    let made = gateway.post("/v1/videos", &json!({"prompt": "a cat"}));
    let made = made.header("upstream", "anthropic-b").await;
    let path = format!("/v1/videos/{}", made.id());
    for fault in [Fault::Status(503), Fault::Status(429), Fault::Reset, Fault::Refused] {
        gateway.providers.fail("anthropic-b", fault);
        let status = if let Fault::Status(status) = fault { status } else { 503 };
        assert_eq!(gateway.get(&path).await.status, status, "{fault}");
        let cancelled = gateway.post(&format!("{path}/cancel"), &json!({})).await;
        assert_eq!(cancelled.status, status, "{fault}");
        let task = gateway.post("/v1/video/generations", &json!({"task_id": made.id()})).await;
        assert_eq!(task.status, status, "{fault}");
        gateway.providers.heal("anthropic-b");
    }
    assert!(gateway.providers.received("openai-a").is_empty());
    assert_eq!(by(&gateway.get(&path).await), "object", "where it is was not forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_uploaded_as_it_is_and_found_again() {
    let gateway = two().await;
    let form = "--x\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n\u{1f600}{\"task_id\":\r\n--x--\r\n".repeat(20_000);
    let upload = gateway.client().call(Method::POST, "/v1/files").body(form.clone());
    let upload = upload.header("content-type", "multipart/form-data; boundary=x");
    let made = upload.header("upstream", "anthropic-b").await;
    let received = gateway.providers.received("anthropic-b").pop().expect("a request");
    assert!(received.body == form.as_bytes());
    let read = gateway.get(&format!("/v1/files/{}", made.id())).await;
    assert_eq!((&*by(&read), read.id()), ("object", made.id()));
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_skips_total", &[]), 0, "a form is nothing that was left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_nobody_knows_goes_where_it_may() {
    let gateway = two().await;
    let made = gateway.post("/v1/videos", &json!({"prompt": "x"})).header("x-api-key", "one").await;
    let path = format!("/v1/videos/{}", made.id());
    let other = gateway.get(&path).header("x-api-key", "two").await;
    assert_eq!(other.explanation()["by"], "none", "another caller's object is unknown");
    assert_eq!(by(&gateway.get(&path).header("x-api-key", "one").await), "object");
}
