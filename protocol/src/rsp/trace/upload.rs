//! What a client that comes later is told of tracepoints and variables.

use alloc::vec::Vec;

use super::super::field;
use super::super::packet::hex;
use super::{Definition, Place, Source};

/// A trace state variable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Variable<'a> {
    /// Its number.
    pub number: u32,
    /// Its value when tracing starts, as a two's complement.
    pub value: u64,
    /// Whether the server itself gives it its value.
    pub builtin: bool,
    /// Its name, without `$`.
    pub name: &'a [u8],
}

impl Variable<'_> {
    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        field::put_number(out, self.number.into());
        out.push(b':');
        field::put_number(out, self.value);
        out.push(b':');
        field::put_switch(out, self.builtin);
        super::put_text(out, b":", self.name);
    }
}

/// `N:VALUE:BUILTIN:NAME`.
pub(super) fn variable(text: &mut [u8]) -> Option<Variable<'_>> {
    let (number, rest) = field::split_at_mut(text, b':')?;
    let (value, rest) = field::split_at_mut(rest, b':')?;
    let (builtin, name) = field::split_at_mut(rest, b':')?;
    let (number, value) = (field::whole_as(number)?, field::whole(value)?);
    Some(Variable { number, value, builtin: field::switch(builtin)?, name: hex::decode_in_place(name)? })
}

/// One answer to `qTfP`, `qTsP`, `qTfV` or `qTsV`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Piece<'a> {
    /// `A`, `S`: one of a tracepoint's actions, as [`super::Action::emit`] writes it.
    Action {
        /// Whose.
        place: Place,
        /// It is for the steps.
        stepping: bool,
        /// The action.
        text: &'a [u8],
    },
    /// `Z`: what the user typed.
    Source(Source<'a>),
    /// `T`: a tracepoint.
    Tracepoint(Definition<'a>),
    /// A trace state variable.
    Variable(Variable<'a>),
}

impl Piece<'_> {
    pub(in crate::rsp) fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Self::Action { place, stepping, text } => {
                out.push(if *stepping { b'S' } else { b'A' });
                place.emit(out);
                out.push(b':');
                out.extend_from_slice(text);
            }
            Self::Source(source) => {
                out.push(b'Z');
                source.emit(out);
            }
            Self::Tracepoint(definition) => {
                out.push(b'T');
                definition.emit(out);
            }
            Self::Variable(variable) => variable.emit(out),
        }
    }
}
