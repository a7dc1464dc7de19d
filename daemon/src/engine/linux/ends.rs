//! Threads and processes that end, and programs that give way to another: exit(2), execve(2).

use super::events::Cause;
use super::thread::{Pending, State, Stop, Thread};
use super::{Engine, Report, interruptible, process_info, ptrace};
use dbgsrv_protocol::ids::{Pid, ThreadId, Tid};
use dbgsrv_protocol::rsp::signal::Signal;
use libc::c_int;

impl Engine {
    /// A leader that ended before its threads comes back when one of them runs a new program, or to report its end.
    pub(super) fn revive_leader(&mut self, tid: Tid) {
        if let Some(pid) = Pid::new(tid.raw()).filter(|pid| self.processes.contains_key(pid))
            && !self.threads.contains_key(&tid)
        {
            self.threads.insert(tid, Thread::new(ThreadId { pid, tid }));
            self.running += 1;
        }
    }

    /// Whether nothing moves but leaders of processes that have other threads. A leader that ends before these has no status
    /// to wait for.
    pub(super) fn only_leaders_move(&self) -> bool {
        let leads = |tid: &Tid| self.threads.get(tid).is_some_and(|thread| thread.id.pid.leader() == *tid);
        self.threads.len() > self.moving.len() && interruptible::owns_process() && self.moving.iter().all(leads)
    }

    /// Forgets leaders that have ended before their threads: where nothing else moves, the client must not wait for ever.
    pub(super) fn give_up_dead_leaders(&mut self) {
        let moving = self.moving.iter().filter_map(|tid| self.threads.get(tid)).filter(|thread| thread.is_active());
        let leaders = moving.map(|thread| thread.id).filter(|id| id.pid.leader() == id.tid);
        let dead = leaders.filter(|id| process_info::state(id.pid, id.tid) == Some(b'Z')).collect::<Vec<_>>();
        for id in dead.into_iter().filter(|id| self.threads_of(id.pid).nth(1).is_some()).collect::<Vec<_>>() {
            self.forget_thread(id.tid);
            self.check_running();
        }
    }

    /// A new program: all threads but one are gone, and that one has the leader's id now.
    pub(super) fn executed(&mut self, leader: Tid) -> Cause {
        let Some(pid) = self.threads.get(&leader).map(|thread| thread.id.pid) else { return Cause::Rest };
        let former = ptrace::event_message(leader).ok().and_then(|tid| Tid::new(tid as i32)).unwrap_or(leader);
        // Under its former id the thread may have been given up already.
        let action = self.threads.get(&former).map_or(self.newcomers, |thread| thread.action);
        let others = self.threads_of(pid).filter(|&tid| tid != leader).collect::<Vec<_>>();
        let here = |tid: Tid| tid == leader || others.contains(&tid);
        let stepped_over = self.stepping_over.take_if(|(over, _)| here(*over)).is_some();
        if self.breaking_in.take_if(|tid| here(*tid)).is_some() {
            self.breaking_in = Some(leader);
        }
        for tid in others {
            self.forget_thread(tid);
        }
        if let Some(thread) = self.threads.get_mut(&leader) {
            *thread = Thread::new(thread.id);
            thread.state = State::Stopped(Stop::Trap);
            thread.action = action;
        }
        if !self.moving.contains(&leader) {
            self.moving.push(leader);
        }
        self.give_back(pid);
        let followed = self.processes.get_mut(&pid).is_some_and(|process| process.executed(&self.journal).is_ok());
        match (followed && self.interests.exec, stepped_over) {
            (true, _) => Cause::Tell(Pending::Exec),
            (false, true) => Cause::Pass,
            (false, false) => Cause::Again,
        }
    }

    /// A thread has ended; with the leader, the process.
    pub(super) fn ended(&mut self, tid: Tid, status: c_int) {
        let pid = self.threads.get(&tid).map(|thread| thread.id.pid).or_else(|| Pid::new(tid.raw()));
        self.unborn.remove(&tid);
        self.leaving.retain(|&leaving| leaving != tid);
        let Some(pid) = pid.filter(|pid| self.processes.contains_key(pid)) else { return };
        let known = self.threads.contains_key(&tid);
        self.forget_thread(tid);
        if tid == pid.leader() {
            let report = if libc::WIFSIGNALED(status) {
                Report::Signaled { pid, signal: Signal::from_linux(libc::WTERMSIG(status)) }
            } else {
                Report::Exited { pid, status: libc::WEXITSTATUS(status) as u8 }
            };
            self.process_ended(pid, report);
        } else if self.threads_of(pid).next().is_none() {
            // Its leader ended first and has been waiting for this.
            if let Ok(status) = interruptible::wait_for(pid.leader()) {
                self.ended(pid.leader(), status);
            }
        } else if known && self.thread_events {
            self.report(Report::ThreadExited {
                thread: ThreadId { pid, tid },
                status: libc::WEXITSTATUS(status) as u8,
            });
        } else {
            self.check_running();
        }
    }

    pub(super) fn process_ended(&mut self, pid: Pid, report: Report) {
        for tid in self.threads_of(pid).collect::<Vec<_>>() {
            self.forget_thread(tid);
        }
        if let Some(mut process) = self.processes.remove(&pid) {
            process.leave_memory(&self.journal);
            process.strike(&self.journal);
        }
        self.give_back(pid);
        self.report(report);
    }
}
