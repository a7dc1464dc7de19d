//! The general registers, as `PTRACE_GETREGS` gives them.

use super::super::Mode;
use super::SystemCall;

/// The registers of every thread that the kernel keeps in a thread's own stack frame.
///
/// The layout is the 64-bit one for 32-bit programs too, as long as the tracer is a 64-bit program and asks with
/// `PTRACE_GETREGS`; `PTRACE_GETREGSET` with `NT_PRSTATUS` would use the program's own.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct GeneralRegisters(libc::user_regs_struct);

impl GeneralRegisters {
    /// Where `struct user` has the address of the next instruction.
    pub(crate) const PC_OFFSET: usize = std::mem::offset_of!(libc::user_regs_struct, rip);

    /// The address of the next instruction.
    pub(crate) fn pc(&self) -> u64 {
        self.0.rip
    }

    /// Makes `pc` the address of the next instruction.
    pub(crate) fn set_pc(&mut self, pc: u64) {
        self.0.rip = pc;
    }

    /// The address of the stack's top.
    pub(crate) fn stack_pointer(&self) -> u64 {
        self.0.rsp
    }

    /// The address of the innermost frame's record, where the program keeps such records.
    pub(crate) fn frame_pointer(&self) -> u64 {
        self.0.rbp
    }

    /// The number of the system call that the thread is in, if it is in one.
    pub(crate) fn syscall_number(&self) -> Option<i64> {
        let number = i64::from(self.0.orig_rax as i32);
        (number >= 0).then_some(number)
    }

    /// The registers of a thread that is about to call the system from where it stands (syscall(2)).
    pub(crate) fn calling(&self, call: SystemCall, mode: Mode, arguments: [u64; 6]) -> Self {
        let mut registers = self.0;
        registers.rax = call.number(mode);
        let it = &mut registers;
        match mode {
            Mode::Bits32 => [it.rbx, it.rcx, it.rdx, it.rsi, it.rdi, it.rbp] = arguments,
            Mode::Bits64 => [it.rdi, it.rsi, it.rdx, it.r10, it.r8, it.r9] = arguments,
        }
        registers.orig_rax = u64::MAX;
        Self(registers)
    }

    /// What a call to the system has returned.
    pub(crate) fn result(&self) -> u64 {
        self.0.rax
    }

    /// Where the thread's own block is: thread-local variables lie around it.
    pub(crate) fn thread_pointer(&self) -> u64 {
        self.0.fs_base
    }

    /// Keeps the kernel from restarting an interrupted system call when the thread runs on.
    ///
    /// A restart moves the program counter back by the length of the system call instruction, which is wrong after
    /// somebody else has moved it.
    pub(crate) fn forget_syscall(&mut self) {
        self.0.orig_rax = u64::MAX;
    }

    /// The kernel's structure, to be filled by it.
    pub(crate) fn as_raw_mut(&mut self) -> &mut libc::user_regs_struct {
        &mut self.0
    }

    #[expect(unsafe_code, reason = "a plain structure is seen as its bytes")]
    pub(super) fn bytes(&self) -> &[u8; size_of::<Self>()] {
        // SAFETY: the structure is 27 64-bit words without padding, so each of its bytes is initialised; the borrow
        // carries over.
        unsafe { &*(&raw const *self).cast() }
    }

    #[expect(unsafe_code, reason = "a plain structure is seen as its bytes")]
    pub(super) fn bytes_mut(&mut self) -> &mut [u8; size_of::<Self>()] {
        // SAFETY: as in `bytes`; and every pattern of bits is a valid word.
        unsafe { &mut *(&raw mut *self).cast() }
    }
}

impl Default for GeneralRegisters {
    /// All zero, to be filled by the kernel.
    #[expect(unsafe_code, reason = "the structure has no default of its own")]
    fn default() -> Self {
        // SAFETY: the structure is 27 integers, and 0 is one.
        unsafe { std::mem::zeroed() }
    }
}
