//! Ids: unlike each other, also those of two accounts, and the same in every run.

use xxhash_rust::xxh3::xxh3_128;

/// What the ids of one answer are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Serial {
    seed: u128,
    /// Seconds since 1970.
    pub(crate) created: u64,
}

impl Serial {
    pub(crate) fn new(account: &str, number: u64, created: u64) -> Self {
        Self { seed: xxh3_128(format!("{account}\n{number}").as_bytes()), created }
    }

    /// The material of one of the ids of this answer.
    pub(crate) fn id(&self, kind: &str) -> u128 {
        xxh3_128(&[&self.seed.to_le_bytes(), kind.as_bytes()].concat())
    }
}

pub(crate) fn hex(seed: u128) -> String {
    format!("{seed:032x}")
}

/// 22 letters and digits.
pub(crate) fn alphanumeric(mut seed: u128) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digit = || {
        let digit = ALPHABET[(seed % 62) as usize];
        seed /= 62;
        char::from(digit)
    };
    (0..22).map(|_| digit()).collect()
}

pub(crate) fn uuid(seed: u128) -> String {
    let hex = hex(seed);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
