//! Debugging tried out, on a child of a child of ours: a filter on system calls may kill whoever tries.

#![expect(unsafe_code, reason = "fork, and the few calls that are allowed after it in a process with threads")]

use crate::engine::linux::arch::DebugRegisters;
use crate::engine::linux::arch::debug_registers::CONTROL;
use crate::engine::linux::{interruptible, ptrace};
use dbgsrv_protocol::ids::Tid;
use dbgsrv_protocol::rsp::breakpoint::Kind;
use libc::c_int;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::stat::Mode;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2};
use std::ffi::CStr;
use std::fs::File;
use std::io::{IoSliceMut, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// What is tried, in this order. After [`Step::Trace`] has failed, the rest is not.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Step {
    /// Switching address space randomization off (personality(2)).
    Randomization,
    /// Becoming a child's tracer, and stopping it.
    Trace,
    /// Reading its registers.
    Registers,
    /// Reading its memory (`process_vm_readv(2)`).
    Memory,
    /// Writing to its code (`/proc/PID/mem`), as software breakpoints need it.
    Code,
    /// Setting a debug register, as watchpoints need it.
    DebugRegisters,
}

/// How many steps there are.
const STEPS: usize = Step::DebugRegisters as usize + 1;

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Probe {
    /// Of each step that was finished, in their order.
    finished: Vec<Result<(), Errno>>,
    /// What ended the probe before its time.
    pub(super) broken: Option<Broken>,
}

/// Why a probe was not finished.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Broken {
    /// No process could be started for it.
    Unstarted(Errno),
    /// A signal ended it: SIGSYS where a filter does.
    Killed(Signal),
    /// It did not come to an end.
    Hung,
}

impl Probe {
    /// What came of one step; `None`: it was not come to.
    pub(super) fn outcome(&self, step: Step) -> Option<Result<(), Errno>> {
        self.finished.get(step as usize).copied()
    }

    #[cfg(test)]
    pub(super) fn of(finished: &[Result<(), Errno>]) -> Self {
        Self { finished: finished.to_vec(), broken: None }
    }
}

/// How long the probe may take; it takes a millisecond.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Tries it out.
pub(super) fn probe() -> Probe {
    run().unwrap_or_else(|errno| Probe { finished: Vec::new(), broken: Some(Broken::Unstarted(errno)) })
}

fn run() -> Result<Probe, Errno> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    // The helper must not run this process's signal handlers, which speak to the runtime through shared descriptors.
    let signals = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    // SAFETY: the helper calls async-signal-safe functions only, and never returns.
    let helper = match unsafe { libc::fork() } {
        // SAFETY: this is the helper.
        0 => unsafe { help(write.as_raw_fd()) },
        helper => Errno::result(helper),
    };
    signals.thread_set_mask()?;
    let broken = wait(Pid::from_raw(helper?));
    let mut report = [0; 4 * STEPS];
    let count = File::from(read).read(&mut report).unwrap_or(0);
    let errno = |bytes: &[u8; 4]| match i32::from_ne_bytes(*bytes) {
        0 => Ok(()),
        errno => Err(Errno::from_raw(errno)),
    };
    Ok(Probe { finished: report[..count].as_chunks().0.iter().map(errno).collect(), broken })
}

/// Waits for the helper's end; why it was not a regular one.
fn wait(helper: Pid) -> Option<Broken> {
    let mut waited = Duration::ZERO;
    loop {
        match waitpid(helper, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) if waited < PATIENCE => {
                std::thread::sleep(LOOK_EVERY);
                waited += LOOK_EVERY;
            }
            Ok(WaitStatus::StillAlive) => {
                // It is there as long as it was not waited for; the child that it traces goes with it.
                let _ = kill(helper, Signal::SIGKILL);
                let _ = waitpid(helper, None);
                return Some(Broken::Hung);
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => return Some(Broken::Killed(signal)),
            Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return None,
        }
    }
}

/// Where the helper has the pipe.
const REPORT: RawFd = 3;

/// Tries every step on a child, and tells what came of each as it goes.
///
/// # Safety
/// Only in a forked child with all signals blocked.
unsafe fn help(report: RawFd) -> ! {
    // SAFETY: system calls on numbers. What this process had open is closed here, lest it is kept open.
    unsafe {
        libc::dup2(report, REPORT);
        libc::syscall(libc::SYS_close_range, REPORT + 1, u32::MAX, 0);
    }
    // SAFETY: a number, and there is nothing in this process that depends on it.
    tell(Errno::result(unsafe { libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong) }).map(drop));
    // SAFETY: as for the first.
    match unsafe { libc::fork() } {
        // SAFETY: this is the child, whose only purpose it is to be there.
        0 => unsafe {
            libc::close(REPORT);
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            loop {
                libc::pause();
            }
        },
        child => {
            if let Some(child) = Tid::new(child) {
                debug(child);
                // SAFETY: our own child, which nobody has waited for.
                unsafe { libc::kill(child.raw(), libc::SIGKILL) };
                while interruptible::wait_for(child).is_ok_and(|status| libc::WIFSTOPPED(status)) {}
            }
            // SAFETY: ends this process without a word to the runtime that it was forked from.
            unsafe { libc::_exit(0) }
        }
    }
}

fn tell(outcome: Result<(), Errno>) {
    let errno = outcome.err().map_or(0, |errno| errno as c_int);
    // SAFETY: the pointer is valid for that length. Where nobody listens any more, nobody needs it.
    unsafe { libc::write(REPORT, (&raw const errno).cast(), size_of::<c_int>()) };
}

/// What a debugger does to a process. Allocates nothing.
fn debug(child: Tid) {
    let traced = trace(child);
    tell(traced);
    if traced.is_ok() {
        tell(ptrace::general_registers(child).map(drop));
        tell(read_memory(child));
        tell(write_code(child));
        tell(set_debug_register(child));
    }
}

fn trace(child: Tid) -> Result<(), Errno> {
    ptrace::seize(child, libc::PTRACE_O_EXITKILL)?;
    ptrace::interrupt(child)?;
    if libc::WIFSTOPPED(interruptible::wait_for(child)?) { Ok(()) } else { Err(Errno::ESRCH) }
}

/// Is at the same place in the child, which is a copy of this process.
static MARK: [u8; 8] = *b"readable";

fn read_memory(child: Tid) -> Result<(), Errno> {
    let mut bytes = [0; MARK.len()];
    let remote = [RemoteIoVec { base: MARK.as_ptr().addr(), len: MARK.len() }];
    process_vm_readv(Pid::from_raw(child.raw()), &mut [IoSliceMut::new(&mut bytes)], &remote)?;
    if bytes == MARK { Ok(()) } else { Err(Errno::EFAULT) }
}

/// Writes a byte of the code that is already there.
fn write_code(child: Tid) -> Result<(), Errno> {
    let mut path = [0; 32];
    write!(&mut path[..], "/proc/{child}/mem").map_err(|_| Errno::ENAMETOOLONG)?;
    let path = CStr::from_bytes_until_nul(&path).map_err(|_| Errno::ENAMETOOLONG)?;
    let memory = File::from(open(path, OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?);
    let code = (write_code as *const ()).addr() as u64;
    let mut byte = [0];
    let done = memory.read_exact_at(&mut byte, code).and_then(|()| memory.write_all_at(&byte, code));
    done.map_err(|error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
}

fn set_debug_register(child: Tid) -> Result<(), Errno> {
    let mut registers = DebugRegisters::default();
    registers.insert(Kind::WriteWatch, MARK.as_ptr().addr() as u64, 1).map_err(|_| Errno::ENOSPC)?;
    ptrace::poke_debug_register(child, 0, registers.addresses()[0])?;
    ptrace::poke_debug_register(child, CONTROL, registers.dr7())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::linux::test_program::Running;

    #[test]
    fn debugging_works_where_these_tests_run() {
        assert_eq!(probe(), Probe::of(&[Ok(()); STEPS]));
    }

    #[test]
    fn a_helper_that_is_killed_is_told_from_one_that_ends() {
        let mut helper = Running::cat();
        helper.kill();
        assert_eq!(wait(Pid::from_raw(helper.pid().raw())), Some(Broken::Killed(Signal::SIGKILL)));
        // It has been waited for.
        assert_eq!(wait(Pid::from_raw(helper.pid().raw())), None);
    }
}
