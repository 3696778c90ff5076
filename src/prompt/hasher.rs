//! XXH3 of many small pieces.
//!
//! They are gathered first: each update of XXH3 costs as much as a hundred bytes.

use xxhash_rust::xxh3::Xxh3;

/// The hash of what came so far.
pub(super) struct Hasher {
    state: Xxh3,
    pending: [u8; PENDING_BYTES],
    /// How many bytes are pending.
    length: usize,
}

const PENDING_BYTES: usize = 256;

impl Default for Hasher {
    fn default() -> Self {
        Self { state: Xxh3::new(), pending: [0; PENDING_BYTES], length: 0 }
    }
}

impl Hasher {
    pub(super) fn reset(&mut self) {
        self.state.reset();
        self.length = 0;
    }

    #[inline]
    pub(super) fn update(&mut self, piece: &[u8]) {
        if let Some(room) = self.pending.get_mut(self.length..)
            && put(piece, room)
        {
            self.length += piece.len();
        } else {
            self.flush();
            self.state.update(piece);
        }
    }

    fn flush(&mut self) {
        if self.length > 0 {
            self.state.update(self.pending.get(..self.length).unwrap_or_default());
            self.length = 0;
        }
    }

    pub(super) fn digest(&mut self) -> u128 {
        self.flush();
        self.state.digest128()
    }

    /// Its state, to come back to.
    pub(super) fn state(&mut self) -> Box<Xxh3> {
        self.flush();
        Box::new(self.state.clone())
    }

    /// Forgets what came since that state.
    pub(super) fn restore(&mut self, state: &Xxh3) {
        self.length = 0;
        self.state.clone_from(state);
    }
}

/// Copies a small piece to the front of `room`, if it is one and fits. Copies of a length that is not known are calls out of
/// WebAssembly, so it takes two of a known length that overlap.
#[inline]
fn put(piece: &[u8], room: &mut [u8]) -> bool {
    #[inline(always)]
    fn both<const N: usize>(piece: &[u8], room: &mut [u8]) -> bool {
        let Some(room) = room.get_mut(..piece.len()) else { return false };
        if let (Some(to), Some(from)) = (room.first_chunk_mut::<N>(), piece.first_chunk::<N>()) {
            *to = *from;
        }
        if let (Some(to), Some(from)) = (room.last_chunk_mut::<N>(), piece.last_chunk::<N>()) {
            *to = *from;
        }
        true
    }
    match piece {
        [] => true,
        [byte] => room.first_mut().map(|to| *to = *byte).is_some(),
        _ => match piece.len() {
            2..=3 => both::<2>(piece, room),
            4..=7 => both::<4>(piece, room),
            8..=15 => both::<8>(piece, room),
            16..=32 => both::<16>(piece, room),
            33..=64 => both::<32>(piece, room),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Hasher, PENDING_BYTES};
    use xxhash_rust::xxh3::xxh3_128;

    #[test]
    fn pieces_of_any_length_hash_as_one() {
        let text: Vec<u8> = (0..=u8::MAX).cycle().take(4 * PENDING_BYTES).collect();
        for length in 1..=70 {
            for first in 0..=PENDING_BYTES {
                let mut hasher = Hasher::default();
                let (head, rest) = text.split_at(first);
                head.iter().for_each(|byte| hasher.update(&[*byte]));
                rest.chunks(length).for_each(|piece| hasher.update(piece));
                hasher.update(&[]);
                assert_eq!(
                    hasher.digest(),
                    xxh3_128(&text),
                    "{first} bytes, then {length} at a time"
                );
            }
        }
    }

    #[test]
    fn what_came_since_a_state_is_forgotten() {
        let mut hasher = Hasher::default();
        hasher.update(b"kept");
        let state = hasher.state();
        hasher.update(b"left out");
        hasher.restore(&state);
        hasher.update(b" too");
        assert_eq!(hasher.digest(), xxh3_128(b"kept too"));
        hasher.reset();
        hasher.update(b"anew");
        assert_eq!(hasher.digest(), xxh3_128(b"anew"));
    }
}
