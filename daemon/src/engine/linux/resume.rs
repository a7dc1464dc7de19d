//! Setting threads in motion.

use super::arch::{DebugRegisters, debug_registers};
use super::process::Process;
use super::thread::{State, Stop, Thread};
use super::{Engine, process_info, ptrace};
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::ids::{ThreadId, Tid};
use dbgsrv_protocol::rsp::resume::{Action, Actions};
use dbgsrv_protocol::rsp::thread::Selector;
use libc::c_int;
use nix::errno::Errno;

/// What stops a job, unless it is handled or ignored (signal(7)).
const STOP_SIGNALS: [c_int; 4] = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

impl Engine {
    /// Does what each thread is told to. Where one of them has a stop that was not reported yet, nothing moves and
    /// that stop is reported.
    ///
    /// `address` is where the threads that are named one by one go on, if not where they stand.
    ///
    /// # Errors
    /// [`Error::NoThread`] where no stopped thread is concerned.
    pub fn resume(&mut self, actions: Actions<'_>, address: Option<u64>) -> Result<()> {
        self.resume_except(actions, address, |_| false)
    }

    /// As [`Engine::resume`], but leaves threads alone for which `except` holds: those whose stop is still on its way to the
    /// client. It believes that they run, so it does not mean them when it lets all others go on.
    ///
    /// # Errors
    /// As there.
    pub fn resume_except(
        &mut self,
        actions: Actions<'_>,
        address: Option<u64>,
        except: impl Fn(ThreadId) -> bool,
    ) -> Result<()> {
        if !self.non_stop && !self.reports.is_empty() {
            return Ok(());
        }
        let before = self.moving.len();
        let mut halts = Vec::new();
        if actions.iter().any(|action| !matches!(action.thread.thread, Selector::One(_))) {
            self.newcomers = Some(Action::Continue(None));
            for thread in self.threads.values_mut().filter(|thread| thread.announced && !except(thread.id)) {
                if let Some(first) = actions.iter().find(|action| action.thread.admits(thread.id)) {
                    thread.tell(first.action, &mut self.moving, &mut halts);
                }
            }
        } else {
            for each in actions.iter() {
                let Selector::One(tid) = each.thread.thread else { continue };
                let meant = |thread: &&mut Thread| each.thread.admits(thread.id) && !except(thread.id);
                if let Some(thread) = self.threads.get_mut(&tid).filter(meant) {
                    thread.tell(each.action, &mut self.moving, &mut halts);
                }
            }
        }
        for tid in halts.drain(..) {
            self.halt(tid);
        }
        match (self.moving.get(before).copied(), address) {
            (None, _) if !self.non_stop => return Err(Error::NoThread),
            (Some(first), Some(pc)) => {
                if let Some(thread) = self.threads.get_mut(&first) {
                    thread.registers.set_pc(first, pc)?;
                }
            }
            _ => {}
        }
        self.owed = true;
        self.go();
        if self.interrupt_owed {
            self.interrupt();
        }
        Ok(())
    }

    /// Brings every thread that has something to do into motion, or what must come before: a stop to be reported, a
    /// step over a breakpoint.
    pub(super) fn go(&mut self) {
        if self.stepping_over.is_some() {
            return;
        }
        if self.non_stop {
            self.report_all_pending();
        } else if !self.reports.is_empty() {
            return self.settle();
        } else if let Some(tid) = self.first_pending() {
            return self.report_pending(tid);
        }
        if !self.moves_alone() {
            if let Some((tid, address)) = self.at_breakpoint() {
                return self.step_over(tid, address);
            }
            for process in self.processes.values_mut() {
                process.plant(&self.journal);
            }
        }
        for index in 0..self.moving.len() {
            self.start(self.moving[index]);
        }
    }

    /// Whether the one thread in motion executes one instruction at a time: then no breakpoint has to be in memory, except
    /// one that is under the thread and that it has not hit yet.
    fn moves_alone(&mut self) -> bool {
        let [tid] = self.moving[..] else { return false };
        let Some(thread) = self.threads.get_mut(&tid).filter(|thread| thread.is_told_to_step()) else { return false };
        let Some(process) = self.processes.get(&thread.id.pid) else { return false };
        if process.breakpoints.is_empty() || !thread.is_stopped() {
            return true;
        }
        let pc = thread.registers.pc(tid);
        pc.is_ok_and(|pc| thread.passing == Some(pc) || !process.breakpoints.contains(pc))
    }

    pub(super) fn first_pending(&self) -> Option<Tid> {
        let mut moving = self.moving.iter().filter_map(|tid| self.threads.get(tid));
        moving.find(|thread| thread.pending.is_some()).map(|thread| thread.id.tid)
    }

    /// A thread that stands at a breakpoint which it has hit already.
    fn at_breakpoint(&mut self) -> Option<(Tid, u64)> {
        for tid in &self.moving {
            let Some(thread) = self.threads.get_mut(tid) else { continue };
            let Some(address) = thread.passing.filter(|_| thread.is_stopped()) else { continue };
            let process = self.processes.get(&thread.id.pid)?;
            if process.breakpoints.contains(address) && thread.registers.pc(*tid) == Ok(address) {
                return Some((*tid, address));
            }
            thread.passing = None;
        }
        None
    }

    /// Resumes a stopped thread according to its action.
    pub(super) fn start(&mut self, tid: Tid) {
        let pid = self.threads.get(&tid).map(|thread| thread.id.pid);
        if let Some(pid) = pid.filter(|pid| self.processes.get(pid).is_some_and(|process| process.borrows)) {
            self.lift_for(pid);
        }
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        let Some(process) = self.processes.get_mut(&thread.id.pid) else { return };
        if thread.is_stopped() && thread.action.is_some() {
            if thread.state == State::Stopped(Stop::Group) {
                process.ignores_stop = true;
            } else if STOP_SIGNALS.contains(&thread.signal) {
                process.ignores_stop = false;
            }
            process.breakpoints.let_run();
            thread.run(process, thread.wants_step());
            self.running += 1;
            self.restless.retain(|&(restless, _)| restless != tid);
        }
    }

    /// Resumes a stopped thread by one instruction, whatever its action.
    pub(super) fn start_step(&mut self, tid: Tid) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        let Some(process) = self.processes.get(&thread.id.pid) else { return };
        thread.run(process, true);
        self.running += 1;
        self.restless.retain(|&(restless, _)| restless != tid);
    }

    /// Asks a running thread to stop, so that the client gets a stop to look at. A client that resumes by itself after
    /// stops that it keeps from its user can't tell whether it interrupts a running program, so one that does not is
    /// remembered.
    pub fn interrupt(&mut self) {
        let running = self.threads.values().filter(|thread| thread.is_active()).map(|thread| thread.id);
        // A leader that has ended before its threads takes interrupts, and never stops.
        let mut alive = running.filter(|id| process_info::state(id.pid, id.tid) != Some(b'Z'));
        self.breaking_in = alive.find(|id| ptrace::interrupt(id.tid).is_ok()).map(|id| id.tid);
        self.interrupt_owed = self.breaking_in.is_none() && self.has_processes();
    }

    /// Reports a stop that came up while the client could not be told.
    pub(super) fn report_pending(&mut self, tid: Tid) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        if let Some(pending) = thread.pending.take() {
            self.report_stop(tid, &pending);
        }
    }

    /// Puts threads to rest that stopped for a breakpoint, a watchpoint or a step, in processes that outlive the session.
    ///
    /// To the kernel these are threads about to get a SIGTRAP: should this worker be killed, it would be delivered, and
    /// the program die. After a step the trap flag is still set besides. So such a thread is resumed without the
    /// signal, and stopped again before it executes anything. Steps often come in long rows, so after a step it is left
    /// to the caller when to do this; after anything else it is done before the client hears of the stop.
    pub fn rest(&mut self) {
        for (tid, _) in std::mem::take(&mut self.restless) {
            self.calm(tid);
        }
        self.let_leaving_go();
    }

    /// Whether [`Engine::rest`] has something to do.
    #[must_use]
    pub fn needs_rest(&self) -> bool {
        !self.restless.is_empty() || !self.leaving.is_empty()
    }

    /// [`Engine::rest`] for all but those that stopped after a step.
    pub(super) fn rest_at_breakpoints(&mut self) {
        while let Some(index) = self.restless.iter().position(|(_, stepped)| !stepped) {
            let (tid, _) = self.restless.swap_remove(index);
            self.calm(tid);
        }
    }

    fn calm(&mut self, tid: Tid) {
        let Some(thread) = self.threads.get_mut(&tid).filter(|thread| thread.is_stopped()) else { return };
        let Some(process) = self.processes.get(&thread.id.pid) else { return };
        let stopped = thread.registers.flush(tid, process.arch).and_then(|()| ptrace::interrupt(tid));
        if stopped.and_then(|()| ptrace::cont(tid, 0)).is_ok() {
            thread.registers.forget();
            thread.state = State::Running { stepping: false };
            self.running += 1;
            self.await_stop(tid);
        }
    }
}

impl Thread {
    /// Takes an instruction of the client, if it can be followed in the thread's state; the lists note who has.
    fn tell(&mut self, action: Action, moving: &mut Vec<Tid>, halts: &mut Vec<Tid>) {
        if action == Action::Stop {
            halts.push(self.id.tid);
        } else if (self.is_stopped() || self.stuck) && self.action.is_none() {
            self.assign(action);
            moving.push(self.id.tid);
        }
    }

    fn assign(&mut self, action: Action) {
        self.action = Some(action);
        self.undelivered = 0;
        if let Action::Continue(Some(signal)) | Action::Step(Some(signal)) = action {
            self.signal = signal.to_linux().unwrap_or(0);
        }
    }

    /// Writes back what was changed and lets the thread run.
    fn run(&mut self, process: &Process, stepping: bool) {
        let tid = self.id.tid;
        // Where a call fails with ESRCH the thread has been killed, and its end is about to be reported.
        let _ = self.prepare(process);
        let signal = self.take_signal();
        let resumed = if stepping {
            ptrace::step(tid, signal)
        } else if process.catch.is_on() {
            ptrace::cont_to_syscall(tid, signal)
        } else {
            ptrace::cont(tid, signal)
        };
        debug_assert!(matches!(resumed, Ok(()) | Err(Errno::ESRCH)), "{tid}: {resumed:?}");
        self.passing = None;
        self.stuck = self.lending;
        self.state = State::Running { stepping };
    }

    /// Switches the debug registers off for as long as the thread stands still: should this worker be killed, the thread
    /// goes on at once, and nobody is left to take the trap.
    pub(super) fn disarm(&mut self, process: &Process) {
        if self.is_stopped() && !self.disarmed && self.debug_version != 0 && !process.debug.is_empty() {
            // A thread that can't be written to has been killed.
            let _ = ptrace::poke_debug_register(self.id.tid, debug_registers::CONTROL, 0);
            self.disarmed = true;
        }
    }

    /// Brings the kernel's idea of a stopped thread up to date.
    pub(super) fn prepare(&mut self, process: &Process) -> std::result::Result<(), Errno> {
        let flushed = self.registers.flush(self.id.tid, process.arch);
        self.registers.forget();
        let disarmed = std::mem::take(&mut self.disarmed);
        if self.debug_version != process.debug_version {
            self.debug_version = process.debug_version;
            store_debug_registers(self.id.tid, &process.debug)?;
        } else if disarmed {
            ptrace::poke_debug_register(self.id.tid, debug_registers::CONTROL, process.debug.dr7())?;
        }
        flushed
    }

    /// The signal to resume with. Only a thread that stopped for a signal can be resumed with one; others get it sent,
    /// and it passes when it arrives.
    fn take_signal(&mut self) -> c_int {
        let signal = std::mem::take(&mut self.signal);
        if signal == 0 || self.state == State::Stopped(Stop::Signal) {
            return signal;
        }
        if send_signal(self.id, signal).is_ok() {
            self.injected = Some(signal);
        }
        0
    }
}

/// The addresses before the control register: what it switches on must be there.
fn store_debug_registers(tid: Tid, debug: &DebugRegisters) -> std::result::Result<(), Errno> {
    // The kernel checks each address against what the control register says of its slot.
    ptrace::poke_debug_register(tid, debug_registers::CONTROL, 0)?;
    if debug.is_empty() {
        return Ok(());
    }
    for (register, address) in debug.addresses().into_iter().enumerate() {
        ptrace::poke_debug_register(tid, register, address)?;
    }
    ptrace::poke_debug_register(tid, debug_registers::CONTROL, debug.dr7())
}

/// Sends a signal to one thread (tgkill(2)).
#[expect(unsafe_code, reason = "libc and nix have no wrapper for tgkill")]
pub(super) fn send_signal(thread: ThreadId, signal: c_int) -> std::result::Result<(), Errno> {
    // SAFETY: takes integers only.
    Errno::result(unsafe { libc::syscall(libc::SYS_tgkill, thread.pid.raw(), thread.tid.raw(), signal) }).map(drop)
}
