//! The headers of a message, as bytes: nothing in them needs to be UTF-8.

/// Names and values; names are in lower case.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'h>(&'h [(&'h [u8], &'h [u8])]);

/// Every header of ours begins so.
const OURS: &[u8] = b"x-warmpath";

impl<'h> Headers<'h> {
    pub fn new(pairs: &'h [(&'h [u8], &'h [u8])]) -> Self {
        Self(pairs)
    }

    /// The first value of a header.
    pub fn get(&self, name: &str) -> Option<&'h [u8]> {
        self.0.iter().find(|(known, _)| *known == name.as_bytes()).map(|(_, value)| *value)
    }

    /// The name of the first header whose value is such.
    pub(super) fn named(&self, is: impl Fn(&[u8]) -> bool) -> Option<&'h [u8]> {
        self.0.iter().find(|(_, value)| is(value)).map(|(name, _)| *name)
    }

    /// The names of headers that are ours, each once.
    pub(super) fn ours(&self) -> impl Iterator<Item = String> {
        let ours = |name: &&[u8]| {
            name.strip_prefix(OURS).is_some_and(|rest| matches!(rest.first(), None | Some(b'-')))
        };
        let mut names: Vec<&[u8]> = self.0.iter().map(|(name, _)| *name).filter(ours).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// Whether the content is JSON.
    pub(super) fn is_json(&self) -> bool {
        let Some(kind) = self.media_type() else { return false };
        kind.eq_ignore_ascii_case(b"application/json")
            || kind
                .get(kind.len().wrapping_sub(5)..)
                .is_some_and(|end| end.eq_ignore_ascii_case(b"+json"))
    }

    /// Whether the content is a stream of events.
    pub(super) fn is_event_stream(&self) -> bool {
        self.media_type().is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/event-stream"))
    }

    fn media_type(&self) -> Option<&'h [u8]> {
        let value = self.get("content-type")?;
        value.split(|byte| *byte == b';').next().map(<[u8]>::trim_ascii)
    }

    /// Whether the content is encoded.
    pub(super) fn is_encoded(&self) -> bool {
        self.get("content-encoding")
            .is_some_and(|value| !value.trim_ascii().eq_ignore_ascii_case(b"identity"))
    }

    pub(super) fn content_length(&self) -> Option<u64> {
        core::str::from_utf8(self.get("content-length")?).ok()?.parse().ok()
    }

    /// The status of a response.
    pub(super) fn status(&self) -> Option<u16> {
        core::str::from_utf8(self.get(":status")?).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;

    fn with(name: &'static str, value: &'static str, test: impl Fn(Headers<'_>) -> bool) -> bool {
        test(Headers::new(&[(name.as_bytes(), value.as_bytes())]))
    }

    #[test]
    fn content_types_are_told_apart() {
        for json in
            ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"]
        {
            assert!(with("content-type", json, |headers| headers.is_json()), "{json}");
        }
        for other in ["text/plain", "application/jsonl", "multipart/form-data", "", "json"] {
            assert!(!with("content-type", other, |headers| headers.is_json()), "{other}");
        }
        assert!(with("content-type", "text/event-stream;charset=utf-8", |h| h.is_event_stream()));
    }

    #[test]
    fn ours_are_all_that_begin_so() {
        let pairs: [(&[u8], &[u8]); 5] = [
            (b"x-warmpath-upstream", b"a"),
            (b"x-warmpath-x", b"\xff"),
            (b"x-warmpath", b"c"),
            (b"x-warmpathology", b"d"),
            (b"x-warmpath-upstream", b"e"),
        ];
        let ours: Vec<String> = Headers::new(&pairs).ours().collect();
        assert_eq!(ours, ["x-warmpath", "x-warmpath-upstream", "x-warmpath-x"]);
    }

    #[test]
    fn identity_is_no_encoding() {
        assert!(!with("content-encoding", "Identity", |headers| headers.is_encoded()));
        assert!(with("content-encoding", "gzip", |headers| headers.is_encoded()));
        assert!(!with("x", "y", |headers| headers.is_encoded()));
    }
}
