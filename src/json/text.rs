//! Small texts kept as they pass: names, models, ids, never contents.

/// The first bytes of a name or a value, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// At most as many bytes as were asked for.
    pub bytes: &'a [u8],
    /// Whether that is all of it.
    pub whole: bool,
}

impl<'a> Text<'a> {
    /// All of a text, if it fitted.
    pub fn whole(self) -> Option<&'a [u8]> {
        self.whole.then_some(self.bytes)
    }
}

/// Collects a decoded text, up to its limit. Invariant: `bytes.len() <= limit`.
#[derive(Debug)]
pub(super) struct Capture {
    bytes: Vec<u8>,
    limit: usize,
    whole: bool,
    start: usize,
    /// The first half of a surrogate pair.
    high: Option<u16>,
}

/// As much as nearly every text has.
const USUAL_BYTES: usize = 64;

impl Default for Capture {
    fn default() -> Self {
        Self {
            bytes: Vec::with_capacity(USUAL_BYTES),
            limit: 0,
            whole: false,
            start: 0,
            high: None,
        }
    }
}

impl Capture {
    #[inline]
    pub(super) fn begin(&mut self, limit: usize, start: usize) {
        self.bytes.clear();
        self.limit = limit;
        self.whole = true;
        self.start = start;
        self.high = None;
    }

    /// Whether nothing that comes is kept any more.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        !self.whole
    }

    #[inline]
    pub(super) fn push(&mut self, piece: &[u8]) {
        if self.whole && !piece.is_empty() {
            self.push_bytes(piece);
        }
    }

    fn push_bytes(&mut self, piece: &[u8]) {
        if self.high.take().is_some() {
            self.push_char(char::REPLACEMENT_CHARACTER);
        }
        let room = self.limit - self.bytes.len();
        match piece.get(..room) {
            Some(fitting) if piece.len() > room => {
                self.bytes.extend_from_slice(fitting);
                self.whole = false;
            }
            _ => self.bytes.extend_from_slice(piece),
        }
    }

    /// Adds a UTF-16 unit of a `\u` escape. A half without its other half becomes U+FFFD.
    pub(super) fn push_unit(&mut self, unit: u16) {
        if !self.whole {
            return;
        }
        if let (Some(high), 0xDC00..=0xDFFF) = (self.high, unit) {
            self.high = None;
            let pair = 0x10000 + ((u32::from(high) - 0xD800) << 10) + (u32::from(unit) - 0xDC00);
            self.push_char(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
            return;
        }
        if self.high.take().is_some() {
            self.push_char(char::REPLACEMENT_CHARACTER);
        }
        match unit {
            0xD800..=0xDBFF => self.high = Some(unit),
            _ => self
                .push_char(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }

    fn push_char(&mut self, char: char) {
        let mut utf8 = [0; 4];
        let encoded = char.encode_utf8(&mut utf8).as_bytes();
        if self.bytes.len() + encoded.len() > self.limit {
            self.whole = false;
        } else {
            self.bytes.extend_from_slice(encoded);
        }
    }

    pub(super) fn start(&self) -> usize {
        self.start
    }

    #[inline]
    pub(super) fn text(&mut self) -> Text<'_> {
        if self.high.take().is_some() {
            self.push_char(char::REPLACEMENT_CHARACTER);
        }
        Text { bytes: &self.bytes, whole: self.whole }
    }
}

/// What a one-letter escape stands for.
#[inline]
pub(super) fn unescaped(letter: u8) -> Option<u8> {
    Some(match letter {
        b'"' | b'\\' | b'/' => letter,
        b'b' => 0x08,
        b'f' => 0x0C,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}
