//! What differs between processors: registers, breakpoint instructions and debug registers.
//!
//! The engine uses the names below and nothing deeper. A processor family is a module that provides all of them.

use std::ops::BitOrAssign;

use thiserror::Error;

#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{
    Architecture, BREAKPOINT, BREAKPOINT_CODE, GeneralRegisters, PC_AFTER_BREAKPOINT, SystemCall, TRIPLE,
    debug_registers::{self, DebugRegisters},
    emulate,
};

/// What kind of program runs in a process. It changes only with exec.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Mode {
    /// The instruction set's 32-bit form.
    Bits32,
    /// The instruction set's 64-bit form.
    Bits64,
}

/// Which register sets a write has changed, and so have to be given back to the kernel before the thread runs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Touched {
    /// The general registers (`PTRACE_SETREGS`).
    pub(crate) general: bool,
    /// Everything else (`PTRACE_SETREGSET`).
    pub(crate) extended: bool,
}

/// Why a register was not written. Nothing has changed then.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum WriteError {
    #[error("there is no register {0}")]
    Unknown(u32),
    #[error("{expected} bytes were expected, not {given}")]
    Length { expected: usize, given: usize },
    #[error("the register is not among those that were read")]
    Unread,
    #[error("the register cannot have this value: {0}")]
    Refused(&'static str),
}

impl Touched {
    /// Nothing changed.
    pub(crate) const NOTHING: Self = Self { general: false, extended: false };
    const GENERAL: Self = Self { general: true, extended: false };
    const EXTENDED: Self = Self { general: false, extended: true };
}

impl BitOrAssign for Touched {
    fn bitor_assign(&mut self, other: Self) {
        self.general |= other.general;
        self.extended |= other.extended;
    }
}
