//! Bringing threads to a stop, and telling the client.

use super::non_stop::halted;
use super::thread::{Pending, State};
use super::{Engine, Report, interruptible, process_info, ptrace};
use dbgsrv_protocol::ids::{Pid, Tid};
use dbgsrv_protocol::rsp::signal::Signal;
use dbgsrv_protocol::rsp::stop::Reason;
use nix::errno::Errno;
use std::time::Duration;

/// How many milliseconds a thread may take to stop before it counts as stuck.
const PATIENCE: u32 = 200;

impl Engine {
    /// Stops every running thread. What they stop for meanwhile is kept for the next resume.
    pub(super) fn hold_all(&mut self) {
        self.holding = true;
        while self.running > 0 {
            // The leaders last: one that has ended stops only when all others have.
            let running = self.threads.values().filter(|thread| thread.is_active()).map(|thread| thread.id);
            let (leaders, others): (Vec<_>, Vec<_>) = running.partition(|id| id.tid == id.pid.leader());
            if leaders.is_empty() && others.is_empty() {
                break;
            }
            for id in others.iter().chain(&leaders) {
                // A thread that has been killed can't be interrupted; its end comes instead of a stop.
                let _ = ptrace::interrupt(id.tid);
            }
            for id in others.iter().chain(&leaders) {
                self.await_stop(id.tid);
            }
        }
        self.holding = false;
    }

    /// Waits until a running thread, which was interrupted, has stopped, is gone or is stuck.
    pub(super) fn await_stop(&mut self, tid: Tid) {
        let mut patience = PATIENCE;
        while let Some(thread) = self.threads.get_mut(&tid).filter(|thread| thread.is_active()) {
            if patience == 0 {
                thread.stuck = true;
                if let Some(process) = self.processes.get_mut(&thread.id.pid)
                    && process_info::system_call(thread.id).is_some_and(|number| process.arch.is_vfork(number))
                {
                    // It was before it was attached to.
                    (thread.lending, thread.lent) = (true, true);
                    process.vfork_children += 1;
                }
                return;
            }
            match self.next_status(tid) {
                Ok(Some((tid, status))) => self.absorb(tid, status),
                Ok(None) => {
                    std::thread::sleep(Duration::from_millis(1));
                    patience -= 1;
                }
                Err(Errno::EINTR) => {}
                Err(_) => self.forget_thread(tid),
            }
        }
    }

    /// The next status of one thread, or of another that must be looked at first. A leader that ended before its other
    /// threads never stops again and reports its end only after theirs, of which some may not be known yet, and a
    /// thread may wait for another that is held, so nobody may block on these: `None` where it is still on its way.
    fn next_status(&mut self, tid: Tid) -> Result<Option<(Tid, i32)>, Errno> {
        let Some(thread) = self.threads.get(&tid) else { return Err(Errno::ECHILD) };
        let pid = thread.id.pid;
        // It is there in microseconds, unless it is gone.
        for _ in 0..64 {
            if let Some((_, status)) = interruptible::wait(tid.raw(), libc::WNOHANG, 0)? {
                return Ok(Some((tid, status)));
            }
            std::thread::yield_now();
        }
        match process_info::state(pid, tid) {
            Some(b'D') => Ok(None),
            Some(b'Z') if self.threads_of(pid).nth(1).is_some() => Err(Errno::ECHILD),
            _ if tid != pid.leader() => interruptible::wait_for(tid).map(|status| Some((tid, status))),
            _ if self.threads_of(pid).nth(1).is_some() => Ok(None),
            _ => {
                let any = interruptible::wait(-1, 0, 0)?;
                Ok(any.and_then(|(tid, status)| Some((Tid::new(tid)?, status))))
            }
        }
    }

    pub(super) fn threads_of(&self, pid: Pid) -> impl Iterator<Item = Tid> {
        self.threads.values().filter(move |thread| thread.id.pid == pid).map(|thread| thread.id.tid)
    }

    /// Tells the client of a thread's stop: everything else stops too.
    pub(super) fn report_stop(&mut self, tid: Tid, pending: &Pending) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        let id = thread.id;
        let stopped = |signal, reason| Report::Stopped { thread: id, signal, reason };
        let report = match *pending {
            Pending::Exec => Report::Executed { thread: id },
            Pending::BreakIn => {
                self.breaking_in = None;
                stopped(self.interests.interrupt.unwrap_or(Signal::INT), Reason::Signal)
            }
            Pending::Halt => halted(id),
            Pending::Signal(signal) => {
                thread.undelivered = signal;
                stopped(Signal::from_linux(signal), Reason::Signal)
            }
            Pending::Trap(reason) => stopped(Signal::TRAP, reason),
        };
        if let Report::Stopped { reason: Reason::Fork(child) | Reason::Vfork(child), .. } = report
            && let Some(child) = self.threads.get_mut(&child.tid)
        {
            child.announced = true;
        }
        if self.non_stop {
            self.reports.push_back(report);
            self.settle_one(tid);
        } else {
            self.report(report);
        }
    }

    /// Tells the client something, in all-stop mode with everything at rest.
    pub(super) fn report(&mut self, report: Report) {
        self.reports.push_back(report);
        if !self.holding && !self.non_stop {
            self.settle();
        }
    }

    /// Brings everything to rest, so that the client can look at it.
    pub(super) fn settle(&mut self) {
        self.stepped_over();
        self.hold_all();
        for process in self.processes.values_mut() {
            process.lift();
            if process.attached && process.debug_version != 0 {
                let threads = self.threads.values_mut().filter(|thread| thread.id.pid == process.pid);
                threads.for_each(|thread| thread.disarm(process));
            }
        }
        for tid in self.moving.drain(..) {
            let Some(thread) = self.threads.get_mut(&tid) else { continue };
            thread.action = None;
            match thread.pending {
                // The thread hits it again when it goes on, if it is still there then.
                Some(Pending::Trap(Reason::SoftwareBreakpoint)) => (thread.pending, thread.passing) = (None, None),
                // The client has its stop, and sees where a step has led.
                Some(Pending::BreakIn | Pending::Trap(Reason::Step)) => thread.pending = None,
                _ => {}
            }
        }
        self.owed = false;
        self.interrupt_owed |= self.breaking_in.take().is_some();
        self.newcomers = None;
        self.rest_at_breakpoints();
    }

    /// The thread has ended, or will not be heard of again.
    pub(super) fn forget_thread(&mut self, tid: Tid) {
        let Some(thread) = self.threads.remove(&tid) else { return };
        self.moving.retain(|&moving| moving != tid);
        if !matches!(thread.state, State::Stopped(_)) {
            self.running -= 1;
        }
        if self.breaking_in.take_if(|breaking_in| *breaking_in == tid).is_some() {
            self.interrupt();
        }
        let pid = thread.id.pid;
        if let Some((_, address)) = self.stepping_over.take_if(|(over, _)| *over == tid)
            && let Some(process) = self.processes.get_mut(&pid)
        {
            process.breakpoints.plant_one(address, &process.memory);
        }
        let other = self.threads_of(pid).next();
        if let Some(other) = other
            && let Some(process) = self.processes.get_mut(&pid)
        {
            process.retask(other);
        }
    }
}
