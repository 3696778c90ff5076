//! What the plugin marks by itself is read again as well as what a perfect client marks.

use cases::plugin::Dialect;
use cases::plugin::path;
use cases::plugin::prompt::Upstream;
use serde_json::json;

use crate::agent::Agent;
use crate::server::Server;

const TURNS: usize = 6;

/// Seconds between two requests.
const PAUSE: u64 = 20;

/// Every endpoint that caches where marks stand, with a model of it.
const MARKED: [(&str, Dialect, &str); 20] = [
    ("anthropic", Dialect::Messages, "claude-opus-4-8"),
    ("bedrock", Dialect::Messages, "us.anthropic.claude-opus-4-8-v1:0"),
    ("bedrock_mantle", Dialect::Messages, "anthropic.claude-opus-4-8"),
    ("vertex", Dialect::Messages, "claude-opus-4-8"),
    ("foundry", Dialect::Messages, "claude-opus-4-8"),
    ("minimax", Dialect::Messages, "MiniMax-M2.5"),
    ("moonshot", Dialect::Messages, "kimi-k3"),
    ("qwen", Dialect::Messages, "qwen3-coder-plus"),
    ("qwen", Dialect::Chat, "qwen3-coder-plus"),
    ("openrouter", Dialect::Messages, "anthropic/claude-opus-4.8"),
    ("openrouter", Dialect::Chat, "anthropic/claude-opus-4.8"),
    ("openrouter", Dialect::Responses, "anthropic/claude-opus-4.8"),
    ("requesty", Dialect::Chat, "anthropic/claude-sonnet-4-5"),
    ("routerhub", Dialect::Messages, "anthropic/claude-opus-4-8"),
    ("concentrate", Dialect::Responses, "claude-sonnet-4-5"),
    ("knox", Dialect::Chat, "anthropic/claude-sonnet-4.5"),
    ("litellm", Dialect::Messages, "claude-opus-4-8"),
    ("litellm", Dialect::Chat, "claude-opus-4-8"),
    ("ephone", Dialect::Messages, "claude-opus-4-8"),
    ("ephone", Dialect::Chat, "claude-opus-4-8"),
];

/// Who sets the marks.
#[derive(Clone, Copy, Debug)]
enum Marker {
    Nobody,
    Client,
    Plugin,
}

/// The part of all input tokens of a conversation that was read from the cache, in thousandths.
fn share(
    server: &Server,
    marker: Marker,
    account: &'static str,
    dialect: Dialect,
    model: &'static str,
) -> u64 {
    server.forget();
    let policy = match marker {
        Marker::Nobody => "strip",
        Marker::Client => "keep",
        Marker::Plugin => "inject",
    };
    let upstream = Upstream::new(&json!({ "provider": account, "marks": policy }));
    let mut agent = Agent::new(dialect, model);
    let (mut read, mut input) = (0, 0);
    for turn in 0..TURNS {
        for asked in agent.turn(turn) {
            let body = match marker {
                Marker::Client => asked.marked,
                Marker::Nobody | Marker::Plugin => asked.bare,
            };
            let (sent, _) = upstream.send(dialect, &body).expect("it is read");
            let answer = server.post(account, path(dialect), &[], &sent);
            assert_eq!(answer.status, 200, "{account}: {}", answer.message());
            let usage = server.usage(account);
            read += usage.read;
            input += usage.input;
            if account == "openrouter" && dialect == Dialect::Responses {
                println!(
                    "ZZ {marker:?} {turn} {} {} {}",
                    usage.input,
                    usage.read,
                    String::from_utf8_lossy(&sent)
                        .match_indices("cache_control\":{\"type")
                        .map(|(at, _)| at.to_string())
                        .collect::<Vec<_>>()
                        .join(" ")
                );
            }
            server.advance(PAUSE);
        }
    }
    read * 1000 / input
}

#[test]
fn injected_marks_are_read_as_well_as_those_of_a_perfect_client() {
    let server = Server::start();
    let mut worse = Vec::new();
    for (account, dialect, model) in MARKED {
        let of = |marker| share(&server, marker, account, dialect, model);
        let (nobody, client, plugin) = (of(Marker::Nobody), of(Marker::Client), of(Marker::Plugin));
        let told = format!(
            "{account}, {}: without marks {nobody} ‰, a perfect client {client} ‰, injected {plugin} ‰",
            dialect.name()
        );
        println!("{told}");
        if plugin < client || client < 700 || nobody >= client {
            worse.push(told);
        }
    }
    assert!(worse.is_empty(), "{}", worse.join("\n"));
}
