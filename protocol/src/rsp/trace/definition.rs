//! What a tracepoint is: where, on which condition, what to collect.

use alloc::vec::Vec;
use core::iter;

use super::super::breakpoint::header;
use super::super::field;
use super::super::packet::hex;

/// A tracepoint at one of its places. One that stands for several is sent once for each.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// The tracepoint's number.
    pub number: u32,
    /// The address.
    pub address: u64,
}

impl Place {
    /// `N:ADDR` and what follows.
    pub(super) fn parse(text: &[u8]) -> Option<(Self, &[u8])> {
        let (number, rest) = field::number(text)?;
        let (address, rest) = field::number(rest.strip_prefix(b":")?)?;
        Some((Self { number: u32::try_from(number).ok()?, address }, rest))
    }

    /// `N:ADDR` and nothing else.
    pub(super) fn whole(text: &[u8]) -> Option<Self> {
        Self::parse(text).and_then(|(place, rest)| rest.is_empty().then_some(place))
    }

    pub(super) fn emit(self, out: &mut Vec<u8>) {
        field::put_number(out, self.number.into());
        out.push(b':');
        field::put_number(out, self.address);
    }
}

/// How a tracepoint gets control.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// By a breakpoint instruction.
    Trap,
    /// `F`: by a jump over an instruction of so many bytes.
    Fast(u64),
    /// `S`: by a marker that the program was built with.
    Static,
}

/// A tracepoint without its actions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Definition<'a> {
    /// Which, and where.
    pub place: Place,
    /// Whether it collects.
    pub enabled: bool,
    /// Instructions for which it goes on collecting, one by one.
    pub steps: u64,
    /// Hits after which tracing stops; 0: never.
    pub passes: u64,
    /// How it gets control.
    pub kind: Kind,
    /// The bytecode of the condition; empty: none.
    pub condition: &'a [u8],
    /// Actions are to follow.
    pub more: bool,
}

impl<'a> Definition<'a> {
    /// `N:ADDR:ENA:STEP:PASS[:Fn][:S][:XLEN,BYTES]`.
    pub(super) fn parse(text: &'a mut [u8], more: bool) -> Option<Self> {
        let (place, rest) = Place::parse(text)?;
        let (enabled, rest) = match rest {
            [b':', b'E', rest @ ..] => (true, rest),
            [b':', b'D', rest @ ..] => (false, rest),
            _ => return None,
        };
        let (steps, rest) = field::number(rest.strip_prefix(b":")?)?;
        let (passes, mut rest) = field::number(rest.strip_prefix(b":")?)?;
        let mut kind = Kind::Trap;
        if let Some(fast) = rest.strip_prefix(b":F") {
            let (length, after) = field::number(fast)?;
            (kind, rest) = (Kind::Fast(length), after);
        } else if let Some(after) = rest.strip_prefix(b":S") {
            (kind, rest) = (Kind::Static, after);
        }
        let mut condition = &mut [][..];
        if !rest.is_empty() {
            let (length, digits) = header(rest.strip_prefix(b":")?)?;
            let (count, start) = (digits.len(), text.len() - digits.len());
            if Some(count) != length.checked_mul(2) {
                return None;
            }
            condition = hex::decode_in_place(&mut text[start..])?;
        }
        Some(Self { place, enabled, steps, passes, kind, condition, more })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        self.place.emit(out);
        out.extend_from_slice(if self.enabled { b":E:" } else { b":D:" });
        field::put_number(out, self.steps);
        out.push(b':');
        field::put_number(out, self.passes);
        match self.kind {
            Kind::Trap => {}
            Kind::Fast(length) => {
                out.extend_from_slice(b":F");
                field::put_number(out, length);
            }
            Kind::Static => out.extend_from_slice(b":S"),
        }
        if !self.condition.is_empty() {
            out.push(b':');
            put_expression(out, self.condition);
        }
    }
}

/// What an address is counted from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Base {
    /// Nothing: it is one.
    Absolute,
    /// The content of the register that the target description numbers so.
    Register(u16),
}

/// What is to be collected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action<'a> {
    /// `R`: registers. The mask says which, by the client's own numbers, and is passed over: all of them.
    Registers(&'a [u8]),
    /// `M`: memory.
    Memory {
        /// What the offset counts from.
        base: Base,
        /// The first byte's address, or how far it is from there.
        offset: u64,
        /// Bytes.
        length: u64,
    },
    /// `X`: what this bytecode collects.
    Expression(&'a [u8]),
}

impl Action<'_> {
    /// Appends it as it stands in packets.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Self::Registers(mask) => {
                out.push(b'R');
                out.extend_from_slice(mask);
            }
            Self::Memory { base, offset, length } => {
                out.push(b'M');
                match base {
                    Base::Absolute => out.extend_from_slice(b"-1"),
                    Base::Register(number) => field::put_number(out, (*number).into()),
                }
                for number in [offset, length] {
                    out.push(b',');
                    field::put_number(out, *number);
                }
            }
            Self::Expression(bytes) => put_expression(out, bytes),
        }
    }
}

fn put_expression(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'X');
    field::put_number(out, bytes.len() as u64);
    out.push(b',');
    hex::encode(out, bytes);
}

/// Actions one after the other, checked but not compiled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Actions<'a> {
    // As in packets, but for the expressions, which have been decoded at the beginning of where their digits were.
    decoded: &'a [u8],
}

impl PartialEq for Actions<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Actions<'_> {}

impl<'a> Actions<'a> {
    pub(super) fn parse(text: &'a mut [u8]) -> Option<Self> {
        let mut at = 0;
        while at < text.len() {
            let (action, rest) = one(&text[at..])?;
            let end = text.len() - rest.len();
            if let Action::Expression(digits) = action {
                let start = end - 2 * digits.len();
                hex::decode_in_place(&mut text[start..end])?;
            }
            at = end;
        }
        Some(Self { decoded: text })
    }

    /// Each action.
    pub fn iter(&self) -> impl Iterator<Item = Action<'a>> + use<'a> {
        let mut rest = self.decoded;
        iter::from_fn(move || {
            let (action, after) = one(rest)?;
            rest = after;
            Some(action)
        })
    }
}

/// The first action and what follows it. Of an expression the first half of where its digits are.
fn one(text: &[u8]) -> Option<(Action<'_>, &[u8])> {
    match text {
        [b'R', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| field::digit(**byte).is_some()).count();
            (digits > 0).then(|| (Action::Registers(&rest[..digits]), &rest[digits..]))
        }
        [b'M', rest @ ..] => memory(rest),
        [b'X', ..] => {
            let (length, digits) = header(text)?;
            let rest = digits.get(length.checked_mul(2)?..)?;
            Some((Action::Expression(&digits[..length]), rest))
        }
        _ => None,
    }
}

/// `BASE,OFFSET,LENGTH`, where the base is -1, in whatever width, for none.
fn memory(text: &[u8]) -> Option<(Action<'_>, &[u8])> {
    let (base, rest) = if let Some(rest) = text.strip_prefix(b"-1") {
        (Base::Absolute, rest)
    } else {
        match field::number(text)? {
            (0xffff_ffff | u64::MAX, rest) => (Base::Absolute, rest),
            (number, rest) => (Base::Register(u16::try_from(number).ok()?), rest),
        }
    };
    let (offset, rest) = field::number(rest.strip_prefix(b",")?)?;
    let (length, rest) = field::number(rest.strip_prefix(b",")?)?;
    Some((Action::Memory { base, offset, length }, rest))
}

/// A part of what the user typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Source<'a> {
    /// Whose.
    pub place: Place,
    /// `at`, `cond` or `cmd`: the location, the condition, one of the actions.
    pub kind: &'a [u8],
    /// Where the part begins in the whole.
    pub start: u64,
    /// Length of the whole.
    pub length: u64,
    /// The part.
    pub text: &'a [u8],
}

impl Source<'_> {
    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        self.place.emit(out);
        out.push(b':');
        out.extend_from_slice(self.kind);
        for number in [self.start, self.length] {
            out.push(b':');
            field::put_number(out, number);
        }
        super::put_text(out, b":", self.text);
    }
}

/// `N:ADDR:TYPE:START:LENGTH:BYTES`.
pub(super) fn source(text: &mut [u8]) -> Option<Source<'_>> {
    let (place, rest) = Place::parse(text)?;
    let start = text.len() - rest.strip_prefix(b":")?.len();
    let (kind, rest) = field::split_at_mut(&mut text[start..], b':')?;
    let (start, rest) = field::split_at_mut(rest, b':')?;
    let (length, text) = field::split_at_mut(rest, b':')?;
    let text = hex::decode_in_place(text)?;
    Some(Source { place, kind, start: field::whole(start)?, length: field::whole(length)?, text })
}
