//! Getting a thread past a breakpoint that it has hit, without letting another thread slip past it.

use super::Engine;
use super::arch::{self, Mode};
use dbgsrv_protocol::ids::Tid;

impl Engine {
    /// Executes the instruction under the breakpoint at `address`, on which thread `tid` stands.
    ///
    /// The commonest first instructions are carried out on the thread's registers. Any other is executed in place:
    /// everybody else is held, the breakpoint lifted, and the thread stepped; [`Engine::stepped_over`] goes on from
    /// there.
    pub(super) fn step_over(&mut self, tid: Tid, address: u64) {
        if self.emulate(tid, address) {
            return self.go();
        }
        self.hold_all();
        let Some(thread) = self.threads.get_mut(&tid) else { return self.go() };
        if thread.pending.is_some() || !self.reports.is_empty() && !self.non_stop {
            return self.go();
        }
        let Some(process) = self.processes.get_mut(&thread.id.pid) else { return };
        process.breakpoints.lift_one(address, &process.memory);
        self.stepping_over = Some((tid, address));
        self.start_step(tid);
    }

    /// The step over a breakpoint is over, or was cut short: puts the breakpoint back.
    pub(super) fn stepped_over(&mut self) {
        if let Some((tid, address)) = self.stepping_over.take()
            && let Some(thread) = self.threads.get(&tid)
            && let Some(process) = self.processes.get_mut(&thread.id.pid)
        {
            process.breakpoints.plant_one(address, &process.memory);
        }
    }

    fn emulate(&mut self, tid: Tid, address: u64) -> bool {
        let Some(thread) = self.threads.get_mut(&tid) else { return false };
        let Some(process) = self.processes.get(&thread.id.pid) else { return false };
        // What is written to memory here would pass by a watchpoint.
        if process.mode != Mode::Bits64 || !process.debug.is_empty() {
            return false;
        }
        // A thread that steps wants the trap that comes with an executed instruction.
        if thread.wants_step() || thread.signal != 0 {
            return false;
        }
        let read = |at: u64, bytes: &mut [u8]| process.memory.read(at, bytes) == bytes.len();
        let mut first = [0];
        if let Some(original) = process.breakpoints.original(address) {
            first = [original];
        } else if !read(address, &mut first) {
            return false;
        }
        let write = |at: u64, bytes: &[u8]| process.memory.store(at, bytes);
        let Ok(registers) = thread.registers.edit(tid) else { return false };
        let done = arch::emulate(first[0], registers, read, write);
        if done {
            thread.passing = None;
        }
        done
    }
}
