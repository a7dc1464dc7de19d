//! Bytes as pairs of hex digits, both ways at memory speed.
//!
//! The inner loops work on fixed blocks without branches, so that the compiler turns them into vector code on any
//! machine; memory dumps and register packets spend most of their time here.

use alloc::vec::Vec;

use super::super::field::{DIGITS, digit};

/// Bytes encoded or decoded per step: the input or output of one or two vector registers.
const BLOCK: usize = 16;

const fn digit_of(nibble: u8) -> u8 {
    nibble + if nibble < 10 { b'0' } else { b'a' - 10 }
}

/// Appends two lower-case digits for each of `bytes`.
pub fn encode(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(2 * bytes.len());
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for block in blocks {
        let mut digits = [[0; 2]; BLOCK];
        for (pair, byte) in digits.iter_mut().zip(block) {
            *pair = [digit_of(byte >> 4), digit_of(byte & 0xf)];
        }
        out.extend_from_slice(digits.as_flattened());
    }
    for byte in rest {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]]);
    }
}

/// The value of a digit, or 0xff if it is none; without branches, for vector code.
const fn value_of(character: u8) -> u8 {
    let decimal = character.wrapping_sub(b'0');
    let letter = (character | 0x20).wrapping_sub(b'a');
    let is_decimal = ((decimal < 10) as u8).wrapping_neg();
    let is_letter = ((letter < 6) as u8).wrapping_neg();
    (decimal & is_decimal) | (letter.wrapping_add(10) & is_letter) | !(is_decimal | is_letter)
}

/// Decodes `text` in place: the bytes are at its beginning afterwards. `None` if it has an odd length or a character
/// that is no hex digit; `text` is then spoilt.
pub fn decode_in_place(text: &mut [u8]) -> Option<&mut [u8]> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let length = text.len() / 2;
    let blocks = length / BLOCK;
    let mut invalid = 0;
    for block in 0..blocks {
        let mut values = [[0; 2]; BLOCK];
        values.as_flattened_mut().copy_from_slice(&text[block * 2 * BLOCK..][..2 * BLOCK]);
        for value in values.as_flattened_mut() {
            *value = value_of(*value);
            invalid |= *value;
        }
        let bytes = values.map(|[high, low]| high << 4 | low);
        text[block * BLOCK..][..BLOCK].copy_from_slice(&bytes);
    }
    if invalid & 0x80 != 0 {
        return None;
    }
    for index in blocks * BLOCK..length {
        text[index] = digit(text[2 * index])? << 4 | digit(text[2 * index + 1])?;
    }
    Some(&mut text[..length])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_come_back_from_their_digits(bytes: Vec<u8>, upper: bool) {
            let mut text = Vec::new();
            encode(&mut text, &bytes);
            if upper {
                text.make_ascii_uppercase();
            }
            prop_assert_eq!(decode_in_place(&mut text).unwrap(), &bytes[..]);
        }

        #[test]
        fn a_foreign_character_anywhere_is_refused(bytes in prop::collection::vec(any::<u8>(), 1..100), at: prop::sample::Index, wrong: u8) {
            prop_assume!(!wrong.is_ascii_hexdigit());
            let mut text = Vec::new();
            encode(&mut text, &bytes);
            let at = at.index(text.len());
            text[at] = wrong;
            prop_assert_eq!(decode_in_place(&mut text), None);
        }
    }

    #[test]
    fn half_a_byte_is_refused() {
        assert_eq!(decode_in_place(&mut b"123".to_vec()), None);
    }
}
