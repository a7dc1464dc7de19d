//! One traced thread.

use super::registers::Registers;
use crate::engine::trace::Steps;
use dbgsrv_protocol::ids::{Pid, ThreadId};
use dbgsrv_protocol::rsp::resume::Action;
use dbgsrv_protocol::rsp::stop::Reason;
use libc::c_int;

/// What the kernel's last stop of a thread allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stop {
    /// In a stop of its job's: `SIGSTOP` and its kind took effect.
    Group,
    /// A signal is on its way, and is delivered only if the thread is resumed with it.
    Signal,
    /// Anything else: resuming with a signal has no effect.
    Trap,
}

/// Whether a thread runs, as far as we made it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// Not in a ptrace stop.
    Running {
        /// By one instruction.
        stepping: bool,
    },
    /// In a ptrace stop.
    Stopped(Stop),
}

/// A stop that the client has not been told of.
#[derive(Clone, Debug)]
pub(crate) enum Pending {
    /// The client's interrupt.
    BreakIn,
    /// The client wants the thread to stand still (`vCont;t`).
    Halt,
    /// A new program: the reason's path is the process's.
    Exec,
    /// A signal that has not been delivered.
    Signal(c_int),
    /// A trap with something to tell.
    Trap(Reason<'static>),
}

/// A traced thread.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
pub(crate) struct Thread {
    pub(crate) id: ThreadId,
    pub(crate) state: State,
    /// What the client wants of it; `None`: to stand still.
    pub(crate) action: Option<Action>,
    /// The signal that it gets when it goes on; 0: none.
    pub(crate) signal: c_int,
    /// A stop to be reported at the client's next resume.
    pub(crate) pending: Option<Pending>,
    /// A signal that the client was told of and has not decided on; 0: none.
    pub(crate) undelivered: c_int,
    /// The client knows of it: a forked child comes with its parent's stop.
    pub(crate) announced: bool,
    /// The breakpoint that it has hit: going on from there steps over it.
    pub(crate) passing: Option<u64>,
    /// The tracepoints that collect at each of its next instructions.
    pub(crate) trace_steps: Vec<Steps>,
    /// It has not stopped for the first time yet.
    pub(crate) newborn: bool,
    /// It was interrupted for `vCont;t`.
    pub(crate) halting: bool,
    /// A signal that we sent for the client, to be let through when it arrives.
    pub(crate) injected: Option<c_int>,
    /// The system call that it stopped on entering.
    pub(crate) syscall: Option<i64>,
    /// A child borrows its memory: once it goes on it is stuck.
    pub(crate) lending: bool,
    /// That child, where it is traced too.
    pub(crate) borrower: Option<Pid>,
    /// That child is not standing still any more where it began: it counts among the process's.
    pub(crate) lent: bool,
    /// The client was told of the vfork that this thread is in, and waits to hear of its end.
    pub(crate) told_of_vfork: bool,
    /// It waits in the kernel where nothing can stop it, for a child that borrows its memory or for a disk. It stops
    /// before it executes anything.
    pub(crate) stuck: bool,
    /// Which version of the process's debug registers it has.
    pub(crate) debug_version: u32,
    /// They are switched off while it stands still.
    pub(crate) disarmed: bool,
    pub(crate) registers: Registers,
}

impl Thread {
    /// A thread that the kernel has just begun to trace and that has not stopped yet.
    pub(crate) fn new(id: ThreadId) -> Self {
        Self {
            id,
            state: State::Running { stepping: false },
            action: None,
            signal: 0,
            pending: None,
            undelivered: 0,
            announced: true,
            passing: None,
            trace_steps: Vec::new(),
            newborn: false,
            halting: false,
            injected: None,
            syscall: None,
            lending: false,
            borrower: None,
            lent: false,
            told_of_vfork: false,
            stuck: false,
            debug_version: 0,
            disarmed: false,
            registers: Registers::default(),
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.state, State::Stopped(_))
    }

    /// Whether it may execute something, and stops when it is interrupted.
    pub(crate) fn is_active(&self) -> bool {
        !self.is_stopped() && !self.stuck
    }

    pub(crate) fn is_stepping(&self) -> bool {
        matches!(self.state, State::Running { stepping: true })
    }

    /// Whether the client, or a tracepoint, wants single instructions of it.
    pub(crate) fn wants_step(&self) -> bool {
        self.is_told_to_step() || !self.trace_steps.is_empty()
    }

    /// Whether the client wants single instructions of it.
    pub(crate) fn is_told_to_step(&self) -> bool {
        matches!(self.action, Some(Action::Step(_) | Action::RangeStep { .. }))
    }
}
