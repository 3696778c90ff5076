//! Who sends, as a digest; what is remembered for one caller is unknown to every other.

use sha2::{Digest, Sha256};

/// The digest of a caller's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller([u8; 16]);

impl Caller {
    /// Of the credential headers that a request has, by name and value. Requests without any are
    /// one caller.
    pub fn new<'h>(credentials: impl Iterator<Item = (&'h str, &'h [u8])>) -> Self {
        Self::of(&spelled(credentials))
    }

    /// Of credentials as [`spelled`] gives them.
    pub(super) fn of(spelled: &[u8]) -> Self {
        let mut caller = [0; 16];
        for (to, from) in caller.iter_mut().zip(Sha256::digest(spelled).iter()) {
            *to = *from;
        }
        Self(caller)
    }

    /// Its bytes, for digests that go with it; they never leave the plugin.
    pub(super) fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Credential headers in a row, each part behind its length, so that no two lists of them are the same.
pub(super) fn spelled<'h>(credentials: impl Iterator<Item = (&'h str, &'h [u8])>) -> Vec<u8> {
    let mut spelled = Vec::with_capacity(256);
    for (name, value) in credentials {
        for piece in [name.as_bytes(), value] {
            spelled.extend_from_slice(&(piece.len() as u64).to_le_bytes());
            spelled.extend_from_slice(piece);
        }
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::Caller;

    fn caller(headers: &[(&str, &str)]) -> Caller {
        Caller::new(headers.iter().map(|(name, value)| (*name, value.as_bytes())))
    }

    #[test]
    fn callers_are_apart() {
        let all = [
            caller(&[]),
            caller(&[("authorization", "Bearer a")]),
            caller(&[("authorization", "Bearer b")]),
            caller(&[("x-api-key", "Bearer a")]),
            caller(&[("authorization", "Bearer a"), ("x-api-key", "k")]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all.iter().skip(index + 1).any(|other| other == one));
        }
        assert_eq!(caller(&[("x-api-key", "k")]), caller(&[("x-api-key", "k")]));
    }
}
