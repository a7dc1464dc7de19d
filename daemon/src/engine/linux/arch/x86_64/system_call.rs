//! Calls of the system that a program's thread is made to make.

use super::super::Mode;

/// Which call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SystemCall {
    /// mmap(2), of memory that is no file's.
    Map,
    /// munmap(2).
    Unmap,
}

impl SystemCall {
    /// The instruction that makes it: SYSCALL, or INT 0x80.
    pub(crate) const fn instruction(mode: Mode) -> [u8; 2] {
        match mode {
            Mode::Bits32 => [0xcd, 0x80],
            Mode::Bits64 => [0x0f, 0x05],
        }
    }

    /// Its number (`asm/unistd_32.h`, where the first is `mmap2`, which takes its arguments in registers; and
    /// `asm/unistd_64.h`).
    pub(crate) const fn number(self, mode: Mode) -> u64 {
        match (self, mode) {
            (Self::Map, Mode::Bits32) => 192,
            (Self::Unmap, Mode::Bits32) => 91,
            (Self::Map, Mode::Bits64) => 9,
            (Self::Unmap, Mode::Bits64) => 11,
        }
    }
}
