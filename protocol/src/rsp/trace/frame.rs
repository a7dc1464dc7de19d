//! Which frame the client wants to look at.

use alloc::vec::Vec;

use super::super::field;

/// Selects a frame. All but the first two look from the one behind the selected one on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Find {
    /// None: back to the program as it is.
    None,
    /// The one of this number.
    Number(u32),
    /// With a program counter outside of `start..=end`.
    Outside {
        /// First address.
        start: u64,
        /// Last address.
        end: u64,
    },
    /// With this program counter.
    ProgramCounter(u64),
    /// With a program counter in `start..=end`.
    Range {
        /// First address.
        start: u64,
        /// Last address.
        end: u64,
    },
    /// Of this tracepoint.
    Tracepoint(u32),
}

const OUTSIDE: &[u8] = b"outside:";
const PROGRAM_COUNTER: &[u8] = b"pc:";
const RANGE: &[u8] = b"range:";
const TRACEPOINT: &[u8] = b"tdp:";

/// What stands for no frame: -1.
const NONE: u64 = 0xffff_ffff;

impl Find {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        if let Some(rest) = text.strip_prefix(OUTSIDE) {
            let (start, end) = field::pair(rest, b':')?;
            Some(Self::Outside { start, end })
        } else if let Some(rest) = text.strip_prefix(PROGRAM_COUNTER) {
            field::whole(rest).map(Self::ProgramCounter)
        } else if let Some(rest) = text.strip_prefix(RANGE) {
            let (start, end) = field::pair(rest, b':')?;
            Some(Self::Range { start, end })
        } else if let Some(rest) = text.strip_prefix(TRACEPOINT) {
            field::whole_as(rest).map(Self::Tracepoint)
        } else {
            match field::whole(text)? {
                NONE => Some(Self::None),
                number => u32::try_from(number).ok().map(Self::Number),
            }
        }
    }

    pub(super) fn emit(self, out: &mut Vec<u8>) {
        let mut put = |name: &[u8], numbers: &[u64]| {
            out.extend_from_slice(name);
            for (index, number) in numbers.iter().enumerate() {
                out.extend((index > 0).then_some(b':'));
                field::put_number(out, *number);
            }
        };
        match self {
            Self::None => put(b"", &[NONE]),
            Self::Number(number) => put(b"", &[number.into()]),
            Self::Outside { start, end } => put(OUTSIDE, &[start, end]),
            Self::ProgramCounter(pc) => put(PROGRAM_COUNTER, &[pc]),
            Self::Range { start, end } => put(RANGE, &[start, end]),
            Self::Tracepoint(number) => put(TRACEPOINT, &[number.into()]),
        }
    }
}
