//! GDB agent expressions (GDB manual, appendix "The GDB Agent Expression Mechanism").
//!
//! A debugger sends them with a breakpoint, as its condition or as what to do when it is hit (`dprintf`), so that a hit
//! that interests nobody costs no round trip. [`Program::parse`] checks one wholly and compiles it, once, when the
//! breakpoint is set; [`Program::evaluate`] then runs without allocating and ends within a bound, whatever was sent.
//!
//! Integers only: floating point is refused by `parse`, as GDB never generates it. What the tracepoints' opcodes collect goes to
//! the [`Target`]; reached for a breakpoint, they are a [`Fault`].
//!
//! [`format::render`] is what a [`Target`] that supports `printf` does with the format.

mod compile;
mod evaluate;
pub mod format;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod opcode;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;

use thiserror::Error;

use self::opcode::Op;

/// Longest program accepted, in bytes. GDB's own conditions are below 200; a `dprintf` adds its format.
pub const MAX_LENGTH: usize = 4096;

/// Values that a program may have on its stack at once. GDB's expressions need about ten.
pub const MAX_STACK: usize = 64;

/// Steps that a condition or command may take before it is stopped; a loop is the only way to need more than
/// [`MAX_LENGTH`].
pub const MAX_STEPS: u32 = 100_000;

/// How the target lays out an integer in memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// The stopped thread that a program looks at.
pub trait Target {
    /// How the target lays out integers; little-endian unless overridden.
    fn byte_order(&self) -> ByteOrder {
        ByteOrder::Little
    }

    /// The register that the target description numbers so, zero-extended; `None` if there is none or it is wider.
    fn register(&mut self, number: u16) -> Option<u64>;

    /// Fills `buffer` from `address` on, or returns `false`. Breakpoint instructions must not show.
    fn read_memory(&mut self, address: u64, buffer: &mut [u8]) -> bool;

    /// A trace state variable's value, or `None` if there is none of this number.
    fn variable(&mut self, number: u16) -> Option<u64> {
        let _ = number;
        None
    }

    /// Sets a trace state variable, or returns `None` if there is none of this number that can be set.
    fn set_variable(&mut self, number: u16, value: u64) -> Option<()> {
        let _ = (number, value);
        None
    }

    /// Keeps something for the user to look at later.
    ///
    /// # Errors
    /// [`Fault`], which ends the program: [`Fault::NotTracing`] unless overridden.
    fn collect(&mut self, item: Item) -> Result<(), Fault> {
        let _ = item;
        Err(Fault::NotTracing)
    }

    /// Prints `arguments` as the C format says, whose escapes are still as they were typed (see [`format::render`]).
    /// Returns `false`, which ends the program, if it can't.
    fn printf(&mut self, format: &[u8], arguments: &[u64]) -> bool {
        let _ = (format, arguments);
        false
    }
}

/// What a tracepoint's program collects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Item {
    /// Bytes.
    Memory {
        /// The first.
        address: u64,
        /// How many.
        length: u64,
    },
    /// Bytes up to a NUL, that included.
    String {
        /// The first.
        address: u64,
        /// How many at most.
        limit: u64,
    },
    /// A trace state variable.
    Variable(u16),
}

/// A program that was checked and compiled.
///
/// Every jump leads to an operation, and the stack neither runs empty nor over [`MAX_STACK`] on any path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Program {
    operations: Box<[Op]>,
    /// The formats of its `printf`s, one after the other.
    formats: Box<[u8]>,
}

/// Why a program was refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Invalid {
    /// Over [`MAX_LENGTH`].
    #[error("agent expression of {0} bytes, at most {MAX_LENGTH} are allowed")]
    TooLong(usize),
    /// The last instruction's operand is cut off.
    #[error("agent expression ends within the instruction at {0}")]
    Truncated(u16),
    /// No such opcode.
    #[error("unknown agent opcode {opcode:#04x} at {offset}")]
    UnknownOpcode {
        /// The byte.
        opcode: u8,
        /// Where, in bytes from the beginning.
        offset: u16,
    },
    /// GDB defines it and never generates it.
    #[error("floating point in an agent expression, at {0}, is not supported")]
    FloatingPoint(u16),
    /// An extension from 0 or from more than 64 bits.
    #[error("agent expression extends from {bits} bits at {offset}, 1 to 64 are allowed")]
    Width {
        /// The operand.
        bits: u8,
        /// Where.
        offset: u16,
    },
    /// The format has no NUL at its end, or is empty.
    #[error("unterminated format string in the agent expression, at {0}")]
    Format(u16),
    /// A jump to the middle of an instruction or to outside of the program.
    #[error("agent expression jumps from {offset} to {target}, where no instruction begins")]
    Jump {
        /// Where the jump is.
        offset: u16,
        /// Where it leads.
        target: u16,
    },
    /// An instruction takes more values than there are.
    #[error("agent expression takes from an empty stack at {0}")]
    StackUnderflow(u16),
    /// Over [`MAX_STACK`].
    #[error("agent expression has more than {MAX_STACK} values on its stack at {0}")]
    StackOverflow(u16),
    /// Two paths meet with different numbers of values.
    #[error("agent expression reaches {0} with stacks of different heights")]
    StackHeight(u16),
    /// A path runs over the last instruction.
    #[error("agent expression runs over its end")]
    NoEnd,
}

/// Why a program stopped before its end. A condition that faults counts as true, so that the debugger looks for itself.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The target has no such register.
    #[error("no register {0}")]
    Register(u16),
    /// Unreadable memory.
    #[error("cannot read {length} bytes at {address:#x}")]
    Memory {
        /// First byte's address.
        address: u64,
        /// 1, 2, 4 or 8.
        length: u8,
    },
    /// Division, or remainder, by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// More steps than were allowed.
    #[error("too many steps")]
    Steps,
    /// Something to be collected, outside of a tracepoint.
    #[error("not in a trace context")]
    NotTracing,
    /// There is no such trace state variable, or it can't be set.
    #[error("no trace state variable {0} to read or set")]
    Variable(u16),
    /// What was collected at one place is more than may be kept.
    #[error("too much is collected")]
    TooMuch,
    /// The target doesn't print, or couldn't.
    #[error("printf is not supported")]
    Printf,
}

impl Program {
    /// Checks and compiles.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for the first thing that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        compile::compile(bytes)
    }

    /// Bytes of memory that it takes up: some 16 for each instruction.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.operations) + self.formats.len()
    }

    /// Runs the program for at most `max_steps` instructions. `None` if it leaves nothing on the stack, as commands do.
    ///
    /// # Errors
    ///
    /// [`Fault`]; what was printed before stays printed.
    pub fn evaluate(&self, target: &mut impl Target, max_steps: u32) -> Result<Option<u64>, Fault> {
        evaluate::evaluate(self, target, max_steps)
    }

    /// Whether a breakpoint with this condition is to stop: the value is not zero.
    ///
    /// # Errors
    ///
    /// As [`Self::evaluate`], with [`MAX_STEPS`].
    pub fn holds(&self, target: &mut impl Target) -> Result<bool, Fault> {
        Ok(self.evaluate(target, MAX_STEPS)?.is_some_and(|value| value != 0))
    }
}
