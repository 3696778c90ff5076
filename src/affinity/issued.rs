//! Issued ids: signed notes for the client to bring back, which any replica with the secret can
//! read without having seen the exchange.
//!
//! An id names the upstream that served, and when; it counts only for the caller and model that it
//! was issued to. It holds no secret and no part of a prompt.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Caller;

/// Begins every issued id, and tells it from a trace id.
const PREFIX: &str = "wp1-";
/// Issue time, upstream, model.
const NOTE_BYTES: usize = 4 + 8 + 4;
/// Bytes of the signature that are kept: 96 bits, far beyond guessing.
const SIGNATURE_BYTES: usize = 12;

/// What an issued id says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issued {
    /// When it was issued, in seconds of Unix time.
    pub at: u32,
    /// Digest of the upstream's name.
    pub upstream: u64,
    /// Digest of the model that it holds for; 0 for any.
    pub model: u32,
}

impl Issued {
    /// The id, signed with `secret` for `caller`.
    pub fn write(&self, caller: &Caller, secret: &Secret) -> String {
        let mut note = Vec::with_capacity(NOTE_BYTES + SIGNATURE_BYTES);
        note.extend_from_slice(&self.at.to_be_bytes());
        note.extend_from_slice(&self.upstream.to_be_bytes());
        note.extend_from_slice(&self.model.to_be_bytes());
        let signature = secret.mac(&note, caller).finalize().into_bytes();
        note.extend(signature.iter().take(SIGNATURE_BYTES));
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(note))
    }

    /// Reads an id that one of `secrets` signed for `caller`; none if it is anything else.
    pub fn read(id: &[u8], caller: &Caller, secrets: &[Secret]) -> Option<Self> {
        let encoded = id.strip_prefix(PREFIX.as_bytes())?;
        let note = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (note, signature) = note.split_first_chunk::<NOTE_BYTES>()?;
        if signature.len() != SIGNATURE_BYTES {
            return None;
        }
        let signs =
            |secret: &Secret| secret.mac(note, caller).verify_truncated_left(signature).is_ok();
        secrets.iter().find(|secret| signs(secret))?;
        let (at, rest) = note.split_first_chunk()?;
        let (upstream, rest) = rest.split_first_chunk()?;
        let (model, _) = rest.split_first_chunk()?;
        Some(Self {
            at: u32::from_be_bytes(*at),
            upstream: u64::from_be_bytes(*upstream),
            model: u32::from_be_bytes(*model),
        })
    }
}

/// A secret that signs, with the part of its work done that is the same for all it signs.
#[derive(Clone, Debug)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    /// Every length is a secret's.
    pub fn new(secret: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    fn mac(&self, note: &[u8], caller: &Caller) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(PREFIX.as_bytes());
        mac.update(caller.bytes());
        mac.update(note);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::{Caller, Issued, Secret};

    const ISSUED: Issued = Issued { at: 1_700_000_000, upstream: 0x0123_4567_89AB_CDEF, model: 42 };

    fn caller(key: &str) -> Caller {
        Caller::new([("x-api-key", key.as_bytes())].into_iter())
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes()).unwrap()
    }

    fn read(id: &str, caller: &Caller, secrets: &[&str]) -> Option<Issued> {
        let secrets: Vec<Secret> = secrets.iter().map(|text| secret(text)).collect();
        Issued::read(id.as_bytes(), caller, &secrets)
    }

    #[test]
    fn ids_are_read_by_whoever_has_the_secret() {
        let id = ISSUED.write(&caller("a"), &secret("new secret"));
        assert_eq!(id.len(), 42);
        assert_eq!(read(&id, &caller("a"), &["new secret"]), Some(ISSUED));
        assert_eq!(read(&id, &caller("a"), &["newer secret", "new secret"]), Some(ISSUED));
    }

    #[test]
    fn forged_and_foreign_ids_are_as_if_absent() {
        let id = ISSUED.write(&caller("a"), &secret("secret"));
        assert_eq!(read(&id, &caller("b"), &["secret"]), None);
        assert_eq!(read(&id, &caller("a"), &["other"]), None);
        assert_eq!(read(&id, &caller("a"), &[]), None);
        for at in 0..id.len() {
            let mut forged = id.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(read(&String::from_utf8(forged).unwrap(), &caller("a"), &["secret"]), None);
            assert_eq!(read(&id[..at], &caller("a"), &["secret"]), None);
        }
        for odd in ["", "wp1-", "wp1-!!", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
        {
            assert_eq!(read(odd, &caller("a"), &["secret"]), None);
        }
    }
}
