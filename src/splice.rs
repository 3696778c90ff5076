//! Edits of a body, applied to it as it comes in pieces; what no edit names is not touched.

use core::fmt;
use std::borrow::Cow;

/// One change of a body: at `at`, `remove` bytes go and `insert` comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub at: u32,
    pub remove: u32,
    pub insert: Cow<'static, str>,
    /// The body has this byte at this offset, or it is not the body that was read.
    pub guard: (u32, u8),
}

impl Edit {
    pub(crate) fn new(
        at: u32,
        remove: u32,
        insert: impl Into<Cow<'static, str>>,
        guard: (u32, u8),
    ) -> Self {
        Self { at, remove, insert: insert.into(), guard }
    }
}

/// The bytes at the place of an edit are not those that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Offset in the body as it was read.
    pub at: u32,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body is not the one that was read, at byte {}", self.at)
    }
}

impl core::error::Error for Mismatch {}

/// What becomes of the first bytes of a piece.
#[derive(Debug, PartialEq, Eq)]
pub struct Spliced {
    /// So many of them stay.
    pub kept: usize,
    /// Comes in the place of the others.
    pub rest: Vec<u8>,
}

/// Applies edits, in order, to the pieces of a body.
#[derive(Debug)]
pub struct Splicer {
    edits: std::vec::IntoIter<Edit>,
    /// Offset of the next piece in the body.
    offset: usize,
    /// Bytes at the beginning of the next piece that an edit still removes.
    removing: usize,
}

impl Splicer {
    /// `edits` in the order of their bytes.
    pub fn new(edits: Vec<Edit>) -> Self {
        Self { edits: edits.into_iter(), offset: 0, removing: 0 }
    }

    /// How many bytes at the beginning of the next piece, of `length` bytes, must be replaced by
    /// what [`splice`](Self::splice) makes of them; the rest stays.
    pub fn reach(&self, length: usize) -> usize {
        let end = self.offset + length;
        let last = self
            .edits
            .as_slice()
            .iter()
            .take_while(|edit| (edit.at as usize) < end)
            .last()
            // At least one byte: the one in front of which something is inserted.
            .map(|edit| (edit.at as usize + (edit.remove as usize).max(1)).min(end));
        last.map_or(self.removing.min(length), |last| last - self.offset)
    }

    /// Whether all edits have been applied.
    pub fn is_done(&self) -> bool {
        self.removing == 0 && self.edits.as_slice().is_empty()
    }

    /// The new bytes for the first bytes of a piece of `length` bytes, as many as
    /// [`reach`](Self::reach) said.
    pub fn splice(&mut self, head: &[u8], length: usize) -> Result<Vec<u8>, Mismatch> {
        let Spliced { kept, rest } = self.splice_behind(head, length)?;
        Ok([head.get(..kept).unwrap_or_default(), &rest].concat())
    }

    /// The same, without a copy of what stays in front of the first edit: with edits near the end of
    /// a long body, nearly all of it.
    pub fn splice_behind(&mut self, head: &[u8], length: usize) -> Result<Spliced, Mismatch> {
        let start = self.offset;
        let mut at = self.removing.min(head.len());
        self.removing -= at;
        let kept = match self.edits.as_slice().first() {
            Some(edit) if at == 0 => (edit.at as usize).saturating_sub(start).min(head.len()),
            _ => 0,
        };
        at = at.max(kept);
        let mut out = Vec::with_capacity(head.len() - at + 256);
        while let Some(edit) = self.edits.as_slice().first()
            && let Some(to) = (edit.at as usize).checked_sub(start)
            && to < head.len()
        {
            let mismatch = Mismatch { at: edit.at };
            let guard = (edit.guard.0 as usize).checked_sub(start).and_then(|at| head.get(at));
            if guard.is_some_and(|byte| *byte != edit.guard.1) {
                return Err(mismatch);
            }
            out.extend_from_slice(head.get(at..to).ok_or(mismatch)?);
            out.extend_from_slice(edit.insert.as_bytes());
            let behind = to + edit.remove as usize;
            at = behind.min(head.len());
            self.removing = behind - at;
            self.edits.next();
        }
        out.extend_from_slice(head.get(at..).unwrap_or_default());
        self.offset += length;
        Ok(Spliced { kept, rest: out })
    }

    /// Passes over a piece that no edit reaches into.
    pub fn pass(&mut self, length: usize) {
        self.offset += length;
    }
}

/// Applies edits to a whole body.
#[cfg(test)]
pub(crate) fn apply(body: &str, edits: &[Edit]) -> Result<String, Mismatch> {
    let bytes = body.as_bytes();
    let mut splicer = Splicer::new(edits.to_vec());
    let reach = splicer.reach(bytes.len());
    let (head, rest) = bytes.split_at(reach);
    let mut out = splicer.splice(head, bytes.len())?;
    assert!(splicer.is_done());
    out.extend_from_slice(rest);
    Ok(String::from_utf8(out).unwrap())
}

#[cfg(test)]
mod tests {
    use super::{Edit, Mismatch, Spliced, Splicer, apply};

    fn edits() -> Vec<Edit> {
        vec![
            Edit::new(2, 0, "<in>", (2, b'2')),
            Edit::new(4, 3, "", (4, b'4')),
            Edit::new(8, 1, "EIGHT", (8, b'8')),
        ]
    }

    #[test]
    fn splicing_ignores_pieces() {
        let body = "0123456789abc";
        let expected = "01<in>237EIGHT9abc";
        assert_eq!(apply(body, &edits()).unwrap(), expected);
        for first in 0..=body.len() {
            for second in first..=body.len() {
                let mut splicer = Splicer::new(edits());
                let mut out = Vec::new();
                for piece in [&body[..first], &body[first..second], &body[second..]] {
                    let piece = piece.as_bytes();
                    let reach = splicer.reach(piece.len());
                    if reach == 0 {
                        splicer.pass(piece.len());
                    } else {
                        out.extend(splicer.splice(&piece[..reach], piece.len()).unwrap());
                    }
                    out.extend(&piece[reach..]);
                }
                assert_eq!(String::from_utf8(out).unwrap(), expected, "{first} {second}");
                assert!(splicer.is_done());
            }
        }
    }

    #[test]
    fn what_stands_in_front_of_the_first_edit_is_not_copied() {
        let mut splicer = Splicer::new(edits());
        let spliced = splicer.splice_behind(b"012345678", 13).unwrap();
        assert_eq!(spliced, Spliced { kept: 2, rest: b"<in>237EIGHT".to_vec() });
        let mut splicer = Splicer::new(edits());
        splicer.splice(b"01234", 5).unwrap();
        assert_eq!(splicer.splice_behind(b"5678", 4).unwrap().kept, 0, "5 and 6 are removed");
    }

    #[test]
    fn bytes_behind_the_last_edit_are_not_reached() {
        let splicer = Splicer::new(edits());
        assert_eq!(splicer.reach(1_000_000), 9);
        assert_eq!(splicer.reach(2), 0);
        assert_eq!(Splicer::new(Vec::new()).reach(10), 0);
    }

    #[test]
    fn another_body_is_refused() {
        let error = apply("0123x56789abc", &edits()).unwrap_err();
        assert_eq!(error, Mismatch { at: 4 });
        assert_eq!(error.to_string(), "the body is not the one that was read, at byte 4");
    }
}
