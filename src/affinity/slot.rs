//! A slot's value: how entries are stored in it, and the few changes that are made to it as it is.

use core::net::{IpAddr, SocketAddr};

use super::table::Entry;

/// Entries of one slot. More of them spread better, fewer cost less to copy: with eight, a table
/// that is half full evicts next to nothing alive.
pub(super) const SLOT_ENTRIES: usize = 8;
/// Layout of a slot's value. Another one means that another version of this plugin wrote it; its
/// entries are not read.
pub(super) const LAYOUT: u8 = 1;
/// Bytes of an entry.
pub(super) const ENTRY_BYTES: usize = 55;

/// An entry as it is stored, in little-endian numbers: digest (16 bytes), upstream (8), expires, written
/// and model (4 each), family, address and port of the endpoint (1, 16, 2).
#[derive(Clone, Copy)]
pub(super) struct Raw<'v>(&'v [u8; ENTRY_BYTES]);

impl Raw<'_> {
    fn field<const N: usize>(self, at: usize) -> [u8; N] {
        self.0.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
    }

    pub(super) fn digest(self) -> u128 {
        u128::from_le_bytes(self.field(0))
    }

    pub(super) fn expires(self) -> u32 {
        u32::from_le_bytes(self.field(24))
    }

    fn written(self) -> u32 {
        u32::from_le_bytes(self.field(28))
    }

    fn entry(self) -> Entry {
        let address = IpAddr::from(self.field::<16>(37));
        let port = u16::from_le_bytes(self.field(53));
        let endpoint = match self.field(36) {
            [0] => None,
            [4] => Some(SocketAddr::new(address.to_canonical(), port)),
            _ => Some(SocketAddr::new(address, port)),
        };
        Entry {
            upstream: u64::from_le_bytes(self.field(16)),
            expires: self.expires(),
            written: self.written(),
            model: u32::from_le_bytes(self.field(32)),
            endpoint,
        }
    }
}

/// The entries of a slot's value.
fn raws(value: &[u8]) -> impl Iterator<Item = Raw<'_>> {
    let entries = match value.split_first() {
        Some((&LAYOUT, entries)) => entries,
        _ => &[],
    };
    entries.as_chunks().0.iter().map(Raw)
}

pub(super) fn find(value: &[u8], digest: u128) -> Option<Entry> {
    raws(value).find(|raw| raw.digest() == digest).map(Raw::entry)
}

/// A slot's value of the entries that stay, with room for one more.
pub(super) fn retain(value: &[u8], stays: impl Fn(&Raw<'_>) -> bool) -> Vec<u8> {
    let mut kept = Vec::with_capacity(1 + SLOT_ENTRIES * ENTRY_BYTES);
    kept.push(LAYOUT);
    for raw in raws(value).filter(stays) {
        kept.extend_from_slice(raw.0);
    }
    kept
}

/// Whether a slot's value has room for no more.
pub(super) fn is_full(value: &[u8]) -> bool {
    raws(value).count() >= SLOT_ENTRIES
}

/// Takes the entry away that was written first.
pub(super) fn drop_oldest(value: &mut Vec<u8>) {
    let oldest = raws(value).enumerate().min_by_key(|(_, raw)| raw.written());
    if let Some((oldest, _)) = oldest {
        let at = 1 + oldest * ENTRY_BYTES;
        value.drain(at..at + ENTRY_BYTES);
    }
}

pub(super) fn encode(digest: u128, entry: &Entry) -> [u8; ENTRY_BYTES] {
    let (family, address, port) = match entry.endpoint {
        None => (0, [0; 16], 0),
        Some(SocketAddr::V4(v4)) => (4, v4.ip().to_ipv6_mapped().octets(), v4.port()),
        Some(SocketAddr::V6(v6)) => (6, v6.ip().octets(), v6.port()),
    };
    let mut raw = [0; ENTRY_BYTES];
    let mut rest = raw.as_mut_slice();
    let mut put = |bytes: &[u8]| {
        if let Some(to) = rest.split_off_mut(..bytes.len()) {
            to.copy_from_slice(bytes);
        }
    };
    put(&digest.to_le_bytes());
    put(&entry.upstream.to_le_bytes());
    put(&entry.expires.to_le_bytes());
    put(&entry.written.to_le_bytes());
    put(&entry.model.to_le_bytes());
    put(&[family]);
    put(&address);
    put(&port.to_le_bytes());
    raw
}
