use super::{Error, Kind, Lexer, MAX_DEPTH, Text, Visitor, Want};

/// Writes down every event; enters everything down to a depth, keeps all texts.
#[derive(Default, PartialEq, Debug)]
struct Log {
    lines: Vec<String>,
    raw: Vec<u8>,
    depth: usize,
    enter_to: usize,
}

impl Visitor for Log {
    fn begin(&mut self, kind: Kind, at: usize) -> Want {
        self.lines.push(format!("begin {kind:?} {at}"));
        match kind {
            Kind::Object | Kind::Array if self.depth < self.enter_to => {
                self.depth += 1;
                Want::Enter
            }
            _ => Want::RawAndText(12),
        }
    }
    fn key(&mut self, name: Text<'_>, at: usize) {
        self.lines.push(format!("key {} {at}", String::from_utf8_lossy(name.bytes)));
    }
    fn raw(&mut self, piece: &[u8]) {
        self.raw.extend_from_slice(piece);
    }
    fn end(&mut self, end: usize, text: Text<'_>) {
        let raw = String::from_utf8_lossy(&core::mem::take(&mut self.raw)).into_owned();
        let text = (String::from_utf8_lossy(text.bytes).into_owned(), text.whole);
        self.lines.push(format!("end {end} {raw} {text:?}"));
    }
    fn leave(&mut self, at: usize) {
        self.depth -= 1;
        self.lines.push(format!("leave {at}"));
    }
}

fn read(windows: &[&[u8]], enter_to: usize) -> Result<Log, Error> {
    let mut lexer = Lexer::default();
    let mut log = Log { enter_to, ..Log::default() };
    for window in windows {
        lexer.push(window, &mut log)?;
    }
    lexer.finish()?;
    Ok(log)
}

const ODD: &str = concat!(
    "\u{feff} {\"a\": [1E3, -0.5e-7, 12345678901234567890123456789012345678901, true, null,false],\r\n",
    "\"cache\\u005fcontrol\":\t{\"ttl\":\"1h\\n\\\"\"}, \"\\ud83d\\ude00\": \"\\ud83d x \\udc00\",",
    "\"long name that goes on and on and on and on and on and on and on and on\":\"é\\u00e9\\/\",",
    "\"empty\":{}, \"none\":[], \"deep\":[[[{\"x\":[{}]}]]]} \n"
);

#[test]
fn reading_ignores_windows() {
    let body = ODD.as_bytes();
    for enter_to in [0, 1, 9] {
        let whole = read(&[body], enter_to).unwrap();
        for cut in 0..=body.len() {
            let (left, right) = body.split_at(cut);
            assert_eq!(read(&[left, right], enter_to).unwrap(), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(read(&bytes, enter_to).unwrap(), whole, "byte by byte");
    }
}

#[test]
fn events_tell_names_texts_and_offsets() {
    let body = br#"{"a\u005fb": "x\n", "n": [1, {"deep": 2}]}"#;
    assert_eq!(
        read(&[body], 1).unwrap().lines,
        [
            "begin Object 0",
            "key a_b 1",
            "begin String 13",
            "end 18 \"x\\n\" (\"x\\n\", true)",
            "key n 20",
            "begin Array 25",
            "end 41 [1, {\"deep\": 2}] (\"\", true)",
            "leave 41",
        ]
    );
}

#[test]
fn texts_are_cut_at_their_limit() {
    let log = read(&[br#"["0123456789abc", "0123456789ab", "0123456789a\u00e9"]"#], 1).unwrap();
    let ends: Vec<bool> =
        log.lines.iter().filter(|l| l.starts_with("end")).map(|l| l.ends_with("true)")).collect();
    assert_eq!(ends, [false, true, false]);
}

#[test]
fn halves_of_surrogates_become_replacement_characters() {
    let log = read(&[br#"["\ud83d\ude00", "\ud83dx", "\ude00", "\ud83d\ud83d"]"#], 1).unwrap();
    let texts: Vec<&str> = log
        .lines
        .iter()
        .filter_map(|line| line.strip_prefix("end "))
        .filter_map(|line| line.split("(\"").nth(1)?.split('"').next())
        .collect();
    assert_eq!(texts, ["\u{1f600}", "\u{fffd}x", "\u{fffd}", "\u{fffd}\u{fffd}"]);
}

#[test]
fn what_serde_json_refuses_is_refused() {
    let refused = [
        "",
        " ",
        "{",
        "[",
        "\"",
        "{]",
        "[}",
        "[1,]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1 2]",
        "01",
        "-",
        "1.",
        "1.e3",
        "1e",
        "1e+",
        ".5",
        "+1",
        "tru",
        "truee",
        "nul",
        "nan",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u12",
        "\"a\nb\"",
        "{} {}",
        "{}x",
        "[]]",
        "{'a':1}",
        "1 2",
        "{\"a\":1 \"b\":2}",
        "[1,,2]",
        "{\"a\"::1}",
        "{1:2}",
        "\u{feff}",
        "// x\n{}",
    ];
    for text in refused {
        assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
        assert!(read(&[text.as_bytes()], 9).is_err(), "{text}");
        assert!(read(&[text.as_bytes()], 0).is_err(), "{text}");
    }
}

#[test]
fn what_serde_json_takes_is_taken() {
    for text in
        ["0", "-0", "-0.0e+0", "\"\\/\\b\\f\\n\\r\\t\\\\\"", " [ ] ", "{\"\":[[],{}]}", "null"]
    {
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        assert!(read(&[text.as_bytes()], 9).is_ok(), "{text}");
        assert!(read(&[text.as_bytes()], 0).is_ok(), "{text}");
    }
}

#[test]
fn depth_is_bounded_without_recursion() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let deepest = MAX_DEPTH as usize;
    for enter_to in [0, 1, 1000] {
        assert!(read(&[nested(deepest).as_bytes()], enter_to).is_ok());
        let error = Error::TooDeep { at: deepest };
        assert_eq!(read(&[nested(deepest + 1).as_bytes()], enter_to), Err(error));
        assert_eq!(read(&[nested(100_000).as_bytes()], enter_to), Err(error));
    }
}

#[test]
fn errors_say_where() {
    let cases: [(&str, &str); 3] = [
        ("{\"a\": x}", "not JSON at byte 6"),
        ("{\"a\": 1", "the text ends inside a value"),
        ("[[1,]]", "not JSON at byte 4"),
    ];
    for (text, message) in cases {
        assert_eq!(read(&[text.as_bytes()], 9).unwrap_err().to_string(), message);
    }
}
