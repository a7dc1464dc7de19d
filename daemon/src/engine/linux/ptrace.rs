//! The ptrace requests that the engine makes, one function each (ptrace(2)).
//!
//! nix wraps some of them, but allocates nothing less and lacks others (regsets, `PTRACE_LISTEN`); one shape for all is
//! easier to read. Every function fails with `ESRCH` when the thread is gone or not in a ptrace stop.

#![expect(unsafe_code, reason = "ptrace is only reachable through a variadic C function")]

use super::arch::{GeneralRegisters, debug_registers};
use dbgsrv_protocol::ids::Tid;
use libc::{c_int, c_long, c_uint, c_void};
use nix::errno::Errno;
use std::ptr;

pub(crate) type Result<T> = std::result::Result<T, Errno>;

/// Tracks threads, forks and execs of a tracee; `EXITKILL` is added for processes that the session created.
pub(crate) const OPTIONS: c_int = libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACEVFORKDONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACESYSGOOD;

fn request(request: c_uint, tid: Tid, address: *mut c_void, data: *mut c_void) -> Result<c_long> {
    // SAFETY: callers pass pointers that are valid for the request at hand; with others the kernel answers EFAULT.
    Errno::result(unsafe { libc::ptrace(request, tid.raw(), address, data) })
}

fn number(value: usize) -> *mut c_void {
    ptr::without_provenance_mut(value)
}

/// Becomes the tracer without stopping the thread.
pub(crate) fn seize(tid: Tid, options: c_int) -> Result<()> {
    request(libc::PTRACE_SEIZE, tid, ptr::null_mut(), number(options as usize)).map(drop)
}

/// Asks a running thread to stop; the stop comes as `PTRACE_EVENT_STOP`.
pub(crate) fn interrupt(tid: Tid) -> Result<()> {
    request(libc::PTRACE_INTERRUPT, tid, ptr::null_mut(), ptr::null_mut()).map(drop)
}

/// Lets a thread run, delivering `signal` unless 0.
pub(crate) fn cont(tid: Tid, signal: c_int) -> Result<()> {
    request(libc::PTRACE_CONT, tid, ptr::null_mut(), number(signal as usize)).map(drop)
}

/// As `cont`, up to the next entry to or return from a system call.
pub(crate) fn cont_to_syscall(tid: Tid, signal: c_int) -> Result<()> {
    request(libc::PTRACE_SYSCALL, tid, ptr::null_mut(), number(signal as usize)).map(drop)
}

/// Which side of a system call a thread has stopped on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SyscallStop {
    /// On entering the one with this number.
    Entry(i64),
    /// On leaving it.
    Exit,
}

/// Tells the two apart.
pub(crate) fn syscall_stop(tid: Tid) -> Result<SyscallStop> {
    // SAFETY: plain old data; all zeros is a value of it.
    let mut info: libc::ptrace_syscall_info = unsafe { std::mem::zeroed() };
    let size = number(size_of::<libc::ptrace_syscall_info>());
    request(libc::PTRACE_GET_SYSCALL_INFO, tid, size, ptr::from_mut(&mut info).cast())?;
    if info.op == libc::PTRACE_SYSCALL_INFO_ENTRY {
        // SAFETY: `op` says that this member was filled.
        Ok(SyscallStop::Entry(unsafe { info.u.entry.nr } as i64))
    } else {
        Ok(SyscallStop::Exit)
    }
}

/// Runs one instruction, delivering `signal` unless 0.
pub(crate) fn step(tid: Tid, signal: c_int) -> Result<()> {
    request(libc::PTRACE_SINGLESTEP, tid, ptr::null_mut(), number(signal as usize)).map(drop)
}

/// Leaves a thread in its group-stop, but hears of the `SIGCONT` that ends it.
pub(crate) fn listen(tid: Tid) -> Result<()> {
    request(libc::PTRACE_LISTEN, tid, ptr::null_mut(), ptr::null_mut()).map(drop)
}

/// Stops tracing and lets the thread run, delivering `signal` unless 0.
pub(crate) fn detach(tid: Tid, signal: c_int) -> Result<()> {
    request(libc::PTRACE_DETACH, tid, ptr::null_mut(), number(signal as usize)).map(drop)
}

/// What an event stop is about: the new thread's id, the former thread id of an exec.
pub(crate) fn event_message(tid: Tid) -> Result<u64> {
    let mut message: libc::c_ulong = 0;
    request(libc::PTRACE_GETEVENTMSG, tid, ptr::null_mut(), ptr::from_mut(&mut message).cast())?;
    Ok(message)
}

/// The signal that a thread stopped with.
pub(crate) fn signal_info(tid: Tid) -> Result<libc::siginfo_t> {
    // SAFETY: siginfo_t is plain old data; all zeros is a value of it.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    request(libc::PTRACE_GETSIGINFO, tid, ptr::null_mut(), ptr::from_mut(&mut info).cast())?;
    Ok(info)
}

/// Whether the signal that a thread stopped with was sent to it by this process, with tgkill.
pub(crate) fn is_own_signal(tid: Tid) -> bool {
    let own = std::process::id() as c_int;
    // SAFETY: a signal sent by a process names its sender.
    signal_info(tid).is_ok_and(|info| info.si_code == libc::SI_TKILL && unsafe { info.si_pid() } == own)
}

/// Whether a SIGTRAP that the kernel made is queued for a thread.
pub(crate) fn has_pending_trap(tid: Tid) -> bool {
    const MOST: usize = 8;
    // SAFETY: siginfo_t is plain old data; all zeros is a value of it.
    let mut queue: [libc::siginfo_t; MOST] = unsafe { std::mem::zeroed() };
    let count = peek_signals(tid, 0, &mut queue).unwrap_or(0);
    queue[..count].iter().any(|info| info.si_signo == libc::SIGTRAP && info.si_code > 0)
}

/// Whether a signal is queued for a stopped thread alone, or, where `shared`, for any of its process; also where that can't
/// be told.
pub(crate) fn has_queued_signal(tid: Tid, shared: bool) -> bool {
    // SAFETY: siginfo_t is plain old data; all zeros is a value of it.
    let mut first: [libc::siginfo_t; 1] = unsafe { std::mem::zeroed() };
    let flags = if shared { libc::PTRACE_PEEKSIGINFO_SHARED } else { 0 };
    peek_signals(tid, flags, &mut first) != Ok(0)
}

/// How many of the signals that are queued, as far as there is room, were looked at.
fn peek_signals(tid: Tid, flags: u32, queue: &mut [libc::siginfo_t]) -> Result<usize> {
    let arguments = libc::ptrace_peeksiginfo_args { off: 0, flags, nr: queue.len() as i32 };
    let address = ptr::from_ref(&arguments).cast_mut().cast();
    request(libc::PTRACE_PEEKSIGINFO, tid, address, queue.as_mut_ptr().cast()).map(|count| count as usize)
}

/// The bytes of a `siginfo_t`.
pub(crate) type SignalInfoBytes = [u8; size_of::<libc::siginfo_t>()];

/// As [`signal_info`], for those who only pass it on.
pub(crate) fn signal_info_bytes(tid: Tid) -> Result<SignalInfoBytes> {
    let mut bytes = [0; size_of::<libc::siginfo_t>()];
    request(libc::PTRACE_GETSIGINFO, tid, ptr::null_mut(), bytes.as_mut_ptr().cast())?;
    Ok(bytes)
}

/// Replaces the signal that a thread stopped with.
pub(crate) fn set_signal_info_bytes(tid: Tid, bytes: &SignalInfoBytes) -> Result<()> {
    request(libc::PTRACE_SETSIGINFO, tid, ptr::null_mut(), bytes.as_ptr().cast_mut().cast()).map(drop)
}

/// The general registers.
pub(crate) fn general_registers(tid: Tid) -> Result<GeneralRegisters> {
    let mut registers = std::mem::MaybeUninit::<GeneralRegisters>::uninit();
    request(libc::PTRACE_GETREGS, tid, ptr::null_mut(), registers.as_mut_ptr().cast())?;
    // SAFETY: the kernel filled the whole structure, else the request had failed.
    Ok(unsafe { registers.assume_init() })
}

/// Sets the general registers.
pub(crate) fn set_general_registers(tid: Tid, registers: &GeneralRegisters) -> Result<()> {
    request(libc::PTRACE_SETREGS, tid, ptr::null_mut(), ptr::from_ref(registers).cast_mut().cast()).map(drop)
}

/// Reads a register set into `buffer`; the number of bytes that the kernel had.
pub(crate) fn register_set(tid: Tid, set: c_int, buffer: &mut [u8]) -> Result<usize> {
    let mut vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    request(libc::PTRACE_GETREGSET as c_uint, tid, number(set as usize), ptr::from_mut(&mut vector).cast())?;
    Ok(vector.iov_len)
}

/// Writes a register set.
pub(crate) fn set_register_set(tid: Tid, set: c_int, buffer: &[u8]) -> Result<()> {
    let mut vector = libc::iovec { iov_base: buffer.as_ptr().cast_mut().cast(), iov_len: buffer.len() };
    request(libc::PTRACE_SETREGSET as c_uint, tid, number(set as usize), ptr::from_mut(&mut vector).cast()).map(drop)
}

/// Reads a word of `struct user`.
pub(crate) fn peek_user(tid: Tid, offset: usize) -> Result<u64> {
    let mut word: u64 = 0;
    // The system call behind PTRACE_PEEKUSER stores through `data`; glibc's wrapper returns the word and hides errors
    // in errno, so the call is made directly.
    // SAFETY: `word` outlives the call.
    Errno::result(unsafe {
        libc::syscall(libc::SYS_ptrace, libc::PTRACE_PEEKUSER, tid.raw(), offset, ptr::from_mut(&mut word))
    })?;
    Ok(word)
}

/// Writes a word of `struct user`.
pub(crate) fn poke_user(tid: Tid, offset: usize, word: u64) -> Result<()> {
    request(libc::PTRACE_POKEUSER, tid, number(offset), number(word as usize)).map(drop)
}

/// Reads a debug register.
pub(crate) fn peek_debug_register(tid: Tid, register: usize) -> Result<u64> {
    peek_user(tid, debug_registers::offset(register))
}

/// Writes a debug register.
pub(crate) fn poke_debug_register(tid: Tid, register: usize, value: u64) -> Result<()> {
    poke_user(tid, debug_registers::offset(register), value)
}
