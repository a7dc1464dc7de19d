//! Blocking system calls that a signal handler can cancel without a race.
//!
//! The worker blocks in one system call at a time: `recv` while its debuggees stand still, `wait4` while they run. Input
//! that arrives during `wait4` raises `SIGIO`, the end of the daemon `SIGTERM`. A signal between the last look at a flag
//! and the system call would be lost, and closing that gap with `ppoll` and a signal descriptor costs two more calls for
//! each step. So the look and the call are one short sequence with known bounds: a handler that finds the program
//! counter inside moves it to the exit that answers `EINTR`.

#![expect(unsafe_code, reason = "a system call in assembly, and signal handlers")]

use dbgsrv_protocol::ids::Tid;
use libc::{c_int, c_long, c_void};
use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::gettid;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Input has arrived since the stream was last read to its end.
pub(crate) const INPUT: u32 = 1;
/// The session has to end.
pub(crate) const END: u32 = 2;
/// A child or tracee has ended.
pub(crate) const CHILD: u32 = 4;
/// A console of a debuggee has output, perhaps: the same signal says that the stream has input.
pub(crate) const OUTPUT: u32 = 8;

thread_local! {
    /// What has been signalled to this thread and not been looked at yet. Without a destructor and made of a constant, so
    /// that a signal handler may use it at any time.
    static RAISED: AtomicU32 = const { AtomicU32::new(0) };
}

/// Whether this process is a session's alone, so that its signals are too.
static OWNED: AtomicBool = AtomicBool::new(false);

/// Which of `mask` are raised.
pub(crate) fn raised(mask: u32) -> bool {
    RAISED.with(|flags| flags.load(Ordering::Relaxed)) & mask != 0
}

/// Marks as raised.
pub(crate) fn raise(mask: u32) {
    RAISED.with(|flags| flags.fetch_or(mask, Ordering::Relaxed));
}

/// Forgets, before looking at what was raised.
pub(crate) fn clear(mask: u32) {
    if raised(mask) {
        RAISED.with(|flags| flags.fetch_and(!mask, Ordering::Relaxed));
    }
}

/// Whether this process is a session's alone: its terminal is then too, and `CHILD` is raised for each child that ends.
pub(crate) fn owns_process() -> bool {
    OWNED.load(Ordering::Relaxed)
}

#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".globl dbgsrv_interruptible",
    ".globl dbgsrv_interruptible_window",
    ".globl dbgsrv_interruptible_called",
    ".globl dbgsrv_interruptible_cancel",
    ".type dbgsrv_interruptible,@function",
    "dbgsrv_interruptible:", // rdi: flags, esi: mask, rdx: [number, six arguments]
    "mov r11, rdi",
    "mov ecx, esi",
    "mov rax, rdx",
    "mov rdi, [rax + 8]",
    "mov rsi, [rax + 16]",
    "mov rdx, [rax + 24]",
    "mov r10, [rax + 32]",
    "mov r8, [rax + 40]",
    "mov r9, [rax + 48]",
    "mov rax, [rax]",
    "dbgsrv_interruptible_window:",
    "test dword ptr [r11], ecx",
    "jnz dbgsrv_interruptible_cancel",
    "syscall",
    "dbgsrv_interruptible_called:",
    "ret",
    "dbgsrv_interruptible_cancel:",
    "mov rax, -4", // -EINTR
    "ret",
    ".size dbgsrv_interruptible, . - dbgsrv_interruptible",
);

unsafe extern "C" {
    fn dbgsrv_interruptible(flags: *const u32, mask: u32, call: *const [c_long; 7]) -> c_long;
    fn dbgsrv_interruptible_window();
    fn dbgsrv_interruptible_called();
    fn dbgsrv_interruptible_cancel();
}

/// Makes a system call, unless one of `mask` is raised before or while it blocks: then `EINTR`.
///
/// # Safety
/// As for the system call: pointers among the arguments must be valid for what it does with them.
unsafe fn interruptible(mask: u32, number: c_long, arguments: [c_long; 6]) -> Result<c_long, Errno> {
    let mut call = [number; 7];
    call[1..].copy_from_slice(&arguments);
    let flags = RAISED.with(AtomicU32::as_ptr);
    // SAFETY: the flags live as long as this thread, the call's own pointers are the caller's promise.
    let result = unsafe { dbgsrv_interruptible(flags, mask, &raw const call) };
    if result < 0 { Err(Errno::from_raw(-result as c_int)) } else { Ok(result) }
}

/// `recv` that `END` cancels.
pub(crate) fn recv(stream: c_int, buffer: &mut [u8], flags: c_int) -> Result<usize, Errno> {
    let arguments =
        [c_long::from(stream), buffer.as_mut_ptr() as c_long, buffer.len() as c_long, c_long::from(flags), 0, 0];
    // SAFETY: the buffer is valid for writes of its length.
    unsafe { interruptible(END, libc::SYS_recvfrom, arguments) }.map(|n| n as usize)
}

/// `send` that `END` cancels.
pub(crate) fn send(stream: c_int, buffer: &[u8]) -> Result<usize, Errno> {
    let flags = c_long::from(libc::MSG_NOSIGNAL);
    let arguments = [c_long::from(stream), buffer.as_ptr() as c_long, buffer.len() as c_long, flags, 0, 0];
    // SAFETY: the buffer is valid for reads of its length.
    unsafe { interruptible(END, libc::SYS_sendto, arguments) }.map(|n| n as usize)
}

/// Waits until `descriptor` can be read from; `END` cancels it.
pub(crate) fn readable(descriptor: c_int) -> Result<(), Errno> {
    let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: one structure, which outlives the call; no time limit and no signal mask.
    unsafe { interruptible(END, libc::SYS_ppoll, [(&raw mut poll) as c_long, 1, 0, 0, 0, 0]) }.map(drop)
}

/// What is waited for with [`await_any`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited(libc::pollfd);

impl Awaited {
    /// Something to read on a descriptor, or its end.
    pub(crate) const fn input(descriptor: c_int) -> Self {
        Self(libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 })
    }

    /// The other side of a stream is gone, or sends no more.
    pub(crate) const fn hang_up(descriptor: c_int) -> Self {
        Self(libc::pollfd { fd: descriptor, events: libc::POLLRDHUP, revents: 0 })
    }
}

/// Waits until something of `awaited` has come about, at most `patience`: bit by bit, which; 0: the time is over. `END`
/// cancels it.
pub(crate) fn await_any(awaited: &[Awaited], patience: Option<Duration>) -> Result<u32, Errno> {
    let mut polled: Vec<libc::pollfd> = awaited.iter().map(|awaited| awaited.0).collect();
    let limit = patience.map(|patience| libc::timespec {
        tv_sec: patience.as_secs() as libc::time_t,
        tv_nsec: patience.subsec_nanos().into(),
    });
    let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let arguments = [polled.as_mut_ptr() as c_long, polled.len() as c_long, limit as c_long, 0, 0, 0];
    // SAFETY: the structures outlive the call; no signal mask.
    match unsafe { interruptible(END, libc::SYS_ppoll, arguments) } {
        // A signal that means something else.
        Err(Errno::EINTR) if !raised(END) => return Ok(0),
        Err(errno) => return Err(errno),
        Ok(_) => {}
    }
    Ok((0..).zip(&polled).filter(|(_, polled)| polled.revents != 0).fold(0, |ready, (bit, _)| ready | 1 << bit))
}

/// A descriptor that can be read from once process `pid` has ended (`pidfd_open(2)`).
pub(crate) fn open_process(pid: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: no memory is involved.
    let descriptor = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: just opened, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as c_int) })
}

/// `wait4` on one of this thread's tracees or children (`tid > 0`) or all (-1) that anything in `mask` cancels; `None`: nothing yet (`WNOHANG`).
pub(crate) fn wait(tid: c_int, options: c_int, mask: u32) -> Result<Option<(c_int, c_int)>, Errno> {
    let mut status: c_int = 0;
    // Other threads of this process may have sessions too.
    let options = c_long::from(options | libc::__WALL | libc::__WNOTHREAD);
    let arguments = [c_long::from(tid), (&raw mut status) as c_long, options, 0, 0, 0];
    // SAFETY: `status` outlives the call.
    let tid = unsafe { interruptible(mask, libc::SYS_wait4, arguments) }? as c_int;
    Ok((tid != 0).then_some((tid, status)))
}

/// Waits for one thread's next status, whatever is raised meanwhile.
pub(crate) fn wait_for(tid: Tid) -> Result<c_int, Errno> {
    loop {
        match wait(tid.raw(), 0, 0) {
            Ok(Some((_, status))) => return Ok(status),
            Ok(None) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

extern "C" fn handle(signal: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    raise(match signal {
        libc::SIGIO => INPUT | OUTPUT,
        libc::SIGCHLD => CHILD,
        _ => END,
    });
    // SAFETY: a handler installed with SA_SIGINFO gets a ucontext_t.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let pc = &mut context.uc_mcontext.gregs[libc::REG_RIP as usize];
    let window = (dbgsrv_interruptible_window as *const ()) as i64..(dbgsrv_interruptible_called as *const ()) as i64;
    if window.contains(pc) {
        *pc = (dbgsrv_interruptible_cancel as *const ()) as i64;
    }
}

/// Installs the handler of `SIGIO`, which says that the stream of the thread that it is sent to has input, or a console.
pub(crate) fn install_handler() -> Result<(), Errno> {
    install(&[Signal::SIGIO])
}

/// Takes over this process's signals: `SIGCHLD` for ended children (not for each stop), and those that end a session.
/// They must reach the thread of the session, so that has to be the only one.
pub(crate) fn own_process() -> Result<(), Errno> {
    install(&[Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP])?;
    OWNED.store(true, Ordering::Relaxed);
    Ok(())
}

fn install(signals: &[Signal]) -> Result<(), Errno> {
    for &signal in signals {
        let flags = SaFlags::SA_SIGINFO | SaFlags::SA_NOCLDSTOP;
        let action = SigAction::new(SigHandler::SigAction(handle), flags, SigSet::empty());
        // SAFETY: the handler only stores to an atomic and to its own context.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}

/// Has the kernel raise `SIGIO` on this thread when input arrives on `stream` while nobody blocks in `recv` on it; on a
/// terminal, also when there is room for output again.
pub(crate) fn signal_input(stream: c_int) -> Result<(), Errno> {
    let owner = OwnerEx { kind: F_OWNER_TID, id: gettid().as_raw() };
    // SAFETY: fcntl on an open descriptor, with integers and a structure that outlives the call.
    unsafe {
        Errno::result(libc::fcntl(stream, F_SETOWN_EX, &raw const owner))?;
        let flags = Errno::result(libc::fcntl(stream, libc::F_GETFL))?;
        Errno::result(libc::fcntl(stream, libc::F_SETFL, flags | libc::O_ASYNC))?;
    }
    Ok(())
}

/// Raises `INPUT` on a thread of this process, for what the kernel does not tell it of. One that is gone is no error, and one
/// that has its id now only looks in vain.
pub(crate) fn wake(thread: u32) {
    // SAFETY: no memory is involved; the handler is installed wherever a stream is waited for.
    let _ = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, libc::SIGIO) };
}

/// `F_SETOWN_EX` of fcntl(2): asm-generic/fcntl.h.
const F_SETOWN_EX: c_int = 15;
/// The owner is one thread.
const F_OWNER_TID: c_int = 0;

/// `struct f_owner_ex` of fcntl(2).
#[repr(C)]
struct OwnerEx {
    kind: c_int,
    id: libc::pid_t,
}
