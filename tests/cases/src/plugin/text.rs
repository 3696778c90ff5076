//! Reading JSON, with more or less interest.

use warmpath::json::{Kind, Lexer, Text, Visitor, Want};

/// How much of a text is looked into.
#[derive(Clone, Copy, Debug)]
pub enum Look {
    Everywhere,
    Nowhere,
    HereAndThere,
}

/// Whether a text that comes in these windows is read to its end.
pub fn accepts(windows: &[&[u8]], look: Look) -> bool {
    let mut lexer = Lexer::default();
    let mut reader = Reader { look, begun: 0 };
    windows.iter().all(|window| lexer.push(window, &mut reader).is_ok()) && lexer.finish().is_ok()
}

struct Reader {
    look: Look,
    begun: usize,
}

impl Visitor for Reader {
    fn begin(&mut self, _: Kind, _: usize) -> Want {
        self.begun += 1;
        match (self.look, self.begun % 7) {
            (Look::Everywhere, _) | (Look::HereAndThere, 0 | 1) => Want::Enter,
            (Look::HereAndThere, 2) => Want::Text(3),
            (Look::HereAndThere, 3) => Want::Raw,
            (Look::HereAndThere, 4) => Want::RawAndText(64),
            _ => Want::Nothing,
        }
    }

    fn key(&mut self, _: Text<'_>, _: usize) {}
    fn raw(&mut self, _: &[u8]) {}
    fn end(&mut self, _: usize, _: Text<'_>) {}
    fn leave(&mut self, _: usize) {}
}
