//! Threads and processes that begin: clone(2), fork(2), vfork(2).

use super::breakpoints::Script;
use super::events::Cause;
use super::process::Process;
use super::thread::{Pending, State, Stop, Thread};
use super::{Engine, interruptible, ptrace};
use dbgsrv_protocol::ids::{Pid, ThreadId, Tid};
use dbgsrv_protocol::rsp::description::Dialect;
use dbgsrv_protocol::rsp::stop::Reason;
use std::mem;

impl Engine {
    /// A new thread.
    pub(super) fn cloned(&mut self, tid: Tid) -> Cause {
        let Some(parent) = self.threads.get(&tid).map(|thread| thread.id) else { return Cause::Rest };
        let Some(child) = ptrace::event_message(tid).ok().and_then(|tid| Tid::new(tid as i32)) else {
            return Cause::Again;
        };
        let mut thread = Thread::new(ThreadId { pid: parent.pid, tid: child });
        thread.action = self.newcomers;
        thread.newborn = true;
        self.threads.insert(child, thread);
        self.running += 1;
        if self.newcomers.is_some() {
            self.moving.push(child);
            // They are not in memory where its parent was stepped alone.
            if let Some(process) = self.processes.get_mut(&parent.pid).filter(|_| self.stepping_over.is_none()) {
                process.plant(&self.journal);
            }
        }
        if let Some(status) = self.unborn.remove(&child) {
            if self.holding { self.absorb(child, status) } else { self.handle(child.raw(), status) }
        }
        Cause::Again
    }

    /// A new process; `shares_memory`: by vfork(2).
    pub(super) fn forked(&mut self, tid: Tid, shares_memory: bool) -> Cause {
        let Some(parent) = self.threads.get(&tid).map(|thread| thread.id.pid) else { return Cause::Rest };
        let Some(pid) = ptrace::event_message(tid).ok().and_then(|pid| Pid::new(pid as i32)) else {
            return Cause::Again;
        };
        if self.unborn.remove(&pid.leader()).is_none()
            && !interruptible::wait_for(pid.leader()).is_ok_and(|status| libc::WIFSTOPPED(status))
        {
            // It has been killed already.
            return Cause::Again;
        }
        let Some(process) = self.processes.get_mut(&parent) else { return Cause::Rest };
        let told = if shares_memory { self.interests.vfork } else { self.interests.fork };
        let child = Process::new(pid, process.attached).ok();
        let child = child.map(|child| Process { tls_symbols: process.tls_symbols, borrows: shares_memory, ..child });
        if !shares_memory && let Some(child) = &child {
            process.breakpoints.lift_copies(&child.memory);
        }
        let child = child.filter(|_| told);
        if let Some(thread) = self.threads.get_mut(&tid).filter(|_| shares_memory) {
            thread.lending = true;
            // While the child stands still they stay: other threads of the parent are running into them.
            if child.is_none() {
                lend(thread, process);
            }
        }
        let Some(child) = child else {
            // Gone already where this fails.
            let _ = ptrace::detach(pid.leader(), 0);
            return Cause::Again;
        };
        let id = self.adopt(child);
        if !shares_memory && self.dialect == Dialect::Lldb {
            self.inherit(parent, id.pid);
        }
        if let Some(thread) = self.threads.get_mut(&tid) {
            thread.told_of_vfork = shares_memory;
            thread.borrower = shares_memory.then_some(pid);
        }
        let reason = if shares_memory { Reason::Vfork(id) } else { Reason::Fork(id) };
        Cause::Tell(Pending::Trap(reason))
    }

    /// Gives a child its parent's breakpoints. LLDB takes them to be in the child's copy of the memory, and removes them
    /// from whichever of the two it does not follow.
    fn inherit(&mut self, parent: Pid, child: Pid) {
        let addresses: Vec<_> =
            self.processes.get(&parent).iter().flat_map(|parent| parent.breakpoints.addresses()).collect();
        let Some(child) = self.processes.get_mut(&child) else { return };
        let survivor = child.slot.is_some().then_some(child.pid);
        for address in addresses {
            // What its parent could have, it can; where the journal is full, it does without.
            let _ = child.breakpoints.insert(address, Script::default(), &child.memory, survivor, &self.journal);
        }
    }

    /// Takes a forked child in, stopped.
    fn adopt(&mut self, mut child: Process) -> ThreadId {
        let id = ThreadId { pid: child.pid, tid: child.pid.leader() };
        if child.attached {
            // A child more than the journal can hold would not survive a crash of this worker; all else works.
            child.slot = self.journal.add_process(child.pid).ok();
        }
        let mut thread = Thread::new(id);
        thread.state = State::Stopped(Stop::Trap);
        thread.announced = false;
        self.threads.insert(id.tid, thread);
        self.processes.insert(id.pid, child);
        id
    }

    /// A child is about to run in memory that it borrows: breakpoints there are not meant for it.
    pub(super) fn lift_for(&mut self, borrower: Pid) {
        if let Some(thread) = self.threads.values_mut().find(|thread| thread.borrower == Some(borrower))
            && let Some(process) = self.processes.get_mut(&thread.id.pid)
        {
            lend(thread, process);
        }
    }

    /// A child that may have borrowed memory has a program of its own, or has ended: whoever waited for that is about to stop.
    pub(super) fn give_back(&mut self, borrower: Pid) {
        for thread in self.threads.values_mut().filter(|thread| thread.borrower == Some(borrower)) {
            thread.borrower = None;
            thread.stuck = false;
        }
    }

    /// A child has given the memory back that it borrowed.
    pub(super) fn vfork_done(&mut self, tid: Tid) -> Cause {
        let Some(thread) = self.threads.get_mut(&tid) else { return Cause::Rest };
        // A vfork that was under way when the process was attached to was neither counted nor told of.
        thread.lending = false;
        let told = mem::take(&mut thread.told_of_vfork);
        if let Some(process) = self.processes.get_mut(&thread.id.pid).filter(|_| mem::take(&mut thread.lent)) {
            process.vfork_children -= 1;
            process.plant(&self.journal);
        }
        if told { Cause::Tell(Pending::Trap(Reason::VforkDone)) } else { Cause::Again }
    }
}

/// A thread's child runs in the memory of the process from now on.
fn lend(thread: &mut Thread, process: &mut Process) {
    process.lift();
    if !mem::replace(&mut thread.lent, true) {
        process.vfork_children += 1;
    }
}
