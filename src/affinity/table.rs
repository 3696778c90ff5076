//! The table of holders: fixed slots in a store that all workers share.
//!
//! Envoy's shared data never shrinks and cannot delete, so the keys are slot numbers, and a
//! slot's value holds a few entries of fixed size, replaced expired or oldest first. Memory is
//! bounded whatever clients send. Slots are written with compare-and-swap: of two workers that
//! write one slot, the second reads it again.

use core::net::{IpAddr, SocketAddr};

/// Entries of one slot. More of them spread better, fewer cost less to copy: with eight, a table
/// that is half full evicts next to nothing alive.
pub(super) const SLOT_ENTRIES: usize = 8;
/// Layout of a slot's value. Another one means that another version of this plugin wrote it; its
/// entries are not read.
const LAYOUT: u8 = 1;
/// Bytes of an entry.
const ENTRY_BYTES: usize = 55;
/// How often a slot that another worker changes meanwhile is tried again.
const TRIES: usize = 4;

/// Where the slots are kept.
pub trait Store {
    /// A slot's value with its version, if it was ever written.
    fn get(&mut self, slot: u32) -> Option<(Vec<u8>, u32)>;
    /// Writes a slot that still has this version, or none.
    fn set(&mut self, slot: u32, value: &[u8], version: Option<u32>) -> Result<(), Conflict>;
}

/// The slot was written by somebody else meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict;

/// What is remembered under a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Digest of the holder's name.
    pub upstream: u64,
    /// Until when, in seconds of Unix time.
    pub expires: u32,
    /// When it was written.
    pub written: u32,
    /// Digest of the model that it holds for; 0 for any.
    pub model: u32,
    /// The endpoint that served.
    pub endpoint: Option<SocketAddr>,
}

/// What happened at the table; labels of the metric `table`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    pub hit: u32,
    pub miss: u32,
    pub expired: u32,
    pub evicted: u32,
    pub conflict: u32,
}

/// A view of the table for one callback.
pub struct Table<'s> {
    store: &'s mut dyn Store,
    slots: u32,
    now: u32,
    pub events: Events,
}

impl<'s> Table<'s> {
    /// `entries` is how many there are in all; `now` is Unix time in seconds.
    pub fn new(store: &'s mut dyn Store, entries: u32, now: u32) -> Self {
        Self {
            store,
            slots: (entries / SLOT_ENTRIES as u32).max(1),
            now,
            events: Events::default(),
        }
    }

    /// The live entry of a digest.
    pub fn get(&mut self, digest: u128) -> Option<Entry> {
        let (slot, _) = self.read(digest);
        match slot.into_iter().find(|(known, _)| *known == digest) {
            Some((_, entry)) if entry.expires > self.now => {
                self.events.hit += 1;
                Some(entry)
            }
            Some(_) => {
                self.events.expired += 1;
                None
            }
            None => {
                self.events.miss += 1;
                None
            }
        }
    }

    /// Changes the entry of a digest: `change` takes the live one and returns the one to keep, or
    /// none to leave all as it is. Returns what was live before, if it was changed.
    pub fn update(
        &mut self,
        digest: u128,
        change: impl Fn(Option<&Entry>) -> Option<Change>,
    ) -> Option<Option<Entry>> {
        for _ in 0..TRIES {
            let (mut slot, version) = self.read(digest);
            let known = slot.iter().find(|(known, _)| *known == digest);
            let before = known.map(|(_, entry)| *entry).filter(|entry| entry.expires > self.now);
            let evicted = match change(before.as_ref())? {
                Change::Remove => {
                    slot.retain(|(known, _)| *known != digest);
                    false
                }
                Change::Keep(entry) => self.insert(&mut slot, digest, entry),
            };
            let number = self.slot(digest);
            match self.store.set(number, &encode(&slot), version) {
                Ok(()) => {
                    self.events.evicted += u32::from(evicted);
                    return Some(before);
                }
                Err(Conflict) => self.events.conflict += 1,
            }
        }
        None
    }

    /// Puts an entry into a slot; whether a live one had to go for it.
    fn insert(&self, slot: &mut Vec<(u128, Entry)>, digest: u128, entry: Entry) -> bool {
        slot.retain(|(known, entry)| *known != digest && entry.expires > self.now);
        let full = slot.len() >= SLOT_ENTRIES;
        if full {
            let oldest = (0..slot.len()).min_by_key(|at| slot.get(*at).map(|(_, old)| old.written));
            oldest.map(|at| slot.swap_remove(at));
        }
        slot.push((digest, entry));
        full
    }

    fn slot(&self, digest: u128) -> u32 {
        (digest % u128::from(self.slots)) as u32
    }

    fn read(&mut self, digest: u128) -> (Vec<(u128, Entry)>, Option<u32>) {
        let number = self.slot(digest);
        match self.store.get(number) {
            Some((value, version)) => (decode(&value), Some(version)),
            None => (Vec::new(), None),
        }
    }
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Keep(Entry),
    Remove,
}

fn encode(slot: &[(u128, Entry)]) -> Vec<u8> {
    let mut value = Vec::with_capacity(1 + slot.len() * ENTRY_BYTES);
    value.push(LAYOUT);
    for (digest, entry) in slot {
        value.extend_from_slice(&digest.to_le_bytes());
        value.extend_from_slice(&entry.upstream.to_le_bytes());
        value.extend_from_slice(&entry.expires.to_le_bytes());
        value.extend_from_slice(&entry.written.to_le_bytes());
        value.extend_from_slice(&entry.model.to_le_bytes());
        let (family, address, port) = match entry.endpoint {
            None => (0, [0; 16], 0),
            Some(SocketAddr::V4(v4)) => (4, v4.ip().to_ipv6_mapped().octets(), v4.port()),
            Some(SocketAddr::V6(v6)) => (6, v6.ip().octets(), v6.port()),
        };
        value.push(family);
        value.extend_from_slice(&address);
        value.extend_from_slice(&port.to_le_bytes());
    }
    value
}

fn decode(value: &[u8]) -> Vec<(u128, Entry)> {
    let Some((&LAYOUT, entries)) = value.split_first() else { return Vec::new() };
    entries.chunks_exact(ENTRY_BYTES).filter_map(decode_entry).collect()
}

fn decode_entry(mut bytes: &[u8]) -> Option<(u128, Entry)> {
    fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
        let (head, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(*head)
    }
    let bytes = &mut bytes;
    let digest = u128::from_le_bytes(take(bytes)?);
    let upstream = u64::from_le_bytes(take(bytes)?);
    let [expires, written, model] =
        [take(bytes)?, take(bytes)?, take(bytes)?].map(u32::from_le_bytes);
    let [family] = take(bytes)?;
    let address = IpAddr::from(take::<16>(bytes)?);
    let port = u16::from_le_bytes(take(bytes)?);
    let endpoint = match family {
        0 => None,
        4 => Some(SocketAddr::new(address.to_canonical(), port)),
        _ => Some(SocketAddr::new(address, port)),
    };
    Some((digest, Entry { upstream, expires, written, model, endpoint }))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use hashbrown::HashMap;

    /// A store in memory, with the versions of Envoy's shared data.
    #[derive(Default)]
    pub(crate) struct Memory {
        pub(crate) slots: HashMap<u32, (Vec<u8>, u32)>,
        /// How many writes fail first.
        pub(crate) conflicts: u32,
    }

    impl Store for Memory {
        fn get(&mut self, slot: u32) -> Option<(Vec<u8>, u32)> {
            self.slots.get(&slot).cloned()
        }
        fn set(&mut self, slot: u32, value: &[u8], version: Option<u32>) -> Result<(), Conflict> {
            if self.conflicts > 0 {
                self.conflicts -= 1;
                return Err(Conflict);
            }
            let known = self.slots.get(&slot).map(|(_, version)| *version);
            if known != version {
                return Err(Conflict);
            }
            self.slots.insert(slot, (value.to_vec(), known.unwrap_or(0) + 1));
            Ok(())
        }
    }

    fn entry(upstream: u64, expires: u32, written: u32) -> Entry {
        Entry { upstream, expires, written, model: 7, endpoint: None }
    }

    fn keep(entry: Entry) -> impl Fn(Option<&Entry>) -> Option<Change> {
        move |_| Some(Change::Keep(entry))
    }

    #[test]
    fn entries_come_back_as_they_were() {
        let mut store = Memory::default();
        let mut table = Table::new(&mut store, 1024, 10);
        let endpoints =
            [None, Some("10.0.0.1:80".parse().unwrap()), Some("[fe80::1]:443".parse().unwrap())];
        for (digest, endpoint) in (0..).zip(endpoints) {
            let entry = Entry { endpoint, ..entry(3, 20, 10) };
            assert_eq!(table.update(digest, keep(entry)), Some(None));
            assert_eq!(table.get(digest), Some(entry));
        }
        assert_eq!(table.get(99), None);
        assert_eq!(table.events, Events { hit: 3, miss: 1, ..Events::default() });
    }

    #[test]
    fn expired_entries_are_none() {
        let mut store = Memory::default();
        Table::new(&mut store, 1024, 10).update(1, keep(entry(3, 20, 10)));
        let mut table = Table::new(&mut store, 1024, 20);
        assert_eq!(table.get(1), None);
        assert_eq!(table.events.expired, 1);
        assert_eq!(table.update(1, keep(entry(4, 30, 20))), Some(None));
    }

    #[test]
    fn oldest_entry_leaves_when_a_slot_is_full() {
        let mut store = Memory::default();
        let mut table = Table::new(&mut store, SLOT_ENTRIES as u32, 10);
        for digest in 0..SLOT_ENTRIES as u128 {
            let written = if digest == 5 { 1 } else { 10 };
            table.update(digest, keep(entry(1, 100, written)));
        }
        table.update(50, keep(entry(1, 100, 10)));
        assert_eq!(table.get(5), None);
        assert!(table.get(4).is_some() && table.get(50).is_some());
        assert_eq!(table.events.evicted, 1);
    }

    #[test]
    fn memory_is_bounded() {
        let mut store = Memory::default();
        let mut table = Table::new(&mut store, 1024, 10);
        for digest in 0..100_000u128 {
            table.update(digest * 7919, keep(entry(1, 100, 10)));
        }
        assert_eq!(store.slots.len(), 1024 / SLOT_ENTRIES);
        let most = store.slots.values().map(|(value, _)| value.len()).max().unwrap();
        assert_eq!(most, 1 + SLOT_ENTRIES * ENTRY_BYTES);
    }

    #[test]
    fn conflicts_are_tried_again_and_counted() {
        let mut store = Memory { conflicts: 2, ..Memory::default() };
        let mut table = Table::new(&mut store, 1024, 10);
        assert_eq!(table.update(1, keep(entry(3, 20, 10))), Some(None));
        assert_eq!(table.events.conflict, 2);
        store.conflicts = 100;
        let mut table = Table::new(&mut store, 1024, 10);
        assert_eq!(table.update(2, keep(entry(3, 20, 10))), None);
    }

    #[test]
    fn another_layout_is_not_read() {
        let mut store = Memory::default();
        Table::new(&mut store, SLOT_ENTRIES as u32, 10).update(1, keep(entry(3, 20, 10)));
        store.slots.get_mut(&0).unwrap().0[0] = LAYOUT + 1;
        let mut table = Table::new(&mut store, SLOT_ENTRIES as u32, 10);
        assert_eq!(table.get(1), None);
        assert_eq!(table.update(1, keep(entry(3, 20, 10))), Some(None));
        assert!(table.get(1).is_some());
    }

    #[test]
    fn removing_leaves_the_others() {
        let mut store = Memory::default();
        let mut table = Table::new(&mut store, SLOT_ENTRIES as u32, 10);
        table.update(1, keep(entry(3, 20, 10)));
        table.update(2, keep(entry(3, 20, 10)));
        assert_eq!(table.update(1, |_| Some(Change::Remove)), Some(Some(entry(3, 20, 10))));
        assert_eq!(table.update(2, |_| None), None);
        assert_eq!((table.get(1), table.get(2)), (None, Some(entry(3, 20, 10))));
    }
}
