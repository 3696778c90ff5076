//! The table of holders: fixed slots in a store that all workers share.
//!
//! Envoy's shared data never shrinks and cannot delete, so the keys are slot numbers, and a
//! slot's value holds a few entries of fixed size, replaced expired or oldest first. Memory is
//! bounded whatever clients send. Slots are written with compare-and-swap: of two workers that
//! write one slot, the second reads it again.

use core::net::SocketAddr;

use super::slot::{self, SLOT_ENTRIES};

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
    seen: Seen,
    pub events: Events,
}

/// Slots as an exchange last saw them. Reading one costs more than writing it, so an exchange that learns
/// begins with what it saw when it chose; the version tells whether that still is all.
#[derive(Debug, Default)]
pub(super) struct Seen(Vec<Slot>);

#[derive(Clone, Debug)]
struct Slot {
    number: u32,
    /// As it is stored; empty if it never was written.
    value: Vec<u8>,
    version: Option<u32>,
}

impl<'s> Table<'s> {
    /// `entries` is how many there are in all; `now` is Unix time in seconds.
    pub fn new(store: &'s mut dyn Store, entries: u32, now: u32) -> Self {
        Self {
            store,
            slots: (entries / SLOT_ENTRIES as u32).max(1),
            now,
            seen: Seen::default(),
            events: Events::default(),
        }
    }

    /// Begins with what was seen of it before.
    pub(super) fn remember(&mut self, seen: &mut Seen) {
        self.seen.0.append(&mut seen.0);
    }

    /// What was seen of it and not written since.
    pub(super) fn seen(&mut self) -> Seen {
        core::mem::take(&mut self.seen)
    }

    /// The live entry of a digest.
    pub fn get(&mut self, digest: u128) -> Option<Entry> {
        let number = self.slot(digest);
        let known = match self.seen.0.iter().find(|slot| slot.number == number) {
            Some(slot) => slot::find(&slot.value, digest),
            None => {
                let slot = self.read(number);
                let known = slot::find(&slot.value, digest);
                self.seen.0.push(slot);
                known
            }
        };
        match known {
            Some(entry) if entry.expires > self.now => {
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
        let number = self.slot(digest);
        let seen = self.seen.0.iter().position(|slot| slot.number == number);
        let mut seen = seen.map(|at| self.seen.0.swap_remove(at));
        let mut tries = 0;
        while tries < TRIES {
            let was_seen = seen.is_some();
            let slot = seen.take().unwrap_or_else(|| self.read(number));
            let before = slot::find(&slot.value, digest).filter(|entry| entry.expires > self.now);
            let (value, evicted) = match change(before.as_ref())? {
                Change::Remove => (slot::retain(&slot.value, |raw| raw.digest() != digest), false),
                Change::Keep(entry) => self.insert(&slot.value, digest, &entry),
            };
            match self.store.set(number, &value, slot.version) {
                Ok(()) => {
                    self.events.evicted += u32::from(evicted);
                    return Some(before);
                }
                // Somebody wrote it since it was seen: nothing to count, that was no write at a time.
                Err(Conflict) if was_seen => {}
                Err(Conflict) => {
                    self.events.conflict += 1;
                    tries += 1;
                }
            }
        }
        None
    }

    /// Puts an entry into a slot; whether a live one had to go for it.
    fn insert(&self, value: &[u8], digest: u128, entry: &Entry) -> (Vec<u8>, bool) {
        let mut value =
            slot::retain(value, |raw| raw.digest() != digest && raw.expires() > self.now);
        let full = slot::is_full(&value);
        if full {
            slot::drop_oldest(&mut value);
        }
        value.extend_from_slice(&slot::encode(digest, entry));
        (value, full)
    }

    fn slot(&self, digest: u128) -> u32 {
        // Half of the digest spreads as well as all of it, and divides faster.
        (digest as u64 % u64::from(self.slots)) as u32
    }

    fn read(&mut self, number: u32) -> Slot {
        match self.store.get(number) {
            Some((value, version)) => Slot { number, value, version: Some(version) },
            None => Slot { number, value: Vec::new(), version: None },
        }
    }
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Keep(Entry),
    Remove,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::slot::{ENTRY_BYTES, LAYOUT};
    use super::*;
    use hashbrown::HashMap;

    /// A store in memory, with the versions of Envoy's shared data.
    #[derive(Default)]
    pub(crate) struct Memory {
        pub(crate) slots: HashMap<u32, (Vec<u8>, u32)>,
        /// How many writes fail first.
        pub(crate) conflicts: u32,
        reads: u32,
    }

    impl Store for Memory {
        fn get(&mut self, slot: u32) -> Option<(Vec<u8>, u32)> {
            self.reads += 1;
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
    fn what_was_seen_is_not_read_again_and_never_wins_over_what_came_since() {
        let mut store = Memory::default();
        Table::new(&mut store, 1024, 10).update(1, keep(entry(3, 20, 10)));
        for other in [None, Some(129)] {
            store.reads = 0;
            let mut table = Table::new(&mut store, 1024, 10);
            assert_eq!(table.get(1), Some(entry(3, 20, 10)));
            let mut seen = table.seen();
            if let Some(other) = other {
                // Of the same slot, by another exchange.
                table.update(other, keep(entry(5, 30, 10)));
            }
            let before = store.reads;
            let mut table = Table::new(&mut store, 1024, 10);
            table.remember(&mut seen);
            assert_eq!(table.update(1, keep(entry(3, 20, 10))), Some(Some(entry(3, 20, 10))));
            assert_eq!(table.events.conflict, 0);
            assert_eq!(store.reads - before, u32::from(other.is_some()));
        }
        assert_eq!(Table::new(&mut store, 1024, 10).get(129), Some(entry(5, 30, 10)));
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
