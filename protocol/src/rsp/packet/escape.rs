//! Binary data within packets: `}` and the byte xor 0x20 for the bytes that mean something to the framing.

use alloc::vec::Vec;

use memchr::memchr;

/// Introduces an escaped byte.
const ESCAPE: u8 = b'}';

/// What an escaped byte is combined with.
const MASK: u8 = 0x20;

/// Bytes looked at together: in most data most blocks have nothing to escape and are copied whole.
const BLOCK: usize = 8;

/// Blocks gathered before they are appended.
const BLOCKS: usize = 32;

/// 1 for a byte that must not stand for itself, 0 for all others; without branches, for vector code.
const fn special(byte: u8) -> u8 {
    (byte == b'$') as u8 | (byte == b'#') as u8 | (byte == b'}') as u8 | (byte == b'*') as u8
}

/// Appends `data` with `$`, `#`, `}` and `*` escaped.
pub fn encode(out: &mut Vec<u8>, data: &[u8]) {
    out.reserve(data.len() + data.len() / 16);
    for gathered in data.chunks(BLOCK * BLOCKS) {
        let mut text = [0; 2 * BLOCK * BLOCKS];
        let mut length = 0;
        let (blocks, rest) = gathered.as_chunks::<BLOCK>();
        for block in blocks {
            if block.iter().fold(0, |found, byte| found | special(*byte)) == 0 {
                text[length..length + BLOCK].copy_from_slice(block);
                length += BLOCK;
            } else {
                length = encode_each(&mut text, length, block);
            }
        }
        length = encode_each(&mut text, length, rest);
        out.extend_from_slice(&text[..length]);
    }
}

/// Escapes `data` into `text` from `length` on, without a branch per byte; the new length.
fn encode_each(text: &mut [u8; 2 * BLOCK * BLOCKS], mut length: usize, data: &[u8]) -> usize {
    for byte in data {
        let special = special(*byte);
        // The length never gets there; the remainder spares a check for each byte.
        text[length % text.len()] = ESCAPE;
        length += usize::from(special);
        text[length % text.len()] = byte ^ (special * MASK);
        length += 1;
    }
    length
}

/// How many bytes at the beginning of `data` take up no more than `room` when they are escaped.
#[must_use]
pub fn fitting(data: &[u8], room: usize) -> usize {
    if data.len() <= room / 2 {
        return data.len();
    }
    let mut taken = 0;
    data.iter()
        .take_while(|byte| {
            taken += 1 + usize::from(special(**byte));
            taken <= room
        })
        .count()
}

/// Takes the escapes out of `text` in place: the data is at its beginning afterwards. `None` if it ends within an
/// escape; `text` is then spoilt.
pub fn decode_in_place(text: &mut [u8]) -> Option<&mut [u8]> {
    let Some(mut length) = memchr(ESCAPE, text) else {
        return Some(text);
    };
    let mut read = length;
    while read < text.len() {
        // `read` is at an escape: one byte, then everything up to the next.
        text[length] = text.get(read + 1)? ^ MASK;
        length += 1;
        read += 2;
        let clean = memchr(ESCAPE, &text[read..]).unwrap_or(text.len() - read);
        text.copy_within(read..read + clean, length);
        length += clean;
        read += clean;
    }
    Some(&mut text[..length])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Data with many bytes that need an escape.
    fn data() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"$#}*\x03\x04\x0a]".to_vec())], 0..1200)
    }

    proptest! {
        #[test]
        fn data_comes_back_from_its_escapes(data in data()) {
            let mut text = Vec::new();
            encode(&mut text, &data);
            prop_assert!(!text.iter().any(|byte| b"$#*".contains(byte)));
            prop_assert_eq!(decode_in_place(&mut text).unwrap(), &data[..]);
        }

        #[test]
        fn as_many_bytes_fit_as_there_is_room_for(data in data(), room in 0usize..2000) {
            let count = fitting(&data, room);
            let mut text = Vec::new();
            encode(&mut text, &data[..count]);
            prop_assert!(text.len() <= room);
            if let Some(next) = data.get(count) {
                prop_assert!(text.len() + 1 + usize::from(special(*next)) > room);
            }
        }
    }

    #[test]
    fn an_escape_without_its_byte_is_refused() {
        assert_eq!(decode_in_place(&mut b"ab}".to_vec()), None);
        assert_eq!(decode_in_place(&mut b"}\x03}".to_vec()), None);
    }

    #[test]
    fn data_that_needs_no_escape_is_left_alone() {
        let mut out = Vec::new();
        encode(&mut out, &[b'a'; 100]);
        assert_eq!(out, [b'a'; 100]);
        assert_eq!(decode_in_place(&mut out).unwrap(), &[b'a'; 100]);
    }
}
