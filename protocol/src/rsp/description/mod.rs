//! Target descriptions: which registers there are (GDB manual, appendix "Target Descriptions").
//!
//! A [`Description`] is data: the registers in the order of their numbers, which is also their order in a `g` packet, in
//! the features that GDB knows by name. One file per processor family builds them, and [`to_xml`](Description::to_xml)
//! writes any of them down.

mod lldb;
mod types;
mod x86;
mod xml;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

pub use lldb::Facts as LldbFacts;
use types::Type;
pub use x86::X86Features;

/// Whose names and numbers registers have.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Dialect {
    /// GDB's.
    #[default]
    Gdb,
    /// LLDB's.
    Lldb,
}

/// All registers of one kind of target, as a client is told of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Description {
    /// The processor, as BFD calls it, `i386:x86-64`, or LLVM, `x86_64`.
    pub architecture: &'static str,
    /// The system, as GDB calls it: `GNU/Linux`. LLDB is not told.
    pub osabi: &'static str,
    /// The registers; each stands at the index that is its number.
    pub registers: Vec<Register>,
    features: Vec<Feature>,
    packet_len: usize,
}

/// One register.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Register {
    /// What the client's user calls it.
    pub name: String,
    /// Its width in bits, a multiple of 8 and at most [`Register::MAX_BYTES`] bytes.
    pub bits: u16,
    /// The id of its type: one of GDB's own, or one that its feature defines. LLDB knows none.
    pub type_id: &'static str,
    /// Its number in `p` and `P` packets and in stop replies.
    pub number: u32,
    /// Where its bytes start in a `g` packet's data.
    pub offset: usize,
    /// The group that it belongs to, where its type doesn't tell.
    pub group: Option<Group>,
    /// What LLDB is told of it, where the description is for LLDB.
    pub lldb: Option<LldbFacts>,
}

/// Groups of registers that `info registers` and GDB's own saving go by.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Group {
    /// The floating-point unit's.
    Float,
    /// The vector unit's.
    Vector,
}

/// A named set of registers, with the types that it defines for them. Types are not shared between features.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Feature {
    name: &'static str,
    types: Vec<Type>,
    /// Where they stand in [`Description::registers`].
    registers: Range<usize>,
}

/// What registers of one kind have in common.
#[derive(Clone, Copy, Debug)]
struct Shape {
    bits: u16,
    type_id: &'static str,
    group: Option<Group>,
}

impl Register {
    /// The widest register there is, in bytes.
    pub const MAX_BYTES: usize = 32;

    /// Its width in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        usize::from(self.bits / 8)
    }
}

impl Description {
    /// How many bytes of data a `g` packet holds.
    #[must_use]
    pub fn packet_len(&self) -> usize {
        self.packet_len
    }

    /// The register of that number.
    #[must_use]
    pub fn register(&self, number: u32) -> Option<&Register> {
        self.registers.get(usize::try_from(number).ok()?)
    }

    /// The document for `qXfer:features:read:target.xml`, complete in itself.
    #[must_use]
    pub fn to_xml(&self) -> String {
        xml::write(self)
    }

    fn new(architecture: &'static str, osabi: &'static str) -> Self {
        Self { architecture, osabi, registers: Vec::new(), features: Vec::new(), packet_len: 0 }
    }

    /// Adds a feature, whose registers come after those that are there.
    fn feature(&mut self, name: &'static str, types: Vec<Type>, registers: impl IntoIterator<Item = (Shape, String)>) {
        let first = self.registers.len();
        for (Shape { bits, type_id, group }, name) in registers {
            let (number, offset) = (self.registers.len() as u32, self.packet_len);
            self.packet_len = offset + usize::from(bits / 8);
            self.registers.push(Register { name, bits, type_id, number, offset, group, lldb: None });
        }
        self.features.push(Feature { name, types, registers: first..self.registers.len() });
    }
}

impl Shape {
    const fn new(bits: u16, type_id: &'static str) -> Self {
        Self { bits, type_id, group: None }
    }

    const fn within(bits: u16, type_id: &'static str, group: Group) -> Self {
        Self { bits, type_id, group: Some(group) }
    }
}

/// Registers with names of their own.
fn named<'a>(shape: Shape, names: &'a [&str]) -> impl Iterator<Item = (Shape, String)> + 'a {
    names.iter().map(move |&name| (shape, String::from(name)))
}

/// Registers told apart by a number between `prefix` and `suffix`.
fn numbered(
    shape: Shape,
    prefix: &'static str,
    numbers: Range<u32>,
    suffix: &'static str,
) -> impl Iterator<Item = (Shape, String)> {
    numbers.map(move |number| (shape, format!("{prefix}{number}{suffix}")))
}

#[cfg(test)]
mod tests;
