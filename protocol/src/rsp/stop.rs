//! Stop replies and events: `T`, `S`, `W`, `X`, `N` (GDB manual, "Stop Reply Packets").

use super::breakpoint::Kind;
use super::signal::Signal;
use crate::ids::{Pid, ThreadId};

/// Something that a client is told about a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event<'a> {
    /// `W`: it ended by itself.
    Exited {
        /// Which process.
        pid: Pid,
        /// Its exit status, 0 to 255.
        status: u8,
    },
    /// `N`: nothing is left that could stop.
    NoResumed,
    /// `X`: a signal ended it.
    Signaled {
        /// Which process.
        pid: Pid,
        /// The signal.
        signal: Signal,
    },
    /// `T`: one of its threads stopped, and in all-stop mode all others with it.
    Stopped(Stop<'a>),
    /// `w`: a thread ended (`QThreadEvents`).
    ThreadExited {
        /// Which thread.
        thread: ThreadId,
        /// Its exit status.
        status: u8,
    },
}

/// A stopped thread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stop<'a> {
    /// Which thread.
    pub thread: ThreadId,
    /// The signal, SIGTRAP for breakpoints and steps, 0 where none is meant.
    pub signal: Signal,
    /// Why.
    pub reason: Reason<'a>,
    /// Registers that the client is about to ask for: number in the target description, bytes in target order.
    pub registers: &'a [(u32, &'a [u8])],
    /// The processor it ran on last.
    pub core: Option<u32>,
}

/// Why a thread stopped, as far as the client said that it understands the reason. The machine drops the ones
/// whose feature the client did not announce (`swbreak+`, `hwbreak+`, `fork-events+`, …).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason<'a> {
    /// `create`: a thread came up (`QThreadEvents`).
    Create,
    /// `exec:PATH`.
    Exec {
        /// The new program's path.
        path: &'a [u8],
    },
    /// `fork:CHILD`.
    Fork(ThreadId),
    /// `hwbreak`.
    HardwareBreakpoint,
    /// `library`.
    Library,
    /// A signal, a step, an attach: the signal says all.
    Signal,
    /// `swbreak`. The PC is at the breakpoint's address.
    SoftwareBreakpoint,
    /// `syscall_entry:NUMBER`.
    SyscallEntry(i64),
    /// `syscall_return:NUMBER`.
    SyscallReturn(i64),
    /// `vfork:CHILD`.
    Vfork(ThreadId),
    /// `vforkdone`.
    VforkDone,
    /// `watch`, `rwatch` or `awatch`.
    Watchpoint {
        /// Which kind.
        kind: Kind,
        /// The address that the client gave to `Z`, or one within its range.
        address: u64,
    },
}
