//! The small pieces that packets are made of: hex numbers and separators.

use alloc::format;
use alloc::vec::Vec;

use memchr::memchr;

/// The text before and after the first `separator`.
pub(crate) fn split_at(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr(separator, text)?;
    Some((&text[..at], &text[at + 1..]))
}

/// [`split_at`] for text whose fields are decoded in place.
pub(crate) fn split_at_mut(text: &mut [u8], separator: u8) -> Option<(&mut [u8], &mut [u8])> {
    let at = memchr(separator, text)?;
    let (before, rest) = text.split_at_mut(at);
    Some((before, &mut rest[1..]))
}

/// The value of one hex digit.
pub(crate) const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

/// The number that `text` starts with, and what follows it; `None` without a digit or above 64 bits.
pub(crate) fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    let mut length = 0;
    while let Some(digit) = text.get(length).copied().and_then(digit) {
        if value >> 60 != 0 {
            return None;
        }
        value = value << 4 | u64::from(digit);
        length += 1;
    }
    (length > 0).then(|| (value, &text[length..]))
}

/// `text` as a number of at most 64 bits and nothing else.
pub(crate) fn whole(text: &[u8]) -> Option<u64> {
    number(text).and_then(|(value, rest)| rest.is_empty().then_some(value))
}

/// `text` as a number that fits into `T` and nothing else.
pub(crate) fn whole_as<T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    whole(text).and_then(|value| T::try_from(value).ok())
}

/// `A<separator>B`, both numbers, and nothing else.
pub(crate) fn pair(text: &[u8], separator: u8) -> Option<(u64, u64)> {
    let (first, second) = split_at(text, separator)?;
    Some((whole(first)?, whole(second)?))
}

/// `text` as a decimal number that fits into `T` and nothing else.
pub(crate) fn decimal_as<T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    let digits = |value: u64, &byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    };
    let value = text.iter().try_fold(0, digits).filter(|_| !text.is_empty())?;
    T::try_from(value).ok()
}

/// `0` or `1` and nothing else.
pub(crate) fn switch(text: &[u8]) -> Option<bool> {
    match text {
        b"0" => Some(false),
        b"1" => Some(true),
        _ => None,
    }
}

/// The lower-case digits of hex numbers.
pub(crate) const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends `value` without leading zeros.
pub(crate) fn put_number(out: &mut Vec<u8>, value: u64) {
    let digits = (16 - value.leading_zeros() as usize / 4).max(1);
    let mut text = [0; 16];
    for (position, character) in text[..digits].iter_mut().rev().enumerate() {
        *character = DIGITS[(value >> (4 * position)) as usize & 0xf];
    }
    out.extend_from_slice(&text[..digits]);
}

/// Appends `value` in decimal.
pub(crate) fn put_decimal(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(format!("{value}").as_bytes());
}

/// Appends `value` as two digits.
pub(crate) fn put_byte(out: &mut Vec<u8>, value: u8) {
    out.extend_from_slice(&[DIGITS[usize::from(value >> 4)], DIGITS[usize::from(value & 0xf)]]);
}

/// Appends `0` or `1`.
pub(crate) fn put_switch(out: &mut Vec<u8>, on: bool) {
    out.push(if on { b'1' } else { b'0' });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_reads_back_as_written(value: u64) {
            let mut text = Vec::new();
            put_number(&mut text, value);
            prop_assert_eq!(whole(&text), Some(value));
            prop_assert_eq!(std::format!("{value:x}").into_bytes(), text);
            let mut text = Vec::new();
            put_decimal(&mut text, value);
            prop_assert_eq!(decimal_as(&text), Some(value));
        }
    }

    #[test]
    fn numbers_that_are_none_or_too_long_are_refused() {
        assert_eq!(number(b""), None);
        assert_eq!(number(b"xyz"), None);
        assert_eq!(number(b"10000000000000000"), None);
        assert_eq!(number(b"000000000000000000001,"), Some((1, &b","[..])));
        assert_eq!(whole(b"12,"), None);
        assert_eq!(whole_as::<u8>(b"100"), None);
        assert_eq!(decimal_as::<u64>(b"18446744073709551616"), None);
        assert_eq!(decimal_as::<u8>(b"256"), None);
        assert_eq!((decimal_as::<u64>(b""), decimal_as::<u64>(b"-1"), decimal_as::<u64>(b"a")), (None, None, None));
        assert_eq!(pair(b"a,b", b','), Some((10, 11)));
        assert_eq!(pair(b"a", b','), None);
    }
}
