use std::time::Instant;
use warmpath::json::*;
struct V;
impl Visitor for V {
    fn begin(&mut self, k: Kind, _at: usize) -> Want {
        if k == Kind::Object { Want::Enter } else { Want::Nothing }
    }
    fn key(&mut self, _n: Text<'_>, _at: usize) {}
    fn raw(&mut self, _p: &[u8]) {}
    fn end(&mut self, _e: usize, _t: Text<'_>) {}
    fn leave(&mut self, _at: usize) {}
}
fn main() {
    let text = "The quick brown fox jumps over the lazy dog.\\n    let x = \\\"y\\\"; // comment and more text here to make it longer ".repeat(8);
    let mut msgs = String::from("{\"messages\":[");
    while msgs.len() < 600_000 {
        msgs.push_str(&format!(
            "{{\"role\":\"user\",\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}},"
        ));
    }
    msgs.push_str("{}],\"tools\":[");
    let t0 = msgs.len();
    let tool = r#"{"name":"read_file","description":"Reads a file from disk","input_schema":{"type":"object","properties":{"path":{"type":"string","description":"where"},"limit":{"type":"integer","minimum":0,"maximum":9007199254740991},"x":{"anyOf":[{"type":"string"},{"type":"null"}]}},"required":["path"],"additionalProperties":false}},"#;
    let mut tools = String::new();
    while tools.len() < 400_000 {
        tools.push_str(tool);
    }
    tools.push_str("{}]}");
    for (name, body) in [
        ("messages", format!("{}]}}", &msgs[..t0 - "],\"tools\":[".len()])),
        ("tools", format!("{{\"tools\":[{tools}")),
    ] {
        let mut best = f64::MAX;
        for _ in 0..50 {
            let t = Instant::now();
            let mut l = Lexer::default();
            for w in body.as_bytes().chunks(65536) {
                l.push(w, &mut V).unwrap();
            }
            l.finish().unwrap();
            best = best.min(t.elapsed().as_secs_f64());
        }
        println!(
            "{name}: {} bytes {:.0} us {:.2} GB/s",
            body.len(),
            best * 1e6,
            body.len() as f64 / best / 1e9
        );
    }
}
