//! Writes a tree as JSON in one of many spellings, all of which mean the same.

use crate::random::Random;
use crate::tree::Tree;

/// The compact spelling.
pub const PLAIN: u64 = 0;

/// Writes a tree; every `style` but [`PLAIN`] has spaces and escapes in other places.
pub fn write(tree: &Tree, style: u64) -> String {
    let mut writer = Writer { out: String::new(), random: Random::new(style), style };
    writer.value(tree);
    writer.out
}

struct Writer {
    out: String,
    random: Random,
    style: u64,
}

impl Writer {
    fn value(&mut self, tree: &Tree) {
        self.space();
        match tree {
            Tree::Scalar(text) if text.starts_with('"') => self.string(text),
            Tree::Scalar(text) => self.out.push_str(text),
            Tree::List(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.comma(index);
                    self.value(item);
                }
                self.space();
                self.out.push(']');
            }
            Tree::Object(members) => {
                self.out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    self.comma(index);
                    self.space();
                    self.string(&serde_json::Value::from(name.as_str()).to_string());
                    self.space();
                    self.out.push(':');
                    self.value(value);
                }
                self.space();
                self.out.push('}');
            }
        }
        self.space();
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push(',');
        }
    }

    fn space(&mut self) {
        if self.style != PLAIN && self.random.once_in(6) {
            let spaces = [" ", "  ", "\n", "\r\n\t", "\n    "];
            self.out.push_str(spaces[self.random.below(spaces.len())]);
        }
    }

    /// Writes a string that is JSON already; some of its characters become escapes.
    fn string(&mut self, text: &str) {
        let mut escaped = false;
        for char in text.chars() {
            let plain = !escaped && (char.is_ascii_alphanumeric() || char == '/');
            escaped = char == '\\' && !escaped;
            // Not the letters and digits of an escape.
            let inside = self.inside_unicode();
            if self.style != PLAIN && plain && !inside && self.random.once_in(24) {
                self.out.push_str(&format!("\\u{:04x}", u32::from(char)));
            } else {
                self.out.push(char);
            }
        }
    }

    /// Whether the last characters are a `\u` whose digits still come.
    fn inside_unicode(&self) -> bool {
        let bytes = self.out.as_bytes();
        let from = bytes.len().saturating_sub(5);
        let Some(begun) = bytes[from..].windows(2).rposition(|pair| pair == b"\\u") else {
            return false;
        };
        bytes[..from + begun].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
    }
}
