//! Run lengths: `0* ` is `0000`. The character after `*` says how often the one before it is repeated, plus 29.

use alloc::vec::Vec;

use super::hex;

/// What is added to a number of repetitions to make it printable.
const OFFSET: u8 = 29;

/// Fewest repetitions that can be written.
const SHORTEST: usize = 3;

/// Most repetitions that one character can stand for; more would leave printable ASCII.
const LONGEST: usize = (b'~' - OFFSET) as usize;

/// Appends `bytes` in hex, runs of zero bytes shortened.
///
/// Register packets are mostly zeros, and zeros are the only runs worth looking for in them.
pub fn encode_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let plain = start_of_zeros(rest).unwrap_or(rest.len());
        hex::encode(out, &rest[..plain]);
        rest = &rest[plain..];
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        put_run(out, b'0', 2 * zeros);
        rest = &rest[zeros..];
    }
}

/// Where the first run of zero bytes begins that is worth shortening.
fn start_of_zeros(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| pair == [0; 2])
}

/// Appends `character` `count` times.
fn put_run(out: &mut Vec<u8>, character: u8, mut count: usize) {
    while count > 0 {
        out.push(character);
        count -= 1;
        let mut repeats = count.min(LONGEST);
        while repeats >= SHORTEST && is_forbidden(repeats as u8 + OFFSET) {
            repeats -= 1;
        }
        if repeats >= SHORTEST {
            out.extend_from_slice(&[b'*', repeats as u8 + OFFSET]);
            count -= repeats;
        }
    }
}

/// Whether a reader could take the count for framing, an acknowledgement or an escape.
const fn is_forbidden(count: u8) -> bool {
    matches!(count, b'#' | b'$' | b'+' | b'-' | b'*' | b'}')
}

/// Appends `text` with its run lengths written out. `false` if a run has nothing to repeat or no valid count, or if
/// more than `limit` bytes would be appended.
pub fn expand(out: &mut Vec<u8>, text: &[u8], limit: usize) -> bool {
    let start = out.len();
    let mut characters = text.iter();
    while let Some(character) = characters.next() {
        if *character == b'*' {
            let Some(repeats) = characters.next().and_then(|count| count.checked_sub(OFFSET)) else { return false };
            let Some(repeated) = out[start..].last().copied() else { return false };
            if usize::from(repeats) < SHORTEST || out.len() - start + usize::from(repeats) > limit {
                return false;
            }
            out.resize(out.len() + usize::from(repeats), repeated);
        } else {
            if out.len() - start == limit {
                return false;
            }
            out.push(*character);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes with runs of zeros of every length.
    fn registers() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![prop::collection::vec(any::<u8>(), 1..5), (1usize..130).prop_map(|n| std::vec![0; n])];
        prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn registers_come_back_from_their_run_lengths(bytes in registers()) {
            let (mut plain, mut short, mut long) = (Vec::new(), Vec::new(), Vec::new());
            hex::encode(&mut plain, &bytes);
            encode_hex(&mut short, &bytes);
            prop_assert!(short.len() <= plain.len());
            prop_assert!(expand(&mut long, &short, plain.len()));
            prop_assert_eq!(long, plain);
        }

        #[test]
        fn no_count_can_be_taken_for_framing(zeros in 0usize..3000) {
            let mut text = Vec::new();
            encode_hex(&mut text, &std::vec![0; zeros]);
            let mistaken = text.iter().any(|byte| b"#$+-}".contains(byte));
            prop_assert!(!mistaken);
        }
    }

    #[test]
    fn a_run_needs_a_character_a_count_and_room() {
        let mut out = Vec::new();
        assert!(!expand(&mut out, b"* ", 100));
        assert!(!expand(&mut out, b"0*", 100));
        assert!(!expand(&mut out, b"0*\x1d", 100));
        assert!(!expand(&mut out, b"0*~", 97));
        assert!(!expand(&mut out, b"000", 2));
    }
}
