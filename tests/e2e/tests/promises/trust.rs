//! Trust: nothing private leaves its exchange, nobody steers but the plugin, and callers know nothing of each other.

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Client, Conversation, Gateway, Reply, Scripted};
use http::{HeaderMap, Method};
use serde_json::json;
use simulator::Fault;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaks() {
    let all = Bootstrap::explaining().log_levels("wasm:trace").steered();
    let gateway = Gateway::start(all).await;
    let secrets = ["canary-key-1", "canary-session-2", "canary-prompt-3", "canary-object-4"];
    let mut messages = Conversation::new(Dialect::Messages, 1).streaming();
    messages.body["system"][0]["text"] = json!("canary-prompt-3 ".repeat(500));
    let mut chat = Conversation::new(Dialect::Chat, 1);
    chat.body["messages"][0]["content"] = json!("canary-prompt-3 ".repeat(500));
    let mut ids = Vec::new();
    for mut conversation in [messages, chat] {
        for fault in [None, Some(Fault::Status(503)), Some(Fault::Reset), None] {
            conversation.ask(500);
            if let Some(fault) = fault {
                gateway.providers.fail_times("anthropic-a", fault, 1);
            }
            let call = gateway.send(&conversation).header("authorization", "Bearer canary-key-1");
            let call = call.header("x-session-id", "canary-session-2");
            let call = call.header("x-response-id", ids.last().map_or("none-yet", String::as_str));
            let answer = call.await;
            conversation.hear(&answer);
            ids.push(answer.id());
            let told = format!("{:?}", answer.headers);
            assert!(
                secrets.iter().chain(&[&*answer.id()]).all(|secret| !told.contains(secret)),
                "{told}"
            );
        }
    }
    let path = "/v1/videos/canary-object-4?q=canary-object-4";
    gateway.get(path).header("authorization", "Bearer canary-key-1").await;
    // Trouble tells of itself, but not of what it came from.
    let odd =
        gateway.post("/v1/messages", &json!("canary-prompt-3")).body("{\"canary-prompt-3\":[}");
    assert_eq!(odd.header("x-api-key", "canary-key-1").await.status, 400);

    let admin = Client::new(gateway.envoy.admin());
    let places = [
        ("the log", gateway.envoy.log()),
        ("/stats", admin.get("/stats").await.text()),
        ("/stats/prometheus", admin.get("/stats/prometheus").await.text()),
    ];
    for secret in secrets.into_iter().chain(ids.iter().map(String::as_str)) {
        for (place, told) in &places {
            assert!(!told.contains(secret), "{secret} is in {place}");
        }
    }
    for upstream in ["anthropic-a", "anthropic-b", "bedrock-us", "openai-a"] {
        for exchange in gateway.providers.received(upstream) {
            for (name, value) in &exchange.headers {
                let value = String::from_utf8_lossy(value);
                let own = ["authorization", "x-session-id", "x-response-id", "x-api-key"];
                let leaked = secrets.iter().any(|secret| value.contains(secret));
                assert!(!leaked || own.contains(&name.as_str()), "{name}: {value}");
            }
        }
    }
}

fn ours(headers: &HeaderMap) -> Vec<&str> {
    headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("x-warmpath")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_cannot_steer() {
    let reply = Reply::json(r#"{"id": "x"}"#).header("x-warmpath", "by=\"provider\"");
    let reply = reply.header("x-warmpath-request-id", "theirs").header("x-warmpath-new", "1");
    let provider = Scripted::start(reply).await;
    let gateway =
        Gateway::scripted(Bootstrap::shipped().log_levels("router:debug"), &provider).await;
    let names =
        ["upstream", "host", "hard", "hash", "model", "dialect", "request-id", "affinity", "new"];
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    for client in [gateway.client(), gateway.http2()] {
        for (method, path) in [
            (Method::POST, "/v1/messages"),
            (Method::POST, "/v1/chat/completions"),
            (Method::POST, "/v1/messages/count_tokens"),
            (Method::GET, "/v1/videos/v1"),
            (Method::POST, "/v1/files"),
            (Method::GET, "/nothing/of/ours"),
        ] {
            let mut call =
                client.call(method.clone(), path).header("content-type", "application/json");
            for name in names {
                // An upstream that does not exist: whoever goes there gets a 503.
                call = call.header(&format!("x-warmpath-{name}"), "nowhere");
                call = call.header(&format!("X-Warmpath-{name}"), b"\xffagain");
            }
            let body = if method == Method::POST { body.to_string() } else { String::new() };
            let answer = call.header("x-warmpath", "1").body(body).await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(ours(&provider.last().headers), [""; 0], "{path}");
            let left = ours(&answer.headers);
            assert!(left.iter().all(|name| *name == "x-warmpath-request-id"), "{path}: {left:?}");
            assert_ne!(answer.header("x-warmpath-request-id"), Some("theirs"), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_apart() {
    let gateway = Gateway::start(Bootstrap::explaining()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    conversation.ask(2_000);
    let send = |name: &'static str, key: &'static str, id: String, issued: String| {
        let call = gateway.send(&conversation).header(name, key).header("x-session-id", "shared");
        call.header("x-response-id", id).header("x-request-id", issued)
    };
    let first = send("x-api-key", "one", "none".into(), "none".into()).await;
    let issued = first.header("x-warmpath-request-id").expect("an issued id").to_owned();
    let ids = || (first.id(), issued.clone());
    for (name, key) in [("x-api-key", "two"), ("authorization", "one"), ("api-key", "one")] {
        let (id, issued) = ids();
        let answer = send(name, key, id, issued).await;
        assert_eq!(answer.explanation()["by"], "none", "{name}: {key}");
        // What it has learned now is its own.
        let answer = send(name, key, "none".into(), "none".into()).await;
        assert_eq!(answer.explanation()["by"], "session", "{name}: {key}");
    }
    let (id, issued) = ids();
    let again = send("x-api-key", "one", id, issued).await;
    assert_eq!(again.explanation()["by"], "request_id");
    assert_eq!(gateway.served(&again), gateway.served(&first));
    let stats = gateway.envoy.stats().await;
    assert_eq!(stats.sum("warmpath_pins_total", &[("outcome", "kept")]), 4);
}
