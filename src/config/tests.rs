use super::*;

fn problems(text: &str) -> Vec<String> {
    Config::parse(text.as_bytes()).unwrap_err().iter().map(ToString::to_string).collect()
}

fn config(text: &str) -> Config {
    Config::parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

const LEAST: &str = r#"{"stage":"route","upstreams":{"a":{"provider":"anthropic"}}}"#;

/// The least configuration with one more member at the top.
fn with(member: &str) -> String {
    LEAST.replacen('{', &format!("{{{member},"), 1)
}

#[test]
fn defaults_are_those_of_the_docs() {
    let Config { stage, upstreams, affinity, usage, explain, limits } = config(LEAST);
    assert_eq!(stage, Stage::Route);
    assert_eq!(upstreams[0].policy, Policy::Keep);
    assert_eq!(
        (affinity.ttl_seconds, affinity.entries, affinity.object_ttl_seconds),
        (300, 65_536, 3600)
    );
    assert_eq!(affinity.issued_id_header, "x-warmpath-request-id");
    assert_eq!(affinity.caller_headers, ["authorization", "x-api-key", "api-key"]);
    assert!(affinity.prefix && usage.rewrite && !explain && affinity.secrets.is_empty());
    let expected =
        Limits { request_body_bytes: 8_388_608, response_body_bytes: 8_388_608, hold_ms: 2000 };
    assert_eq!(limits, expected);
}

#[test]
fn every_key_is_read() {
    let config = config(
        r#"{"stage":"both","upstreams":{
            "outbound|443||api.anthropic.com":{"provider":"anthropic","marks":"inject","mark_ttl":"1h",
              "accepts":{"marks":true,"top_level_mark":false,"ttl_1h":false,"scope":false,"cache_key":true,"cache_retention":true,"cache_options":false},
              "cache_key":"set","models":{"x":"y"},"min_tokens":7,"pin_endpoint":true,"price":{"input":5,"read":0.5,"write_5m":6.25}}},
            "affinity":{"ttl_seconds":1,"entries":1024,"request_id_header":"a","response_id_header":"b","issued_id_header":"c",
              "session_headers":["d"],"body_fields":["e"],"object_paths":["/f"],"object_ttl_seconds":2,"prefix":false,
              "caller_headers":["g"],"secrets":["0123456789abcdef"]},
            "usage":{"rewrite":false},"explain":true,
            "limits":{"request_body_bytes":1024,"response_body_bytes":1025,"hold_ms":100}}"#,
    );
    let upstream = &config.upstreams[0];
    assert_eq!(upstream.policy, Policy::Inject(Ttl::OneHour));
    assert_eq!(
        (upstream.cache_key, upstream.min_tokens, upstream.pin_endpoint),
        (CacheKey::Set, Some(7), true)
    );
    let price = Price { input: 5.0, read: 0.5, write_5m: 6.25, write_1h: 5.0 };
    assert_eq!(upstream.price, Some(price));
    assert_eq!((upstream.model("x"), upstream.model("z")), ("y", "z"));
    let accepts = upstream.accepts(Dialect::Messages, "m").unwrap();
    assert!(
        !accepts.top_level_mark && !accepts.ttl_1h && accepts.cache_key && accepts.cache_retention
    );
    assert_eq!(config.affinity.secrets, [b"0123456789abcdef".to_vec()]);
    assert_eq!(config.limits.response_body_bytes, 1025);
    assert!(config.explain && !config.usage.rewrite && !config.affinity.prefix);
}

#[test]
fn overrides_change_what_is_accepted() {
    let marks = |provider: &str, accepts: &str, dialect, model: &str| {
        let text = format!(
            r#"{{"stage":"route","upstreams":{{"a":{{"provider":"{provider}","accepts":{accepts}}}}}}}"#
        );
        config(&text).upstreams[0].accepts(dialect, model).unwrap().marks
    };
    use Dialect::{Chat, Messages};
    assert_eq!(marks("openai", "{}", Chat, "gpt-5.6"), Marks::Breakpoints);
    assert_eq!(marks("openai", r#"{"cache_options":false}"#, Chat, "gpt-5.6"), Marks::Rejected);
    assert_eq!(
        marks("azure_openai", r#"{"cache_options":true}"#, Chat, "mine"),
        Marks::Breakpoints
    );
    assert_eq!(marks("anthropic", r#"{"marks":false}"#, Messages, ""), Marks::Rejected);
    assert_eq!(marks("together", r#"{"marks":true}"#, Chat, ""), Marks::Blocks);
}

#[test]
fn every_problem_is_told_at_once_with_its_path() {
    assert_eq!(
        problems(
            r#"{"upstreams":{"a":{"provider":"opnai","pin_endpont":true},"b":{"marks":"injct","min_tokens":-1}},
                "affinity":{"entries":0,"prefix":"yes"},"exlain":true,"limits":{"hold_ms":2.5,"hold_ms":99}}"#
        ),
        [
            "stage: missing, expected `route`, `shape` or `both`",
            "upstreams.a.provider: expected one of `anthropic`, `bedrock`, `bedrock_mantle`, `vertex`, `foundry`, \
             `openai`, `azure_openai`, `gemini`, `deepseek`, `xai`, `mistral`, `groq`, `cerebras`, `moonshot`, `qwen`, `zai`, \
             `minimax`, `fireworks`, `together`, `openrouter`, `requesty`, `routerhub`, `concentrate`, `knox`, \
             `ephone`, `litellm`, `vllm`, `sglang`, got `opnai`",
            "upstreams.a.pin_endpont: unknown key, expected one of `provider`, `mark_ttl`, `marks`, `accepts`, \
             `cache_key`, `models`, `min_tokens`, `pin_endpoint`, `price`",
            "upstreams.b.provider: missing, expected the name of a provider",
            "upstreams.b.marks: expected one of `keep`, `strip`, `inject`, got `injct`",
            "upstreams.b.min_tokens: expected an integer from 0 to 1000000, got -1",
            "affinity.entries: expected an integer from 1024 to 1048576, got 0",
            "affinity.prefix: expected a boolean, got a string",
            "limits.hold_ms: stands twice",
            "limits.hold_ms: expected an integer from 100 to 60000, got 99",
            "exlain: unknown key, expected one of `stage`, `upstreams`, `affinity`, `usage`, `explain`, `limits`",
        ]
    );
}

#[test]
fn each_kind_of_problem_has_its_words() {
    let cases = [
        (String::new(), "configuration: expected JSON text, got nothing"),
        (" \n".into(), "configuration: expected JSON text, got nothing"),
        (
            "\n\u{10}\n\u{5}stage\u{12}\u{7}\u{1a}\u{5}route".into(),
            "configuration: expected JSON text in a google.protobuf.StringValue, got another protobuf message, such as a google.protobuf.Struct",
        ),
        ("{".into(), "configuration: not JSON: EOF while parsing an object at line 1 column 1"),
        (
            r#"{"stage":"route"}"#.into(),
            "upstreams: missing, expected an object with at least one upstream",
        ),
        (
            r#"{"stage":"route","upstreams":{}}"#.into(),
            "upstreams: missing, expected at least one upstream",
        ),
        (
            r#"{"stage":"route","upstreams":[]}"#.into(),
            "upstreams: expected an object, got an array",
        ),
        (
            r#"{"stage":"route","upstreams":{"a b":{"provider":"vllm"}}}"#.into(),
            "upstreams.a b: expected the name of a cluster, in visible ASCII, got `a b`",
        ),
        (
            r#"{"stage":7,"upstreams":{"a":{"provider":"vllm"}}}"#.into(),
            "stage: expected a string, got a number",
        ),
        (
            with(r#""affinity":{"request_id_header":"X-Id"}"#),
            "affinity.request_id_header: expected the name of a header, in lower case, got `X-Id`",
        ),
        (
            with(r#""affinity":{"session_headers":"a"}"#),
            "affinity.session_headers: expected an array of strings, got a string",
        ),
        (
            with(r#""affinity":{"session_headers":[null]}"#),
            "affinity.session_headers: expected a string, got null",
        ),
        (
            with(r#""affinity":{"body_fields":[""]}"#),
            "affinity.body_fields: expected the name of a member, of 1 to 64 bytes, got ``",
        ),
        (
            with(r#""affinity":{"object_paths":["v1"]}"#),
            "affinity.object_paths: expected a path from `/` on, without a query, got `v1`",
        ),
        (
            with(&format!(r#""affinity":{{"body_fields":[{}"x"]}}"#, r#""x","#.repeat(32))),
            "affinity.body_fields: expected at most 32 entries, got `33 entries`",
        ),
        (
            with(r#""affinity":{"secrets":["topsecret"]}"#),
            "affinity.secrets: expected at least 16 bytes, got fewer",
        ),
        (
            with(r#""affinity":{"secrets":"topsecret"}"#),
            "affinity.secrets: expected an array of strings, got a string",
        ),
        (
            with(r#""limits":{"request_body_bytes":1099511627776}"#),
            "limits.request_body_bytes: expected an integer from 1024 to 1073741824, got 1099511627776",
        ),
        (
            LEAST.replace("}}}", r#","models":{"a":"b","b":"c"}}}}"#),
            "upstreams.a.models.a: expected a model that is not mapped again, got `b`",
        ),
        (
            LEAST.replace("}}}", r#","models":{"a":1}}}}"#),
            "upstreams.a.models.a: expected a string, got a number",
        ),
        (
            LEAST.replace("}}}", r#","price":{"read":-0.1}}}}"#),
            "upstreams.a.price.read: expected a number from 0 to 1000000, got `-0.1`",
        ),
        (
            LEAST.replace("}}}", r#","accepts":{"marks":1}}}}"#),
            "upstreams.a.accepts.marks: expected a boolean, got a number",
        ),
    ];
    for (text, problem) in cases {
        assert_eq!(problems(&text), [problem], "{text}");
    }
}

/// The keys of a section, as an error about an unknown one lists them.
fn keys_of(path: &str, text: &str) -> Vec<String> {
    let unknown = format!("{path}?: unknown key, expected one of ");
    let problems = problems(text);
    let list = problems.iter().find_map(|problem| problem.strip_prefix(&unknown)).unwrap();
    list.split(", ").map(|key| format!("{path}{}", key.trim_matches('`'))).collect()
}

#[test]
fn the_readme_names_every_key() {
    let sections = [
        ("", r#"{"?":1}"#),
        ("upstreams.a.", r#"{"upstreams":{"a":{"?":1}}}"#),
        ("upstreams.a.accepts.", r#"{"upstreams":{"a":{"accepts":{"?":1}}}}"#),
        ("upstreams.a.price.", r#"{"upstreams":{"a":{"price":{"?":1}}}}"#),
        ("affinity.", r#"{"affinity":{"?":1}}"#),
        ("usage.", r#"{"usage":{"?":1}}"#),
        ("limits.", r#"{"limits":{"?":1}}"#),
    ];
    let mut keys: Vec<String> =
        sections.iter().flat_map(|(path, text)| keys_of(path, text)).collect();
    keys.retain(|key| {
        !["affinity", "usage", "limits", "upstreams.a.accepts", "upstreams.a.price"]
            .contains(&key.as_str())
    });
    keys.sort();
    let readme = include_str!("../../README.md");
    let table = readme.split("## Configuration").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut named: Vec<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(|key| key.replace("upstreams.*", "upstreams.a"))
        .collect();
    named.sort();
    assert_eq!(named, keys);
}

#[test]
fn the_readme_tells_the_defaults_and_ranges() {
    let readme = include_str!("../../README.md");
    let row = |key: &str| -> Vec<String> {
        let line = readme.lines().find(|line| line.starts_with(&format!("| `{key}` |"))).unwrap();
        line.split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let Config { affinity, usage, explain, limits, .. } = config(LEAST);
    let told = [
        ("affinity.ttl_seconds", affinity.ttl_seconds.to_string()),
        ("affinity.entries", affinity.entries.to_string()),
        ("affinity.request_id_header", affinity.request_id_header),
        ("affinity.response_id_header", affinity.response_id_header),
        ("affinity.issued_id_header", affinity.issued_id_header),
        ("affinity.session_headers", affinity.session_headers.join(", ")),
        ("affinity.body_fields", affinity.body_fields.join(", ")),
        ("affinity.object_paths", affinity.object_paths.join(", ")),
        ("affinity.object_ttl_seconds", affinity.object_ttl_seconds.to_string()),
        ("affinity.prefix", affinity.prefix.to_string()),
        ("affinity.caller_headers", affinity.caller_headers.join(", ")),
        ("usage.rewrite", usage.rewrite.to_string()),
        ("explain", explain.to_string()),
        ("limits.request_body_bytes", limits.request_body_bytes.to_string()),
        ("limits.response_body_bytes", limits.response_body_bytes.to_string()),
        ("limits.hold_ms", limits.hold_ms.to_string()),
    ];
    for (key, default) in told {
        assert_eq!(row(key)[4], default, "{key}");
        if let Some((from, to)) = row(key)[3].split_once(" to ") {
            let (section, name) = key.split_once('.').unwrap();
            let text = format!(r#"{{"{section}":{{"{name}":99999999999}}}}"#);
            let problem =
                format!("{key}: expected an integer from {from} to {to}, got 99999999999");
            assert!(problems(&text).contains(&problem), "{problem}");
        }
    }
}

#[test]
fn the_readme_names_every_provider() {
    let readme = include_str!("../../README.md");
    let table = readme.split("## Providers").nth(1).unwrap().split("\n## ").next().unwrap();
    let first = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('|').next());
    let named: Vec<String> = first
        .flat_map(|cell| cell.split(','))
        .map(|name| name.trim().trim_matches('`').to_owned())
        .collect();
    assert_eq!(named, crate::provider::PROFILES.map(|profile| profile.name));
}
