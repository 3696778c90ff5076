//! The laws that hold for whatever comes.

pub mod answer;
pub mod fuzzed;
pub mod json;
pub mod request;

use crate::random::Random;

/// Cuts bytes into pieces, often where it hurts: into single bytes, or once.
pub fn pieces<'b>(mut bytes: &'b [u8], random: &mut Random) -> Vec<&'b [u8]> {
    let most = match random.below(4) {
        0 => 1,
        1 => 8,
        2 => bytes.len(),
        _ => 200,
    };
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let length = (1 + random.below(most)).min(bytes.len());
        let (piece, rest) = bytes.split_at(length);
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
