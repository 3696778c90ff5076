//! `responses/<provider>/<dialect>.<case>.{json,sse}` is what a provider answers,
//! `<dialect>.<case>.usage.json` what is counted there, `<dialect>.<case>.client.{json,sse}` what the
//! client gets if that is something else, and `….swallowed.sse` what a client gets that did not ask
//! for the last chunk of a stream.

use serde_json::{Value, json};

use crate::expectations::Expectations;
use crate::plugin::answer::{Heard, Purpose, Usage, json as heard_json, stream, told, usage_of};
use crate::plugin::{Dialect, dialect};
use crate::text::lines;

const ENDS: &[&str] = &[".usage.json", ".client.json", ".client.sse", ".swallowed.sse"];

#[test]
fn answers_are_counted_and_written_back_as_expected() {
    let mut files = Expectations::of("responses", ENDS);
    for path in files.inputs() {
        let (folder, file) = path.split_once('/').expect("inputs are in folders");
        let (name, end) = path.rsplit_once('.').expect("inputs have endings");
        let dialect = dialect(file.split('.').next().expect("it names its dialect"));
        let usage = usage_of(folder);
        let body = files.read(&path).expect("it was found");
        let heard = match end {
            "json" => heard_json(dialect, usage, &[&body]),
            _ => stream(dialect, usage, Purpose::Rewrite, &[&body]),
        };
        if let Some(broken) = broken_law(&heard, dialect, usage, end) {
            files.trouble(format!("{path}: {broken}"));
        }
        let mut told = json!({ "counts": told(&heard.counts), "ids": heard.ids });
        if heard.sent_on == body {
            told["client"] = json!("as it came");
        } else {
            told["client"] = json!("rewritten");
            files.expect(&format!("{name}.client.{end}"), &heard.sent_on);
        }
        if end == "sse" {
            let passed = stream(dialect, usage, Purpose::Read, &[&body]);
            assert_eq!(passed.sent_on, body, "{path}: what is only read passes as it came");
            assert_eq!(passed.counts, heard.counts, "{path}: reading counts the same");
            let swallowed = stream(dialect, usage, Purpose::RewriteAndSwallow, &[&body]);
            assert_eq!(swallowed.counts, heard.counts, "{path}: what is swallowed counts too");
            if swallowed.sent_on != heard.sent_on {
                files.expect(&format!("{name}.swallowed.sse"), &swallowed.sent_on);
            }
        }
        files.expect(&format!("{name}.usage.json"), lines(&told).as_bytes());
    }
    files.finish();
}

/// What holds for every answer; what does not, in words.
fn broken_law(heard: &Heard, dialect: Dialect, usage: Usage, end: &str) -> Option<String> {
    let counts = &heard.counts;
    let sum = |parts: &[Option<u64>]| parts.iter().flatten().sum::<u64>();
    let parts = sum(&[counts.uncached, counts.read, counts.write]);
    if counts.input.is_some_and(|input| input != parts) {
        return Some(format!("the parts of the input are {parts}: {counts:?}"));
    }
    let classes = counts.write_5m.zip(counts.write_1h).map(|(five, hour)| five + hour);
    if classes.is_some() && classes != counts.write {
        return Some(format!("the classes of the writes are {classes:?}: {counts:?}"));
    }
    let again = match end {
        "json" => heard_json(dialect, usage, &[&heard.sent_on]),
        _ => stream(dialect, usage, Purpose::Rewrite, &[&heard.sent_on]),
    };
    // A sum that was moved into the completion would be moved again: those are read only once.
    let settles = matches!(usage, Usage::Standard | Usage::Relay);
    if settles && again.sent_on != heard.sent_on {
        return Some(format!("it is rewritten again: {}", text(&again.sent_on)));
    }
    let documents = match end {
        "json" => vec![serde_json::from_slice(&heard.sent_on).ok()?],
        _ => events(&heard.sent_on),
    };
    let mut usages = documents
        .iter()
        .flat_map(|document: &Value| USAGES.iter().filter_map(|place| document.pointer(place)));
    let wrong = usages.find(|usage| exclusive(usage, dialect))?;
    Some(format!("the client cannot add up {wrong}"))
}

/// Where a client finds the counts of an answer, or of an event.
const USAGES: [&str; 4] = ["/usage", "/response/usage", "/x_groq/usage", "/choices/0/usage"];

/// What the lines of a stream say, those with data.
fn events(stream: &[u8]) -> Vec<Value> {
    let lines = stream.split(|byte| matches!(byte, b'\n' | b'\r'));
    lines.filter_map(|line| serde_json::from_slice(line.strip_prefix(b"data:")?).ok()).collect()
}

/// Whether a usage that should be inclusive is not.
fn exclusive(usage: &Value, dialect: Dialect) -> bool {
    let (input, output) = match dialect {
        Dialect::Chat => ("prompt_tokens", "completion_tokens"),
        Dialect::Responses => ("input_tokens", "output_tokens"),
        _ => return false,
    };
    let count = |value: &Value| value.as_u64();
    let details = &usage[format!("{input}_details")];
    let cached = ["cached_tokens", "cache_write_tokens"].map(|name| count(&details[name]));
    let [input, output, total] = [input, output, "total_tokens"].map(|name| count(&usage[name]));
    let beyond = input.is_some_and(|input| cached.iter().flatten().sum::<u64>() > input);
    let sum = input.zip(output).map(|(input, output)| input + output);
    beyond || sum.zip(total).is_some_and(|(sum, total)| sum != total)
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}
