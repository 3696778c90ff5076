//! Configurations that are wrong: Envoy does not start with them, or keeps the one that it has, and its log says what to change.

use e2e::prompt::Dialect;
use e2e::{Bootstrap, Client, Conversation, Envoy, Gateway, eventually};

/// What the plugin says in a log, without what Envoy puts in front of it; each problem once.
fn problems(log: &[String]) -> Vec<String> {
    let errors = log.iter().filter(|line| line.contains("[error][wasm]"));
    let told = errors.filter_map(|line| line.split_once("wasm log ")?.1.split_once(": "));
    told.map(|(_, problem)| problem.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_is_told_in_a_line_of_its_own() {
    let wrong = Bootstrap::shipped()
        .upstream("anthropic-a", r#"{"provider": "anthropik", "marks": "inject", "mark_ttl": "2h"}"#)
        .upstream("anthropic-b", r#"{"marks": 7, "pin_endpont": true}"#)
        .configure(r#""affinity": {"ttl_seconds": 0, "session_headers": ["X-Session"], "entries": "many"}, "limits": {"hold_ms": 99}, "explian": true"#);
    let log = Envoy::refusal(wrong).await;
    let problems = problems(&log);
    for expected in [
        ["upstreams.anthropic-a.provider: expected one of `anthropic`, ", "got `anthropik`"],
        ["upstreams.anthropic-a.mark_ttl: expected one of `5m`, `1h`", "got `2h`"],
        ["upstreams.anthropic-b.provider: missing", "expected the name of a provider"],
        ["upstreams.anthropic-b.marks: expected a string", "got a number"],
        ["upstreams.anthropic-b.pin_endpont: unknown key", "expected one of `provider`, "],
        ["affinity.ttl_seconds: expected an integer from 1 to 604800", "got 0"],
        [
            "affinity.session_headers: expected the name of a header, in lower case",
            "got `X-Session`",
        ],
        ["affinity.entries: expected an integer", "got a string"],
        ["limits.hold_ms: expected an integer from 100 to 60000", "got 99"],
        ["explian: unknown key", "expected one of `stage`, `upstreams`, "],
    ] {
        let told =
            problems.iter().filter(|problem| expected.iter().all(|part| problem.contains(part)));
        assert_eq!(told.count(), 1, "{expected:?} in {problems:#?}");
    }
    assert_eq!(problems.len(), 10, "{problems:#?}");
}

/// Starts Envoy with another text for the plugin's configuration in its first stage.
async fn refused(configuration: &str) -> Vec<String> {
    let shipped = Bootstrap::shipped();
    let text = shipped.configuration("route");
    problems(&Envoy::refusal(shipped.replace(&text, configuration)).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_no_json_text_is_refused() {
    let value = |text: &str| {
        format!(
            "\"@type\": type.googleapis.com/google.protobuf.StringValue\n                  value: '{text}'\n"
        )
    };
    let structure = r#""@type": type.googleapis.com/google.protobuf.Struct
                  value: {stage: route, upstreams: {a: {provider: anthropic}}}
"#;
    for (configuration, expected) in [
        (value(""), "configuration: expected JSON text, got nothing"),
        (value("  "), "configuration: expected JSON text, got nothing"),
        (value("stage: route"), "configuration: not JSON: "),
        (value("{\"stage\": \"route\""), "configuration: not JSON: "),
        (value("[]"), "configuration: expected an object, got an array"),
        (value("{}"), "stage: missing, expected `route`, `shape` or `both`"),
        (
            structure.to_owned(),
            "configuration: expected JSON text in a google.protobuf.StringValue, got another protobuf message",
        ),
    ] {
        let problems = refused(&configuration).await;
        assert!(
            problems.iter().any(|problem| problem.starts_with(expected)),
            "{configuration}: {problems:#?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_without_any_configuration_is_refused() {
    let shipped = Bootstrap::shipped();
    let text = shipped.configuration("route");
    let without =
        shipped.replace(&format!("                configuration:\n                  {text}"), "");
    assert_eq!(
        problems(&Envoy::refusal(without).await),
        ["configuration: expected JSON text, got nothing"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_shape_stage_is_refused_as_well() {
    let wrong = Bootstrap::shipped().replace(r#""stage": "shape""#, r#""stage": "shop""#);
    let problems = problems(&Envoy::refusal(wrong).await);
    assert_eq!(problems, ["stage: expected one of `route`, `shape`, `both`, got `shop`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_never_told() {
    let secrets = ["short-canary", "canary-of-sixteen-bytes-and-more"];
    let with = |list: String| {
        Bootstrap::shipped()
            .log_levels("wasm:trace")
            .configure(&format!(r#""affinity": {{"secrets": {list}}}"#))
    };
    for (list, expected) in [
        (format!("{secrets:?}"), "affinity.secrets: expected at least 16 bytes, got fewer"),
        (
            format!("{:?}", secrets[1]),
            "affinity.secrets: expected an array of strings, got a string",
        ),
        (format!("[[{:?}]]", secrets[1]), "affinity.secrets: expected a string, got an array"),
        (format!("[{:?}], \"secretes\": 1", secrets[1]), "affinity.secretes: unknown key"),
    ] {
        let log = Envoy::refusal(with(list)).await;
        assert!(problems(&log).iter().any(|problem| problem.contains(expected)), "{log:#?}");
        assert!(log.iter().all(|line| !line.contains("canary")), "{log:#?}");
    }
    let gateway = Gateway::start(with(format!("[{:?}]", secrets[1]))).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    gateway.turn(&mut conversation, 500).await;
    let log = gateway.envoy.log();
    assert!(log.contains("1 secrets") && !log.contains("canary"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_update_is_rejected_and_the_old_configuration_serves_on() {
    let gateway = Gateway::start(Bootstrap::explaining().with_dynamic_listeners()).await;
    let mut conversation = Conversation::new(Dialect::Messages, 1);
    gateway.turn(&mut conversation, 3_000).await;
    let wrong = Bootstrap::explaining().configure(r#""limits": {"hold_ms": 1}"#);
    gateway.envoy.update(&wrong.with_dynamic_listeners());
    let stats = async |name: &str| {
        gateway.envoy.stats().await.counter(&format!("listener_manager.lds.{name}"))
    };
    eventually(async || match stats("update_rejected").await {
        1 => Ok(()),
        rejected => Err(format!("{rejected} updates are rejected")),
    })
    .await;
    // What Envoy counts at once it writes down a little later.
    let log = eventually(async || {
        let log: Vec<String> = gateway.envoy.log().lines().map(String::from).collect();
        if problems(&log).is_empty() { Err(format!("no problem in {log:#?}")) } else { Ok(log) }
    })
    .await;
    assert_eq!(problems(&log), ["limits.hold_ms: expected an integer from 100 to 60000, got 1"]);
    let answer = gateway.turn(&mut conversation, 500).await;
    assert_eq!(answer.explanation()["by"], "prefix");

    // And a right one is taken afterwards.
    let taken = stats("update_success").await;
    let right = Bootstrap::shipped().with_dynamic_listeners();
    gateway.envoy.update(&right);
    eventually(async || match stats("update_success").await {
        now if now > taken => Ok(()),
        _ => Err("the update is not taken".into()),
    })
    .await;
    conversation.ask(500);
    let client = Client::new(gateway.envoy.listening("gateway").await);
    let answer = client.post(conversation.path(), &conversation.body).await;
    assert_eq!((answer.status, answer.header("x-warmpath")), (200, None));
}
