//! Non-stop mode: each thread stops and goes on by itself.
//!
//! What all threads have to stand still for (a step over a breakpoint, a change of the debug registers, letting go of a
//! process) holds them for that long; they keep what they were told to do and go on afterwards.

use super::thread::Pending;
use super::{Engine, Report, ptrace};
use dbgsrv_protocol::ids::{Pid, ThreadId, Tid};
use dbgsrv_protocol::rsp::resume::Action;
use dbgsrv_protocol::rsp::signal::Signal;
use dbgsrv_protocol::rsp::stop::Reason;

impl Engine {
    /// Chooses between non-stop and all-stop mode.
    pub fn set_non_stop(&mut self, non_stop: bool) {
        self.non_stop = non_stop;
        self.newcomers = non_stop.then_some(Action::Continue(None));
    }

    /// The threads that stand still and that the client knows to do so.
    pub fn standing(&self) -> impl Iterator<Item = ThreadId> {
        let standing = self.threads.values().filter(|thread| thread.announced && thread.action.is_none());
        standing.filter(|thread| thread.is_stopped()).map(|thread| thread.id)
    }

    /// Reports all threads of a process that was attached to as stopped.
    pub fn report_attached(&mut self, pid: Pid) {
        for tid in self.threads_of(pid).collect::<Vec<_>>() {
            let thread = ThreadId { pid, tid };
            let signal = self.take_signal_at_attach(thread);
            self.reports.push_back(Report::Attached { thread, signal });
        }
    }

    /// Stops a thread for the client (`vCont;t`). One that is being held stays where it is.
    pub(super) fn halt(&mut self, tid: Tid) {
        let Some(thread) = self.threads.get_mut(&tid).filter(|thread| thread.action.is_some()) else { return };
        if thread.is_stopped() {
            thread.pending.get_or_insert(Pending::Halt);
        } else if !thread.halting {
            // A thread that is gone reports its end instead.
            thread.halting = ptrace::interrupt(tid).is_ok();
        }
    }

    /// Holds all threads, whatever they were told to do; [`Engine::go`] lets them go on.
    pub(super) fn quiesce(&mut self) {
        if !self.non_stop {
            return self.settle();
        }
        let over = self.stepping_over;
        self.stepped_over();
        self.hold_all();
        if let Some((tid, address)) = over
            && let Some(thread) = self.threads.get_mut(&tid)
            && thread.registers.pc(tid) == Ok(address)
        {
            // It has not got past the breakpoint yet.
            thread.passing = Some(address);
        }
    }

    /// Leaves one thread at rest, after its stop; the others go on.
    pub(super) fn settle_one(&mut self, tid: Tid) {
        if self.stepping_over.is_some_and(|(over, _)| over == tid) {
            self.stepped_over();
        }
        self.moving.retain(|&moving| moving != tid);
        self.breaking_in.take_if(|breaking_in| *breaking_in == tid);
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        thread.action = None;
        thread.halting = false;
        let Some(process) = self.processes.get_mut(&thread.id.pid) else { return };
        if process.attached {
            thread.disarm(process);
        }
        let pid = process.pid;
        if self.threads.values().all(|thread| thread.id.pid != pid || thread.action.is_none()) {
            process.lift();
        }
        // While others run the worker has no time of its own to do this in.
        self.rest();
    }

    /// Reports each stop that came up while threads were held.
    pub(super) fn report_all_pending(&mut self) {
        while let Some(tid) = self.first_pending() {
            self.report_pending(tid);
        }
    }
}

/// A thread that stands still because the client wants it to.
pub(super) fn halted(thread: ThreadId) -> Report {
    Report::Stopped { thread, signal: Signal::NONE, reason: Reason::Signal }
}
