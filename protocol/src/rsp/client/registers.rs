//! The values of registers, some of which may not be available.

use alloc::vec::Vec;
use core::iter;
use core::ops::Range;

use super::super::packet::hex;
use super::super::server::RegisterPart;

/// What a `g` or `p` was answered with, in target order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registers<'a> {
    values: &'a [u8],
    /// Where in `values` there is nothing (`xx`), in order and apart from each other.
    gaps: Vec<Range<usize>>,
}

impl<'a> Registers<'a> {
    /// Decodes `text` in place; `None` if it is not pairs of hex digits or of `x`.
    pub(super) fn parse(text: &'a mut [u8]) -> Option<Self> {
        let mut gaps: Vec<Range<usize>> = Vec::new();
        if text.contains(&b'x') {
            for (index, pair) in text.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                if *pair != *b"xx" {
                    continue;
                }
                *pair = *b"00";
                match gaps.last_mut() {
                    Some(gap) if gap.end == index => gap.end += 1,
                    _ => gaps.push(index..index + 1),
                }
            }
        }
        Some(Self { values: hex::decode_in_place(text)?, gaps })
    }

    /// The bytes in `range`; `None` if some of them are not available or not there.
    #[must_use]
    pub fn get(&self, range: Range<usize>) -> Option<&'a [u8]> {
        let available = self.gaps.iter().all(|gap| gap.end <= range.start || range.end <= gap.start);
        if available { self.values.get(range) } else { None }
    }

    /// How many bytes there are, available or not.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All bytes, with zeros for those that are not available.
    #[must_use]
    pub const fn values(&self) -> &'a [u8] {
        self.values
    }

    /// Where in [`Registers::values`] there is nothing, in order.
    #[must_use]
    pub fn gaps(&self) -> &[Range<usize>] {
        &self.gaps
    }

    /// The pieces as a server's answer is made of them.
    pub fn parts(&self) -> impl Iterator<Item = RegisterPart<'a>> {
        let ends = self.gaps.iter().map(|gap| gap.end);
        let starts = iter::once(0).chain(ends);
        let gaps = self.gaps.iter().cloned().chain(iter::once(self.values.len()..self.values.len()));
        starts.zip(gaps).flat_map(|(start, gap)| {
            [RegisterPart::Known(&self.values[start..gap.start]), RegisterPart::Unavailable(gap.len())]
        })
    }
}
