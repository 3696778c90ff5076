//! The program as one starts it in a shell.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::send;

#[test]
fn it_prints_addresses_and_exchanges_but_no_prompts_and_ends_when_interrupted() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_simulator"))
        .args(["--account", "a=anthropic@127.0.0.1:0", "--account", "o=openai@127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    let addresses = [line(), line(), line()].map(|line| {
        let (name, address) = line.split_once("http://").unwrap();
        (name.to_owned(), address.parse().unwrap())
    });
    let names: Vec<_> = addresses.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a (anthropic) ", "o (openai) ", "control "]);

    let messages = json!([{ "role": "user", "content": "a secret of 24 bytes ..." }]);
    let body =
        json!({ "model": "claude-opus-5", "max_tokens": 9, "messages": messages }).to_string();
    send(addresses[0].1, "POST", "/v1/messages", &[], body.as_bytes()).unwrap();
    assert_eq!(line(), "a 200 input 6 read 0 written 0");
    let fail = json!({ "account": "a", "fault": "reset" }).to_string();
    send(addresses[2].1, "POST", "/fail", &[], fail.as_bytes()).unwrap();
    send(addresses[0].1, "POST", "/v1/messages", &[], body.as_bytes()).unwrap_err();
    assert_eq!(line(), "a reset");

    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn it_says_what_is_wrong_with_its_arguments() {
    for (account, words) in [
        ("a", "expected NAME=PROVIDER@ADDRESS"),
        ("a=opnai@127.0.0.1:0", "unknown provider \"opnai\", expected one of anthropic,"),
        ("a=openai@nowhere", "invalid socket address"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
        let output = command.args(["--account", account]).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(words), "{error}");
    }
}
