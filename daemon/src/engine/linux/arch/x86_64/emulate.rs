//! Carrying out the commonest instructions that breakpoints stand on, so that the thread need not be stepped over them.
//!
//! Functions begin with them: `nop`, `endbr64`, `push`, `mov rbp, rsp`. None of them touches the flags, and only `push`
//! touches memory. A program that has switched its own trap flag on is stepped for real.

use super::GeneralRegisters;

const TRAP_FLAG: u64 = 1 << 8;

/// Carries out the instruction at the program counter, whose first byte is `first`. `read` and `write` access memory
/// and tell whether all bytes were there. `false`: nothing was done.
pub(crate) fn emulate(
    first: u8,
    registers: &mut GeneralRegisters,
    read: impl Fn(u64, &mut [u8]) -> bool,
    write: impl Fn(u64, &[u8]) -> bool,
) -> bool {
    let pc = registers.pc();
    let raw = registers.as_raw_mut();
    if raw.eflags & TRAP_FLAG != 0 {
        return false;
    }
    let length = match first {
        0x90 => 1,
        0x50..=0x57 => {
            let value = match first {
                0x50 => raw.rax,
                0x51 => raw.rcx,
                0x52 => raw.rdx,
                0x53 => raw.rbx,
                0x54 => raw.rsp,
                0x55 => raw.rbp,
                0x56 => raw.rsi,
                _ => raw.rdi,
            };
            let top = raw.rsp.wrapping_sub(8);
            if !write(top, &value.to_le_bytes()) {
                return false;
            }
            raw.rsp = top;
            1
        }
        0xf3 | 0x48 => {
            let mut rest = [0; 3];
            if !read(pc.wrapping_add(1), &mut rest) {
                return false;
            }
            match (first, rest) {
                // endbr64
                (0xf3, [0x0f, 0x1e, 0xfa]) => 4,
                // mov rbp, rsp
                (0x48, [0x89, 0xe5, _]) => {
                    raw.rbp = raw.rsp;
                    3
                }
                _ => return false,
            }
        }
        _ => return false,
    };
    raw.rip = pc.wrapping_add(length);
    true
}
