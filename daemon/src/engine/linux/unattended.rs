//! Debuggees whose client has gone while the session stays, for the next one.

use super::arch::DebugRegisters;
use super::thread::Pending;
use super::{Engine, Interests, Report};
use dbgsrv_protocol::ids::Tid;
use dbgsrv_protocol::rsp::resume::Action;
use dbgsrv_protocol::rsp::signal::Signal;

impl Engine {
    /// Stops every thread and forgets what a client has set up: breakpoints, catchpoints, signals to pass, non-stop mode,
    /// and stops that it was not told of. Returns the threads that it had resumed, for [`Engine::let_run`].
    ///
    /// Ends of processes are still reported.
    pub fn take_back(&mut self) -> Vec<Tid> {
        let ran = self.moving.clone();
        self.quiesce();
        self.set_non_stop(false);
        self.settle();
        for process in self.processes.values_mut() {
            process.lift();
            process.breakpoints.clear(&self.journal);
            process.hardware.clear();
            process.catch = super::Catch::None;
            if process.debug_version != 0 {
                process.debug = DebugRegisters::default();
                process.debug_version += 1;
            }
        }
        self.forget_stops();
        self.pass_signals = 0;
        self.program_signals = None;
        self.interests = Interests::default();
        self.set_thread_events(false);
        self.output.clear();
        self.interrupt_owed = false;
        ran
    }

    /// Forgets stops that only the client which caused them would understand; signals reach the program.
    fn forget_stops(&mut self) {
        self.reports.retain(|report| matches!(report, Report::Exited { .. } | Report::Signaled { .. }));
        for tid in self.threads.keys().copied().collect::<Vec<_>>() {
            let Some(thread) = self.threads.get_mut(&tid) else { continue };
            thread.passing = None;
            if let Some(pending) = thread.pending.take_if(|pending| !matches!(pending, Pending::Signal(_))) {
                self.release_child_of(&pending);
            }
        }
    }

    /// Has these threads go on, as far as they are still there.
    pub fn let_run(&mut self, threads: &[Tid]) {
        self.newcomers = Some(Action::Continue(None));
        for tid in threads {
            if let Some(thread) = self.threads.get_mut(tid).filter(|thread| thread.action.is_none()) {
                thread.action = Some(Action::Continue(None));
                self.moving.push(*tid);
            }
        }
        self.owed = !self.moving.is_empty();
        self.go();
    }

    /// Has every thread go on but the first of each process.
    pub fn let_others_run(&mut self) {
        let others = self.standing().filter(|thread| thread.tid != thread.pid.leader()).map(|thread| thread.tid);
        let others = others.collect::<Vec<_>>();
        self.let_run(&others);
    }

    /// Has every thread go on after a stop that nobody is there to be told of, `tid` with the signal that it stopped for.
    pub fn pass_on(&mut self, tid: Tid, signal: Signal) {
        if let Some(thread) = self.threads.get_mut(&tid) {
            thread.signal = signal.to_linux().unwrap_or(0);
            thread.undelivered = 0;
        }
        let all =
            self.threads.values().filter(|thread| thread.announced).map(|thread| thread.id.tid).collect::<Vec<_>>();
        self.let_run(&all);
    }
}
