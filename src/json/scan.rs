//! Finds where a JSON string, or the plain part of one, ends: the loops that most bytes of a prompt go
//! through. SIMD that is safe and the same natively and in WebAssembly.

use wide::u8x16;

const LANES: usize = 16;
/// Bytes of a step over long strings: as many as a mask has bits.
const BLOCK: usize = 64;

/// Offset, from `at` on, of the next quote, backslash or control byte; `window.len()` if none.
#[inline]
pub(super) fn string_stop(window: &[u8], at: usize) -> usize {
    let Some(rest) = window.get(at..) else {
        return window.len();
    };
    let (chunks, tail) = rest.as_chunks::<LANES>();
    let mut stop = at;
    for chunk in chunks {
        let (ends, backslashes) = stops(*chunk);
        let mask = ends | backslashes;
        if mask != 0 {
            return stop + mask.trailing_zeros() as usize;
        }
        stop += LANES;
    }
    // Spaces stop nothing, so they fill the last step.
    let mut last = [b' '; LANES];
    for (to, from) in last.iter_mut().zip(tail) {
        *to = *from;
    }
    let (ends, backslashes) = stops(last);
    match ends | backslashes {
        0 => window.len(),
        mask => stop + mask.trailing_zeros() as usize,
    }
}

/// Offset, from `at` on, of the quote that ends the string, or of the first byte that is not passed
/// over with it: a control byte, or the backslash of an escape that is wrong or cut by the window's
/// end; `window.len()` if none. Other escapes are passed over. `at` does not lie inside an escape.
#[inline]
pub(super) fn string_end(window: &[u8], at: usize) -> usize {
    let Some(rest) = window.get(at..) else {
        return window.len();
    };
    // Names and most values end within one step, before any escape.
    if let Some(chunk) = rest.first_chunk() {
        let (ends, backslashes) = stops(*chunk);
        if ends != 0 && ends.trailing_zeros() < backslashes.trailing_zeros() {
            return at + ends.trailing_zeros() as usize;
        }
    }
    long_string_end(window, at, rest)
}

fn long_string_end(window: &[u8], at: usize, rest: &[u8]) -> usize {
    let (blocks, tail) = rest.as_chunks::<BLOCK>();
    let mut from = at;
    let mut carry = 0;
    for block in blocks {
        if let Some(stop) = block_stop(block, &mut carry, window, from) {
            return stop;
        }
        from += BLOCK;
    }
    // A space behind a backslash is no escape, so one that the window cuts is stopped at.
    let mut last = [b' '; BLOCK];
    for (to, from) in last.iter_mut().zip(tail) {
        *to = *from;
    }
    block_stop(&last, &mut carry, window, from).unwrap_or(window.len())
}

/// Where a string stops in a block that begins at `from`, if it does. `carry` is 1 where the first
/// byte is escaped by the block before, and then the same for the block behind.
#[inline(always)]
fn block_stop(block: &[u8; BLOCK], carry: &mut u64, window: &[u8], from: usize) -> Option<usize> {
    let (mut ends, mut backslashes) = (0, 0);
    for (lane, chunk) in block.as_chunks::<LANES>().0.iter().enumerate() {
        let (some_ends, some_backslashes) = stops(*chunk);
        ends |= u64::from(some_ends) << (lane * LANES);
        backslashes |= u64::from(some_backslashes) << (lane * LANES);
    }
    let escaped = escaped(backslashes, carry);
    let end = (ends & !escaped).trailing_zeros();
    if escaped != 0 {
        // Most escapes are one of these four; the others are looked at one by one.
        let mut inside = escaped
            & !common_letters(block)
            & 1u64.checked_shl(end).map_or(u64::MAX, |bit| bit - 1);
        while inside != 0 {
            let place = inside.trailing_zeros() as usize;
            let letter = block.get(place).copied().unwrap_or_default();
            if !is_letter(letter) && !is_unicode(window.get(from + place..).unwrap_or_default()) {
                return Some(from + place - 1);
            }
            inside &= inside - 1;
        }
    }
    (end < u64::BITS).then(|| from + end as usize)
}

/// Bit n: byte n makes, behind a backslash, one of the escapes that texts are full of.
#[inline(always)]
fn common_letters(block: &[u8; BLOCK]) -> u64 {
    let mut letters = 0;
    for (lane, chunk) in block.as_chunks::<LANES>().0.iter().enumerate() {
        let lanes = u8x16::new(*chunk);
        let is = |letter| lanes.simd_eq(u8x16::splat(letter));
        let some = is(b'n') | is(b'"') | is(b't') | is(b'\\');
        letters |= u64::from(some.to_bitmask()) << (lane * LANES);
    }
    letters
}

/// The bytes that stand behind a backslash which is not escaped itself: every second one of a row of
/// backslashes, found with one subtraction instead of a walk, as simdjson does it.
#[inline]
fn escaped(backslashes: u64, carry: &mut u64) -> u64 {
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    if backslashes == 0 {
        return core::mem::take(carry);
    }
    let begins = backslashes & !*carry;
    // Borrows run through rows of backslashes; where they end says whether a row is odd.
    let rows = ((begins << 1) | ODD).wrapping_sub(begins) ^ ODD;
    let escaped = rows ^ (backslashes | *carry);
    *carry = (rows & backslashes) >> 63;
    escaped
}

/// Whether this makes an escape of one letter.
#[inline(always)]
fn is_letter(byte: u8) -> bool {
    /// Bit n: the letter n above the quote, the lowest of them.
    const LETTERS: u128 = {
        let (mut bits, mut letters) = (0, b"\"\\/bfnrt".as_slice());
        while let Some((letter, rest)) = letters.split_first() {
            bits |= 1u128 << (*letter - b'"');
            letters = rest;
        }
        bits
    };
    let above = byte.wrapping_sub(b'"');
    let half = if above < 64 { LETTERS as u64 } else { (LETTERS >> 64) as u64 };
    above < 128 && half >> (above % 64) & 1 == 1
}

/// Whether what stands behind a backslash is the rest of a `\u` escape, and all of it is here.
#[inline]
fn is_unicode(behind: &[u8]) -> bool {
    let Some((b'u', digits)) = behind.split_first() else { return false };
    digits.first_chunk::<4>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Bit n: byte n is a quote or a control byte; byte n is a backslash.
#[inline]
fn stops(bytes: [u8; LANES]) -> (u32, u32) {
    let lanes = u8x16::new(bytes);
    let quote = lanes.simd_eq(u8x16::splat(b'"'));
    let backslash = lanes.simd_eq(u8x16::splat(b'\\'));
    let last_control = u8x16::splat(0x1F);
    let control = lanes.min(last_control).simd_eq(lanes);
    ((quote | control).to_bitmask(), backslash.to_bitmask())
}

#[cfg(test)]
mod tests {
    use super::{string_end, string_stop};

    #[test]
    fn every_stop_at_every_place_is_found() {
        for length in 0..70 {
            for place in 0..=length {
                for stop in [b'"', b'\\', 0, 0x1F, b'\n'] {
                    let mut text = vec![0x80; length];
                    if let Some(byte) = text.get_mut(place) {
                        *byte = stop;
                    }
                    for from in 0..=place {
                        assert_eq!(string_stop(&text, from), place, "{length} {place} {from}");
                    }
                }
            }
        }
    }

    #[test]
    fn bytes_that_end_nothing_are_passed_over() {
        let plain: Vec<u8> = (0x20..=0xFF).filter(|byte| !b"\"\\".contains(byte)).collect();
        assert_eq!(string_stop(&plain, 0), plain.len());
    }

    /// The same, byte by byte.
    fn plain_string_end(text: &[u8], mut at: usize) -> usize {
        while let Some(byte) = text.get(at) {
            at += match (byte, text.get(at + 1)) {
                (b'"' | 0..=0x1F, _) => return at,
                (b'\\', Some(b'u')) => match text.get(at + 2..at + 6) {
                    Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => 6,
                    _ => return at,
                },
                (b'\\', Some(letter)) if b"\"\\/bfnrt".contains(letter) => 2,
                (b'\\', _) => return at,
                _ => 1,
            };
        }
        at
    }

    #[test]
    fn escapes_are_passed_over_as_byte_by_byte() {
        let pieces: [&[u8]; 9] = [
            b"plain text of some length ",
            b"\\n",
            b"\\\\",
            b"\\\"",
            b"\\u00e9",
            b"x",
            b"\\u12",
            b"\\x",
            b"\"",
        ];
        // Whatever stops a string comes seldom, so that many are long.
        let mut state = 1u64;
        for _ in 0..20_000 {
            let mut text = Vec::new();
            for _ in 0..30 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let pick = (state >> 33) as usize;
                let piece = if pick.is_multiple_of(20) { pick / 20 % 9 } else { pick / 20 % 6 };
                text.extend_from_slice(pieces[piece]);
            }
            text.truncate((state >> 40) as usize % (text.len() + 1));
            assert_eq!(
                string_end(&text, 0),
                plain_string_end(&text, 0),
                "{}",
                String::from_utf8_lossy(&text)
            );
        }
    }

    #[test]
    fn rows_of_backslashes_are_counted_across_blocks() {
        for before in 0..130 {
            for row in 0..140 {
                for last in [&b"\""[..], b"n\"", b"q\"", b""] {
                    let text = [&vec![b'a'; before][..], &vec![b'\\'; row], last].concat();
                    assert_eq!(
                        string_end(&text, 0),
                        plain_string_end(&text, 0),
                        "{before} {row} {last:?}"
                    );
                }
            }
        }
    }
}
