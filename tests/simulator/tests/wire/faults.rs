//! Each fault as a client sees it, and what the simulator remembers.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use simulator::{Account, Fault, Pace, Provider, Recording, Simulator};

use crate::support::{Answer, await_requests, begin, post, send, start, start_accounts};

fn question() -> Value {
    json!({ "model": "claude-opus-5", "max_tokens": 64, "messages": [{ "role": "user", "content": "hi" }] })
}

fn streamed() -> Value {
    let mut question = question();
    question["stream"] = json!(true);
    question
}

fn try_to(simulator: &Simulator, account: &str, body: &Value) -> std::io::Result<Answer> {
    send(simulator.address(account), "POST", "/v1/messages", &[], body.to_string().as_bytes())
}

#[test]
fn a_status_comes_in_the_envelope_of_the_provider() {
    let simulator = start(&[Provider::Anthropic, Provider::OpenAi, Provider::Bedrock]);
    let failing = |account: &str, status: u16| {
        simulator.fail(account, Fault::Status(status));
        let answer = post(&simulator, account, "/v1/messages", &question());
        assert_eq!(answer.status, status);
        answer
    };
    for (status, kind) in [
        (503, "overloaded_error"),
        (529, "overloaded_error"),
        (500, "api_error"),
        (429, "rate_limit_error"),
    ] {
        assert_eq!(failing("anthropic", status).json()["error"]["type"], kind);
    }
    assert_eq!(failing("anthropic", 429).header("retry-after"), Some("1"));
    assert_eq!(failing("openai", 429).json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(failing("openai", 503).json()["error"]["type"], "server_error");
    assert!(failing("bedrock", 503).json()["message"].is_string());
    simulator.heal("anthropic");
    assert_eq!(post(&simulator, "anthropic", "/v1/messages", &question()).status, 200);
}

#[test]
fn a_fault_may_end_by_itself() {
    let simulator = start(&[Provider::Anthropic]);
    simulator.fail_times("anthropic", Fault::Status(529), 2);
    let statuses =
        [(); 3].map(|()| post(&simulator, "anthropic", "/v1/messages", &question()).status);
    assert_eq!(statuses, [529, 529, 200]);
    let faults: Vec<_> =
        simulator.received("anthropic").iter().map(|exchange| exchange.fault).collect();
    assert_eq!(faults, [Some(Fault::Status(529)), Some(Fault::Status(529)), None]);
}

#[test]
fn a_reset_is_a_reset_and_the_request_is_remembered() {
    let simulator = start(&[Provider::Anthropic]);
    simulator.fail("anthropic", Fault::Reset);
    let error = try_to(&simulator, "anthropic", &question()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let exchange = simulator.received("anthropic").pop().unwrap();
    assert_eq!((exchange.status, exchange.fault), (0, Some(Fault::Reset)));
    assert_eq!(exchange.body, question().to_string().into_bytes());
}

#[test]
fn a_refused_port_opens_again_where_it_was() {
    let simulator = start(&[Provider::Anthropic]);
    let address = simulator.address("anthropic");
    let mut open = TcpStream::connect(address).unwrap();
    for _ in 0..3 {
        simulator.fail("anthropic", Fault::Refused);
        let error = TcpStream::connect(address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        simulator.heal("anthropic");
        assert_eq!(try_to(&simulator, "anthropic", &question()).unwrap().status, 200);
    }
    // Connections from before are gone.
    open.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert!(matches!(open.read(&mut [0]), Ok(0) | Err(_)));
    // Another fault opens it too, since it needs a request.
    simulator.fail("anthropic", Fault::Refused);
    simulator.fail("anthropic", Fault::Status(503));
    assert_eq!(try_to(&simulator, "anthropic", &question()).unwrap().status, 503);
}

#[test]
fn a_stalled_request_is_taken_and_never_answered() {
    let simulator = start(&[Provider::Anthropic]);
    simulator.fail("anthropic", Fault::Stall);
    let mut stream = begin(&simulator, "anthropic", "/v1/messages", &question());
    stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let error = stream.read(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    await_requests(&simulator, "anthropic", 1);
    simulator.heal("anthropic");
    assert_eq!(try_to(&simulator, "anthropic", &question()).unwrap().status, 200);
}

#[test]
fn a_cut_stream_ends_in_its_middle_and_leaves_plain_answers_alone() {
    let simulator = start(&[Provider::Anthropic]);
    simulator.fail("anthropic", Fault::CutStream);
    assert_eq!(try_to(&simulator, "anthropic", &question()).unwrap().status, 200);
    let mut stream = begin(&simulator, "anthropic", "/v1/messages", &streamed());
    let mut bytes = Vec::new();
    // Whether this is an end or an error is the kernel's to say; what counts is that the stream is
    // not whole.
    _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("message_start") && !text.contains("message_stop"), "{text}");
    assert!(!text.ends_with("0\r\n\r\n"));
    let faults: Vec<_> =
        simulator.received("anthropic").iter().map(|exchange| exchange.fault).collect();
    assert_eq!(faults, [None, Some(Fault::CutStream)]);
}

#[test]
fn a_cut_body_ends_before_its_length_and_leaves_streams_alone() {
    let simulator = start(&[Provider::Anthropic]);
    simulator.fail("anthropic", Fault::CutBody);
    let error = try_to(&simulator, "anthropic", &question()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset));
    assert_eq!(
        try_to(&simulator, "anthropic", &streamed()).unwrap().events().pop().unwrap()["type"],
        "message_stop"
    );
}

#[test]
fn dropping_the_simulator_ends_its_connections() {
    let simulator = start(&[Provider::Anthropic]);
    let addresses = [simulator.address("anthropic"), simulator.control()];
    let open = addresses.map(|address| TcpStream::connect(address).unwrap());
    drop(simulator);
    for mut stream in open {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        match stream.read(&mut [0]) {
            Ok(0) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
            Ok(_) => panic!("nothing was asked"),
        }
    }
}

#[test]
fn a_pace_sets_events_gap_and_length() {
    let simulator = start(&[Provider::Anthropic]);
    let pace = Pace {
        events: 3,
        gap: Duration::from_millis(2),
        answer_bytes: 12,
        delay: Duration::from_millis(1),
    };
    simulator.pace("anthropic", pace);
    let started = Instant::now();
    let events = try_to(&simulator, "anthropic", &streamed()).unwrap().events();
    assert!(started.elapsed() >= Duration::from_millis(5));
    let texts: Vec<_> = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert_eq!(texts.len(), 3);
    assert_eq!(texts.concat().len(), 12);
    assert_eq!(simulator.received("anthropic")[0].usage.unwrap().output, 3);
}

#[test]
fn a_limit_of_output_tokens_cuts_the_answer() {
    let simulator = start(&[Provider::Anthropic]);
    let mut question = question();
    question["max_tokens"] = json!(5);
    let answer = post(&simulator, "anthropic", "/v1/messages", &question).json();
    assert_eq!(
        (&answer["stop_reason"], &answer["usage"]["output_tokens"]),
        (&json!("max_tokens"), &json!(5))
    );
}

#[test]
fn answers_are_compressed_where_both_sides_want_it() {
    let simulator = start_accounts(vec![
        Account::new("zipping", Provider::Anthropic).with_gzip(),
        Account::new("plain", Provider::Anthropic),
    ]);
    let ask = |account: &str, encoding: &str, body: &Value| {
        let headers = [("accept-encoding", encoding)];
        send(
            simulator.address(account),
            "POST",
            "/v1/messages",
            &headers,
            body.to_string().as_bytes(),
        )
        .unwrap()
    };
    let unzip = |answer: &Answer| {
        assert_eq!(answer.header("content-encoding"), Some("gzip"));
        let mut text = String::new();
        GzDecoder::new(&answer.body[..]).read_to_string(&mut text).unwrap();
        text
    };
    let json: Value =
        serde_json::from_str(&unzip(&ask("zipping", "br, gzip", &question()))).unwrap();
    assert_eq!(json["type"], "message");
    assert!(
        unzip(&ask("zipping", "gzip", &streamed())).ends_with("{\"type\":\"message_stop\"}\n\n")
    );
    for (account, encoding) in [("zipping", "br"), ("plain", "gzip")] {
        assert_eq!(ask(account, encoding, &question()).header("content-encoding"), None);
    }
}

#[test]
fn requests_are_recorded_as_they_came() {
    let simulator = start(&[Provider::Anthropic]);
    let body = br#"{ "model":"claude-opus-5", "max_tokens":9,"messages":[ {"role":"user","content":"\u00e9"}]}"#;
    let headers = [("X-Warmpath-Model", "m"), ("x-api-key", "k")];
    send(simulator.address("anthropic"), "POST", "/v1/messages?beta=true", &headers, body).unwrap();
    send(simulator.address("anthropic"), "HEAD", "/", &[], b"").unwrap();
    let received = simulator.received("anthropic");
    assert_eq!(received.len(), 2);
    assert_eq!(
        (received[0].method.as_str(), received[0].path.as_str()),
        ("POST", "/v1/messages?beta=true")
    );
    assert_eq!(received[0].body, body);
    assert_eq!(received[0].header("x-warmpath-model"), Some(&b"m"[..]));
    assert_eq!((received[1].method.as_str(), received[1].status), ("HEAD", 200));
    simulator.record(Recording::Usage);
    send(simulator.address("anthropic"), "POST", "/v1/messages", &headers, body).unwrap();
    let lean = simulator.received("anthropic").pop().unwrap();
    assert!(lean.body.is_empty() && lean.headers.is_empty() && lean.usage.is_some());
    simulator.record(Recording::Nothing);
    send(simulator.address("anthropic"), "POST", "/v1/messages", &headers, body).unwrap();
    assert_eq!(simulator.received("anthropic").len(), 3);
    simulator.forget();
    assert!(simulator.received("anthropic").is_empty());
}

#[test]
fn the_control_api_has_the_same_powers() {
    let simulator = start(&[Provider::Anthropic, Provider::OpenAi]);
    let call = |method: &str, path: &str, body: Value| {
        let answer =
            send(simulator.control(), method, path, &[], body.to_string().as_bytes()).unwrap();
        (answer.status, answer.json())
    };
    let (_, accounts) = call("GET", "/accounts", json!({}));
    assert_eq!(accounts[0]["address"], simulator.address("anthropic").to_string());
    assert_eq!(accounts[1]["provider"], "openai");
    assert_eq!(
        call("POST", "/fail", json!({ "account": "anthropic", "fault": "503", "times": 1 })).0,
        200
    );
    assert_eq!(post(&simulator, "anthropic", "/v1/messages", &question()).status, 503);
    assert_eq!(post(&simulator, "anthropic", "/v1/messages", &question()).status, 200);
    call("POST", "/fail", json!({ "account": "anthropic", "fault": "refused" }));
    assert!(TcpStream::connect(simulator.address("anthropic")).is_err());
    call("POST", "/heal", json!({ "account": "anthropic" }));
    call("POST", "/pace", json!({ "account": "anthropic", "answer_bytes": 4 }));
    assert_eq!(
        post(&simulator, "anthropic", "/v1/messages", &question()).json()["usage"]["output_tokens"],
        1
    );
    let (_, received) = call("GET", "/received?account=anthropic", json!({}));
    assert_eq!(received.as_array().unwrap().len(), 3);
    assert_eq!(received[0]["fault"], "503");
    assert_eq!(received[2]["usage"]["output"], 1);
    assert_eq!(received[2]["body"], question().to_string());
    assert_eq!(call("POST", "/advance", json!({ "seconds": 1.5 })).0, 200);
    assert_eq!(call("POST", "/forget", json!({})).0, 200);
    assert_eq!(call("GET", "/received?account=anthropic", json!({})).1, json!([]));
    let (status, error) = call("POST", "/fail", json!({ "account": "nobody", "fault": "reset" }));
    assert_eq!((status, error), (400, json!({ "error": "unknown account \"nobody\"" })));
    assert_eq!(call("POST", "/nothing", json!({})).0, 400);
}
