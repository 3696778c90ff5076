//! `requests/inputs/<dialect>/<case>.json` is what a client sends, `<case>.facts.json` beside it
//! what is read there. What leaves for a provider is in `requests/<provider>`.

use serde_json::{Map, Value, json};

use crate::expectations::Expectations;
use crate::plugin::prompt::{Beside, Facts, Upstream, apply, read};
use crate::plugin::{DIALECTS, Dialect, dialect, exchange, facts, providers, speaks};
use crate::text::lines;

/// Where a case is sent.
struct Way {
    /// `<provider>`, or `<provider>.<variant>`.
    name: String,
    settings: Value,
    headers: Vec<(String, String)>,
}

impl Way {
    fn has_scope_beta(&self) -> bool {
        self.headers.iter().any(|(_, value)| value.contains("prompt-caching-scope-"))
    }
}

const EVERY: &str = "inputs/every.json";

#[test]
fn requests_leave_as_expected() {
    let mut files = Expectations::of("requests", &[".facts.json", ".shaped.json"]);
    let every = files.read(EVERY).expect("it says what goes to every provider");
    let every: Value = serde_json::from_slice(&every).unwrap();
    for path in files.inputs() {
        let Some((dialect, case)) = case_of(&path) else { continue };
        let body = files.read(&path).expect("it was found");
        let ways = ways(&mut files, &every, dialect, case);
        let found = read(dialect, &[&body]);
        let told = match &found {
            Ok(found) => facts::of_body(found, &body),
            Err(reason) => json!({ "left_alone": reason }),
        };
        let name = format!("inputs/{}/{case}", dialect.name());
        files.expect(&format!("{name}.facts.json"), lines(&told).as_bytes());
        if ways.is_empty() && found.is_ok() {
            files.trouble(format!("{name}.sent.json: missing, it says where the case goes"));
        }
        for way in &ways {
            let provider = way.name.split('.').next().expect("there is one");
            let variant = way.name.strip_prefix(provider).expect("it begins so");
            let output = format!("{provider}/{}.{case}{variant}", dialect.name());
            let sent = exchange::send(&way.settings, dialect, &way.headers, &[&body]);
            match outcome(way, &sent, found.as_ref().ok(), dialect, &body) {
                Ok(told) => {
                    files.expect(&format!("{output}.facts.json"), lines(&told).as_bytes());
                }
                Err(trouble) => files.trouble(format!("{output}: {trouble}")),
            }
            if sent.body != body {
                files.expect(&format!("{output}.shaped.json"), &sent.body);
            }
        }
    }
    files.finish();
    has_all(&every);
}

/// The dialect and name of an input.
fn case_of(path: &str) -> Option<(Dialect, &str)> {
    let (folder, file) = path.strip_prefix("inputs/")?.split_once('/')?;
    let case = file.strip_suffix(".json").filter(|case| !case.ends_with(".sent"))?;
    Some((dialect(folder), case))
}

/// Where a case goes: to every provider if [`EVERY`] says so, and where `<case>.sent.json` says.
fn ways(files: &mut Expectations, every: &Value, dialect: Dialect, case: &str) -> Vec<Way> {
    let mut ways = Vec::new();
    if let Some(marks) = every["cases"].get(case) {
        for provider in providers().into_iter().filter(|provider| speaks(provider, dialect)) {
            let mut settings =
                every["providers"][provider].as_object().cloned().unwrap_or_default();
            settings.insert("marks".into(), marks.clone());
            ways.push(way(provider.to_owned(), settings));
        }
    }
    let more = format!("inputs/{}/{case}.sent.json", dialect.name());
    if files.inputs().contains(&more) {
        let more = files.read(&more).expect("it is there");
        let more: Map<String, Value> = serde_json::from_slice(&more).unwrap();
        for (name, settings) in more {
            ways.push(way(name, settings.as_object().expect("settings").clone()));
        }
    }
    ways
}

fn way(name: String, mut settings: Map<String, Value>) -> Way {
    let headers = settings.remove("headers").unwrap_or_default();
    let headers = headers.as_object().into_iter().flatten();
    let headers =
        headers.map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned()));
    let headers = headers.collect();
    let provider = name.split('.').next().expect("there is one").to_owned();
    settings.insert("provider".into(), provider.into());
    Way { name, settings: settings.into(), headers }
}

/// What was done to a request; an error where that is not what the rules say.
fn outcome(
    way: &Way,
    sent: &exchange::Sent,
    found: Option<&Facts>,
    dialect: Dialect,
    body: &[u8],
) -> Result<Value, String> {
    let headers = sent.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    let mut told = json!({
        "settings": way.settings,
        "headers": headers.collect::<Vec<_>>(),
        "body": if sent.body == body { "untouched" } else { "shaped" },
        "rules": sent.rules.join(" "),
        "skips": sent.skips,
    });
    let upstream = Upstream::new(&way.settings);
    let key = key_of(&sent.body);
    let beside = Beside { scope_beta: way.has_scope_beta(), key: &key };
    let Some(shaping) = found.and_then(|found| upstream.shape(&found.prompt, beside)) else {
        let untouched = sent.body == body;
        return if untouched { Ok(told) } else { Err("not understood, and changed".to_owned()) };
    };
    let shaped = apply(&[body], &shaping.edits)?;
    if shaped != sent.body {
        return Err(format!("the stages sent {}, not {}", text(&sent.body), text(&shaped)));
    }
    let again = read(dialect, &[&shaped])?;
    let twice = upstream.shape(&again.prompt, beside).map(|shaping| shaping.edits);
    if twice.as_ref().is_none_or(|edits| !edits.is_empty()) {
        return Err(format!("shaping is not idempotent: {} gets {twice:?}", text(&shaped)));
    }
    told["marks"] = json!(facts::marks(&again.prompt, &shaped));
    told["edits"] = json!(facts::edits(&shaping.edits, body));
    told["hour_until"] = json!(shaping.hour_until);
    told["asked_usage"] = json!(shaping.asked_usage);
    Ok(told)
}

/// The key that a request left with, however it got it.
fn key_of(body: &[u8]) -> String {
    let body = serde_json::from_slice(body).unwrap_or(Value::Null);
    body["prompt_cache_key"].as_str().unwrap_or_default().to_owned()
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

/// Every provider has a full request of each dialect that it speaks.
fn has_all(every: &Value) {
    for name in every["providers"].as_object().into_iter().flatten().map(|(name, _)| name.as_str())
    {
        assert!(providers().contains(&name), "{EVERY} names {name}, which is no provider");
    }
    let files = Expectations::of("requests", &[]).inputs();
    for dialect in DIALECTS {
        for provider in providers().into_iter().filter(|provider| speaks(provider, dialect)) {
            let file = format!("{provider}/{}.full.facts.json", dialect.name());
            assert!(files.contains(&file), "{file} is missing; run `make golden`");
        }
    }
}
