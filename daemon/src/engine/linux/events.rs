//! What the kernel tells of debuggees, and what becomes of it.

use super::arch::{BREAKPOINT_CODE, PC_AFTER_BREAKPOINT, debug_registers};
use super::process::Process;
use super::thread::{Pending, State, Stop, Thread};
use super::tracing::{collect, collect_step};
use super::{Engine, Report, bit, interruptible, ptrace};
use crate::engine::trace::Tracing;
use dbgsrv_protocol::ids::Tid;
use dbgsrv_protocol::rsp::breakpoint::Kind;
use dbgsrv_protocol::rsp::resume::Action;
use dbgsrv_protocol::rsp::signal::Signal;
use dbgsrv_protocol::rsp::stop::Reason;
use interruptible::{CHILD, END, INPUT, OUTPUT};
use libc::c_int;
use nix::errno::Errno;
use std::mem;

/// What tells a stop at a system call from one for a signal (`PTRACE_O_TRACESYSGOOD`).
const SYSCALL: c_int = 0x80;

/// What a client may have to hear of even if it has them passed: GDB calls functions with a return address where code can't be
/// executed, and takes either for the return.
const MAYBE_BREAKPOINTS: [c_int; 2] = [libc::SIGILL, libc::SIGSEGV];

/// So many threads make it pay to wait for the one that runs alone.
const MANY: usize = 8;

/// How a wait ended.
#[derive(Debug)]
pub enum Wait {
    /// No thread runs and nothing is left to report.
    Idle,
    /// The client has sent something, or the session is to end.
    Interrupted,
    /// Here is news.
    Report(Report),
    /// Commands of breakpoints have printed this, or programs on their consoles.
    Output(Vec<u8>),
}

/// What a stop comes to.
pub(super) enum Cause {
    /// The thread goes on as it was.
    Again,
    /// It stays in its job's stop until the job continues.
    Listen,
    /// It stands at a breakpoint that is not meant for it.
    Pass,
    /// It stays stopped, and nobody needs to know.
    Rest,
    /// The client is told.
    Tell(Pending),
}

impl Engine {
    /// Waits until there is something to report, the stream has input, or the session is to end.
    pub fn wait(&mut self) -> Wait {
        loop {
            if !self.output.is_empty() {
                return Wait::Output(mem::take(&mut self.output));
            }
            if !self.consoles.is_empty() && interruptible::raised(INPUT | END) {
                return Wait::Interrupted;
            }
            if let Some(output) = self.printed() {
                return Wait::Output(output);
            }
            if let Some(report) = self.reports.pop_front() {
                return Wait::Report(report);
            }
            if !self.is_running() {
                return Wait::Idle;
            }
            let news = if self.consoles.is_empty() { INPUT | END } else { INPUT | END | OUTPUT };
            // With many threads, finding the one that runs among all takes the kernel longer than the rest of a step;
            // SIGCHLD then tells of those that end meanwhile.
            let one = match (self.stepping_over, &self.moving[..]) {
                _ if self.running != 1 || self.threads.len() < MANY || !interruptible::owns_process() => None,
                (Some((tid, _)), _) | (None, &[tid]) => Some(tid),
                _ => None,
            };
            let one = one.filter(|tid| self.threads.get(tid).is_some_and(Thread::is_active));
            let ends = if one.is_some() || self.only_leaders_move() { CHILD } else { 0 };
            match interruptible::wait(one.map_or(-1, Tid::raw), 0, news | ends) {
                Ok(Some((tid, status))) => self.handle(tid, status),
                Ok(None) => {}
                Err(Errno::EINTR) if interruptible::raised(INPUT | END) => return Wait::Interrupted,
                Err(Errno::EINTR) if interruptible::raised(news) => {}
                // A thread that executes a new program is not to be found by its old id.
                Err(errno) if errno == Errno::EINTR || one.is_some() => {
                    self.sweep();
                    self.give_up_dead_leaders();
                }
                Err(_) => self.forget_all(),
            }
        }
    }

    /// Looks at all statuses that are ready.
    pub(super) fn sweep(&mut self) {
        interruptible::clear(CHILD);
        while let Ok(Some((tid, status))) = interruptible::wait(-1, libc::WNOHANG, 0) {
            self.handle(tid, status);
        }
    }

    /// The kernel knows of no tracee: whatever we believed to run is gone.
    fn forget_all(&mut self) {
        for tid in self.threads.keys().copied().collect::<Vec<_>>() {
            self.forget_thread(tid);
        }
        for pid in self.processes().collect::<Vec<_>>() {
            self.process_ended(pid, Report::Signaled { pid, signal: Signal::KILL });
        }
    }

    /// A status of a thread that is meant to run.
    pub(super) fn handle(&mut self, tid: c_int, status: c_int) {
        let Some(tid) = Tid::new(tid) else { return };
        if !libc::WIFSTOPPED(status) {
            return self.ended(tid, status);
        }
        match self.wanted(tid, status) {
            Cause::Again => match self.stepping_over {
                Some((over, _)) if over == tid => self.start_step(tid),
                // Held until the step over a breakpoint is done.
                Some(_) => {}
                None => self.start(tid),
            },
            Cause::Listen => self.listen(tid),
            Cause::Pass => self.go(),
            Cause::Rest => self.check_running(),
            Cause::Tell(pending) => {
                self.report_stop(tid, &pending);
                if self.non_stop {
                    // The others may have been held for this thread's step.
                    self.go();
                }
            }
        }
    }

    /// A status of a thread that is being held.
    pub(super) fn absorb(&mut self, tid: Tid, status: c_int) {
        if !libc::WIFSTOPPED(status) {
            return self.ended(tid, status);
        }
        if let Cause::Tell(pending) = self.wanted(tid, status)
            && let Some(thread) = self.threads.get_mut(&tid)
        {
            thread.pending = Some(pending);
        }
    }

    fn listen(&mut self, tid: Tid) {
        if let Some(thread) = self.threads.get_mut(&tid)
            && ptrace::listen(tid).is_ok()
        {
            thread.state = State::Running { stepping: false };
            self.running += 1;
        }
    }

    /// What a stop comes to. A stop of whatever kind uses up an interrupt that was on its way, so a thread that was
    /// interrupted for the client stays.
    fn wanted(&mut self, tid: Tid, status: c_int) -> Cause {
        let cause = self.stopped_for(tid, status);
        match cause {
            Cause::Tell(_) => cause,
            _ if self.breaking_in == Some(tid) => Cause::Tell(Pending::BreakIn),
            _ if self.threads.get(&tid).is_some_and(|thread| thread.halting) => Cause::Tell(Pending::Halt),
            _ => cause,
        }
    }

    /// Notes that a thread has stopped, and finds out why.
    fn stopped_for(&mut self, tid: Tid, status: c_int) -> Cause {
        if status >> 16 == libc::PTRACE_EVENT_EXEC {
            self.revive_leader(tid);
        }
        let Some(thread) = self.threads.get_mut(&tid) else {
            if !self.let_go(tid, status) {
                self.unborn.insert(tid, status);
            }
            return Cause::Rest;
        };
        thread.stuck = false;
        let stepping = thread.is_stepping();
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        if !thread.is_stopped() {
            self.running -= 1;
        }
        thread.state = State::Stopped(match event {
            0 if signal & SYSCALL != 0 => Stop::Trap,
            0 => Stop::Signal,
            libc::PTRACE_EVENT_STOP if signal != libc::SIGTRAP => Stop::Group,
            _ => Stop::Trap,
        });
        match (event, signal) {
            (0, libc::SIGTRAP) => self.trap(tid, stepping),
            (0, signal) if signal == libc::SIGTRAP | SYSCALL => {
                self.syscall_stop(tid).map_or(Cause::Again, Cause::Tell)
            }
            (0, signal) => self.signal(tid, signal),
            (libc::PTRACE_EVENT_STOP, libc::SIGTRAP) => self.event_stop(tid, stepping),
            (libc::PTRACE_EVENT_STOP, _) if !self.ignores_stop(tid) => Cause::Listen,
            (libc::PTRACE_EVENT_STOP, _) => self.event_stop(tid, stepping),
            (libc::PTRACE_EVENT_CLONE, _) => self.cloned(tid),
            (libc::PTRACE_EVENT_FORK, _) => self.forked(tid, false),
            (libc::PTRACE_EVENT_VFORK, _) => self.forked(tid, true),
            (libc::PTRACE_EVENT_VFORK_DONE, _) => self.vfork_done(tid),
            (libc::PTRACE_EVENT_EXEC, _) => self.executed(tid),
            _ => Cause::Again,
        }
    }

    fn ignores_stop(&self, tid: Tid) -> bool {
        let process = self.threads.get(&tid).and_then(|thread| self.processes.get(&thread.id.pid));
        process.is_some_and(|process| process.ignores_stop)
    }

    /// Our interrupt, a new thread's first stop, or news of a job that continues.
    fn event_stop(&mut self, tid: Tid, stepping: bool) -> Cause {
        if let Some(status) = self.overtaken_trap(tid, stepping) {
            return self.stopped_for(tid, status);
        }
        let Some(thread) = self.threads.get_mut(&tid) else { return Cause::Rest };
        if mem::take(&mut thread.newborn) && self.thread_events {
            return Cause::Tell(Pending::Trap(Reason::Create));
        }
        if thread.action.is_some() { Cause::Again } else { Cause::Rest }
    }

    /// An interrupt overtakes the SIGTRAP of an instruction that has just been executed. What is left behind would come up
    /// when the thread goes on, when it makes no sense any more, or kill it once it is detached. So it is brought forward.
    fn overtaken_trap(&mut self, tid: Tid, stepping: bool) -> Option<c_int> {
        let thread = self.threads.get_mut(&tid)?;
        let process = self.processes.get(&thread.id.pid)?;
        let possible = stepping || process.breakpoints.is_planted() || !process.debug.is_empty();
        if !possible || !ptrace::has_pending_trap(tid) || ptrace::cont(tid, 0).is_err() {
            return None;
        }
        thread.registers.forget();
        thread.state = State::Running { stepping };
        self.running += 1;
        match interruptible::wait_for(tid) {
            Ok(status) if libc::WIFSTOPPED(status) => Some(status),
            Ok(status) => {
                self.ended(tid, status);
                None
            }
            Err(_) => None,
        }
    }

    fn signal(&mut self, tid: Tid, signal: c_int) -> Cause {
        let Some(thread) = self.threads.get_mut(&tid) else { return Cause::Rest };
        let wanted = thread.wants_step() || MAYBE_BREAKPOINTS.contains(&signal);
        let passes = self.pass_signals & bit(signal) != 0 && !wanted;
        // One that we sent may have been cancelled, as SIGCONT does with SIGSTOP, and this be somebody else's.
        let injected = thread.injected == Some(signal) && ptrace::is_own_signal(tid);
        if injected || passes {
            thread.injected = None;
            thread.signal = signal;
            return Cause::Again;
        }
        Cause::Tell(Pending::Signal(signal))
    }

    /// SIGTRAP: a step, a breakpoint, a watchpoint, or the program's own.
    fn trap(&mut self, tid: Tid, stepping: bool) -> Cause {
        let Some(thread) = self.threads.get_mut(&tid) else { return Cause::Rest };
        let Some(process) = self.processes.get_mut(&thread.id.pid) else { return Cause::Rest };
        if !process.debug.is_empty()
            && let Some(reason) = hardware_hit(thread, process)
        {
            self.restless.extend(process.attached.then_some((tid, false)));
            return Cause::Tell(Pending::Trap(reason));
        }
        // A step executes a breakpoint instruction only if there is one in memory; asking takes a system call.
        let int3 = (!stepping || process.breakpoints.is_planted()) && is_breakpoint(tid);
        if !int3 {
            return if stepping { self.stepped(tid) } else { self.signal(tid, libc::SIGTRAP) };
        }
        self.restless.extend(process.attached.then_some((tid, false)));
        let Ok(pc) = thread.registers.pc(tid) else { return Cause::Rest };
        let address = pc.wrapping_sub(PC_AFTER_BREAKPOINT);
        let ours = process.breakpoints.is_planted_at(address);
        if ours || self.interests.swbreak {
            // A thread that can't be rewound has been killed.
            let _ = thread.registers.rewind(tid, address);
        }
        process.breakpoints.hit(address);
        if ours {
            hit(thread, process, address, &mut self.tracing, &mut self.output)
        } else {
            Cause::Tell(Pending::Trap(Reason::SoftwareBreakpoint))
        }
    }

    fn stepped(&mut self, tid: Tid) -> Cause {
        let over = self.stepping_over.is_some_and(|(over, _)| over == tid);
        if over {
            self.stepped_over();
        }
        let Some(thread) = self.threads.get_mut(&tid) else { return Cause::Rest };
        let Some(process) = self.processes.get_mut(&thread.id.pid) else { return Cause::Rest };
        self.restless.extend(process.attached.then_some((tid, true)));
        collect_step(thread, process, &mut self.tracing);
        match thread.action {
            Some(Action::RangeStep { start, end }) => match thread.registers.pc(tid) {
                Ok(pc) if process.breakpoints.contains(pc) => {
                    hit(thread, process, pc, &mut self.tracing, &mut self.output)
                }
                // The others were held for this step.
                Ok(pc) if (start..end).contains(&pc) && over => Cause::Pass,
                Ok(pc) if (start..end).contains(&pc) => Cause::Again,
                _ => Cause::Tell(Pending::Trap(Reason::Step)),
            },
            Some(Action::Step(_)) => Cause::Tell(Pending::Trap(Reason::Step)),
            _ if over => Cause::Pass,
            _ => Cause::Again,
        }
    }

    /// Where the last thread that ran is gone or came to rest, the client must not wait for ever.
    pub(super) fn check_running(&mut self) {
        if self.holding || !self.non_stop && !self.owed {
            return;
        }
        if self.stepping_over.is_none() && (self.non_stop || self.running == 0 && self.reports.is_empty()) {
            self.go();
        }
        if !self.non_stop && self.owed && self.running == 0 && self.reports.is_empty() {
            self.report(Report::NoResumed);
        }
    }
}

/// Whether a SIGTRAP comes from a breakpoint instruction.
fn is_breakpoint(tid: Tid) -> bool {
    ptrace::signal_info(tid).is_ok_and(|info| info.si_code == BREAKPOINT_CODE)
}

/// A software breakpoint, or a tracepoint, was hit: does it concern the client?
fn hit(thread: &mut Thread, process: &Process, address: u64, tracing: &mut Tracing, output: &mut Vec<u8>) -> Cause {
    thread.passing = Some(address);
    collect(thread, process, address, tracing);
    if super::points::concerns_client(thread, process, address, output) {
        Cause::Tell(Pending::Trap(Reason::SoftwareBreakpoint))
    } else {
        Cause::Pass
    }
}

/// What the debug registers have to say on a trap.
fn hardware_hit(thread: &mut Thread, process: &Process) -> Option<Reason<'static>> {
    let status = ptrace::peek_debug_register(thread.id.tid, debug_registers::STATUS).ok()?;
    let hit = process.debug.hit(status)?;
    // The processor only ever sets these bits.
    let _ = ptrace::poke_debug_register(thread.id.tid, debug_registers::STATUS, 0);
    Some(match hit.kind {
        Kind::Hardware | Kind::Software => Reason::HardwareBreakpoint,
        kind => Reason::Watchpoint { kind, address: hit.address, register: hit.register },
    })
}
