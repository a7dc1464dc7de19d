//! Taking processes over, and letting go of them.

use super::arch::{DebugRegisters, debug_registers};
use super::consoles::Consoles;
use super::process::Process;
use super::refusal::{check_attach, explain_attach};
use super::thread::{Pending, State, Stop, Thread};
use super::{Engine, Report, bit, interruptible, process_info, ptrace};
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::ids::{Pid, ThreadId, Tid};
use dbgsrv_protocol::rsp::signal::Signal;
use dbgsrv_protocol::rsp::stop::Reason;
use libc::c_int;
use nix::errno::Errno;
use nix::sys::signal::{Signal as NixSignal, kill};

/// How often an attach looks for threads that it does not trace yet, before it leaves those alone that it can't.
const LOOKS: u32 = 100;

/// What came of looking for threads.
#[derive(Default)]
struct Look {
    /// How many are traced now that were not.
    seized: usize,
    /// How many could not be.
    missed: usize,
}

/// What becomes of the debuggees that a session leaves behind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// It goes on by itself.
    Detached,
    /// It was killed.
    Killed,
}

impl Engine {
    /// Attaches to all threads of a running process and stops them.
    ///
    /// # Errors
    /// [`Error::Attach`] with the reason.
    pub fn attach(&mut self, pid: Pid) -> Result<ThreadId> {
        if self.processes.contains_key(&pid) {
            return Err(explain_attach(pid, Errno::EBUSY).into());
        }
        check_attach(pid)?;
        let mut process = Process::new(pid, true)
            .map_err(|error| explain_attach(pid, error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)))?;
        let slot = self.journal.add_process(pid)?;
        if let Err(errno) = self.seize_all(pid) {
            self.journal.remove_process(slot);
            return Err(explain_attach(pid, errno).into());
        }
        process.slot = Some(slot);
        self.interrupt_owed = false;
        self.processes.insert(pid, process);
        self.quiesce();
        self.hold_newcomers(pid);
        self.bring_signals_forward(pid);
        if self.non_stop {
            // Threads of other processes were held too.
            self.go();
        }
        let attached = self.threads_of(pid).next().map(|tid| ThreadId { pid, tid });
        if attached.is_none() {
            // It has been killed meanwhile, and the client knew nothing of it.
            self.forget_reports(pid);
        }
        attached.ok_or(Error::NoProcess)
    }

    /// Stops threads that came up during the attach and were not born of one that was already traced.
    fn hold_newcomers(&mut self, pid: Pid) {
        // A thread that ends while the directory is read hides those after it. Only one that is unknown can end, and it is
        // seen itself. Some can't be seized however often one looks: a leader that has ended, and another tracer's.
        for _ in 0..LOOKS {
            // As long as they are not waited for, threads that have ended count.
            if process_info::thread_count(pid) == Some(self.threads_of(pid).count()) {
                return;
            }
            match self.seize_all(pid) {
                Ok(Look { seized: 0, missed: 0 }) | Err(_) => return,
                Ok(Look { seized: 0, .. }) => std::thread::yield_now(),
                Ok(_) => self.hold_all(),
            }
        }
    }

    /// Has each thread of a process take the signal that waits for it, so that the client hears of it: the interrupt of an
    /// attach overtakes all signals.
    fn bring_signals_forward(&mut self, pid: Pid) {
        // Hardly ever is there any, and each thread that has to be asked takes its time.
        if !process_info::has_queued_signals(pid) {
            return;
        }
        self.holding = true;
        let threads = self.threads_of(pid).collect::<Vec<_>>();
        let for_any = threads.first().is_some_and(|&tid| ptrace::has_queued_signal(tid, true));
        for tid in threads {
            let interrupted = self.threads.get_mut(&tid).filter(|thread| thread.state == State::Stopped(Stop::Trap));
            let Some(thread) = interrupted.filter(|thread| thread.pending.is_none()) else { continue };
            // To find out whether it is blocked takes longer.
            let is_queued = for_any || ptrace::has_queued_signal(tid, false);
            if is_queued && process_info::has_signal_to_take(tid) && ptrace::cont(tid, 0).is_ok() {
                thread.registers.forget();
                thread.state = State::Running { stepping: false };
                self.running += 1;
                self.await_briefly(tid);
            }
        }
        // What another thread has taken, or a signal that was cancelled, leaves one running.
        self.hold_all();
    }

    /// Waits for the stop of a thread that is about to come, but does not insist.
    fn await_briefly(&mut self, tid: Tid) {
        for _ in 0..64 {
            match interruptible::wait(tid.raw(), libc::WNOHANG, 0) {
                Ok(Some((_, status))) => return self.absorb(tid, status),
                Ok(None) => std::thread::yield_now(),
                Err(_) => return,
            }
        }
    }

    /// The signal with which a thread stands still after an attach, if there is one; the client is about to be told.
    pub fn take_signal_at_attach(&mut self, thread: ThreadId) -> Signal {
        let Some(thread) = self.threads.get_mut(&thread.tid) else { return Signal::NONE };
        match thread.pending.take_if(|pending| matches!(pending, Pending::Signal(_))) {
            Some(Pending::Signal(signal)) => {
                thread.undelivered = signal;
                Signal::from_linux(signal)
            }
            _ => Signal::NONE,
        }
    }

    /// Becomes the tracer of every thread that it does not trace yet.
    fn seize_all(&mut self, pid: Pid) -> std::result::Result<Look, Errno> {
        let mut look = Look::default();
        let mut traced = self.threads_of(pid).next().is_some();
        for tid in process_info::threads(pid) {
            if self.threads.contains_key(&tid) || self.unborn.contains_key(&tid) {
                continue;
            }
            match ptrace::seize(tid, ptrace::OPTIONS) {
                Ok(()) => {}
                // It ended since the directory was read, or it was born of a traced thread.
                Err(_) if traced => {
                    look.missed += 1;
                    continue;
                }
                Err(errno) => return Err(errno),
            }
            traced = true;
            self.threads.insert(tid, Thread::new(ThreadId { pid, tid }));
            self.running += 1;
            look.seized += 1;
        }
        if traced { Ok(look) } else { Err(Errno::ESRCH) }
    }

    /// Lets a process go on as it was found: breakpoints out, debug registers clear, no stray stop.
    ///
    /// # Errors
    /// [`Error::NoProcess`].
    pub fn detach(&mut self, pid: Pid) -> Result<()> {
        self.process(pid)?;
        self.quiesce();
        self.lift_for(pid);
        let Some(mut process) = self.processes.remove(&pid) else { return Err(Error::NoProcess) };
        process.lift();
        process.breakpoints.clear(&self.journal);
        if process.debug_version != 0 {
            process.debug = DebugRegisters::default();
            process.debug_version += 1;
        }
        let has_leader = self.threads.contains_key(&pid.leader());
        for tid in self.threads_of(pid).collect::<Vec<_>>() {
            self.moving.retain(|&moving| moving != tid);
            if let Some(mut thread) = self.threads.remove(&tid) {
                if thread.stuck {
                    self.running -= 1;
                    self.leaving.push(tid);
                    continue;
                }
                // A thread that was killed meanwhile needs no restoring, but somebody who takes note of its end.
                let _ = thread.prepare(&process);
                if ptrace::detach(tid, self.signal_left(&thread)).is_err() {
                    self.leaving.push(tid);
                }
                self.release_child(&thread);
            }
        }
        if !has_leader {
            // It has ended before its threads. Nobody else hears of the process's end before we have.
            self.leaving.push(pid.leader());
        }
        process.strike(&self.journal);
        self.forget_reports(pid);
        if self.processes.is_empty() {
            // What is let go must not be held up by a console that is read only while somebody is waited for.
            self.consoles = Consoles::default();
        }
        if self.non_stop {
            self.go();
        }
        Ok(())
    }

    /// Lets go of a process, and leaves it stopped as SIGSTOP does, until somebody continues it.
    ///
    /// # Errors
    /// [`Error::NoProcess`], and what sending the signal fails with.
    pub fn detach_stopped(&mut self, pid: Pid) -> Result<()> {
        self.process(pid)?;
        // It takes effect once nobody traces the process any more.
        kill(nix::unistd::Pid::from_raw(pid.raw()), NixSignal::SIGSTOP)?;
        self.detach(pid)
    }

    /// Lets a child go that the client will not hear of, because its parent's stop is no news any more.
    fn release_child(&mut self, parent: &Thread) {
        if let Some(pending) = &parent.pending {
            self.release_child_of(pending);
        }
    }

    pub(super) fn release_child_of(&mut self, stop: &Pending) {
        let Pending::Trap(Reason::Fork(child) | Reason::Vfork(child)) = *stop else { return };
        self.lift_for(child.pid);
        if self.threads.remove(&child.tid).is_some() {
            if let Some(mut process) = self.processes.remove(&child.pid) {
                process.strike(&self.journal);
            }
            // Where it has been killed there is nobody to let go.
            let _ = ptrace::detach(child.tid, 0);
        }
    }

    /// Lets a thread go that has stopped at last; whether it is such a one.
    pub(super) fn let_go(&mut self, tid: Tid, status: c_int) -> bool {
        let Some(index) = self.leaving.iter().position(|&leaving| leaving == tid) else { return false };
        self.leaving.swap_remove(index);
        let signal = if status >> 16 == 0 { libc::WSTOPSIG(status) } else { 0 };
        // Both fail only where it has been killed.
        let _ = ptrace::poke_debug_register(tid, debug_registers::CONTROL, 0);
        let _ = ptrace::detach(tid, signal);
        true
    }

    /// Looks whether threads can be let go that could not be stopped before.
    pub(super) fn let_leaving_go(&mut self) {
        for tid in self.leaving.clone() {
            match interruptible::wait(tid.raw(), libc::WNOHANG, 0) {
                Ok(Some((_, status))) if libc::WIFSTOPPED(status) => {
                    self.let_go(tid, status);
                }
                Ok(None) | Err(Errno::EINTR) => {}
                Ok(Some(_)) | Err(_) => self.leaving.retain(|&leaving| leaving != tid),
            }
        }
    }

    /// The signal that a thread was about to get when its debugger went.
    fn signal_left(&self, thread: &Thread) -> c_int {
        let signal = match thread.pending {
            Some(Pending::Signal(signal)) => signal,
            // One that needed no report, or that the client has already sent on.
            _ if thread.signal != 0 => thread.signal,
            _ => thread.undelivered,
        };
        let wanted = self.program_signals.map_or(signal != libc::SIGTRAP, |signals| signals & bit(signal) != 0);
        if thread.state == State::Stopped(Stop::Signal) && wanted { signal } else { 0 }
    }

    /// Chooses the signals that a program gets when its debugger goes while they are on their way.
    pub fn set_program_signals(&mut self, signals: impl Iterator<Item = Signal>) {
        self.program_signals = Some(super::signal_set(signals));
    }

    /// Ends a process.
    ///
    /// # Errors
    /// [`Error::NoProcess`].
    pub fn kill(&mut self, pid: Pid) -> Result<()> {
        self.process(pid)?;
        self.quiesce();
        if self.processes.contains_key(&pid) {
            // ESRCH: it has ended by itself, and is reaped all the same.
            let _ = kill(nix::unistd::Pid::from_raw(pid.raw()), NixSignal::SIGKILL);
            self.reap(pid);
        }
        self.forget_reports(pid);
        if self.non_stop {
            self.go();
        }
        Ok(())
    }

    /// The client has let go of the process: what came up since is no news.
    fn forget_reports(&mut self, pid: Pid) {
        self.reports.retain(|report| match *report {
            Report::Attached { thread, .. }
            | Report::Executed { thread }
            | Report::Stopped { thread, .. }
            | Report::ThreadExited { thread, .. } => thread.pid != pid,
            Report::Exited { pid: other, .. } | Report::Signaled { pid: other, .. } => other != pid,
            Report::NoResumed => true,
        });
    }

    /// Takes note of the end of a process that has been killed. The leader's end comes after all others', of which some
    /// may not be known: threads that were just being started.
    fn reap(&mut self, pid: Pid) {
        let others = self.threads_of(pid).filter(|&tid| tid != pid.leader()).collect::<Vec<_>>();
        for tid in others {
            while interruptible::wait_for(tid).is_ok_and(|status| libc::WIFSTOPPED(status)) {}
            self.forget_thread(tid);
        }
        self.holding = true;
        while self.processes.contains_key(&pid) {
            match interruptible::wait(-1, 0, 0) {
                Ok(Some((tid, status))) => Tid::new(tid).into_iter().for_each(|tid| self.absorb(tid, status)),
                Ok(None) | Err(Errno::EINTR) => {}
                // The kernel knows of no tracee any more.
                Err(_) => self.process_ended(pid, Report::Signaled { pid, signal: Signal::KILL }),
            }
        }
        self.holding = false;
    }

    /// Ends the session: processes that it created are killed, others detached.
    pub fn end(&mut self) -> Vec<(Pid, Ending)> {
        let mut ended = Vec::new();
        while let Some((&pid, process)) = self.processes.first_key_value() {
            let ending = if process.attached { Ending::Detached } else { Ending::Killed };
            let done = if process.attached { self.detach(pid) } else { self.kill(pid) };
            if done.is_ok() {
                ended.push((pid, ending));
            }
        }
        self.reports.clear();
        ended
    }
}
