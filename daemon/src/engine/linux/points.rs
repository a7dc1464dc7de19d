//! Breakpoints and watchpoints as the client asks for them.

use super::Engine;
use super::arch::debug_registers::InsertError;
use super::breakpoints::Conditions;
use super::process::Process;
use super::thread::Thread;
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::ids::{Pid, Tid};
use dbgsrv_protocol::rsp::agent::{self, Program};
use dbgsrv_protocol::rsp::breakpoint::{Expressions, Kind};
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use nix::errno::Errno;

impl Engine {
    /// Inserts a breakpoint or watchpoint in a process, or replaces the conditions of a software breakpoint.
    ///
    /// # Errors
    /// [`Error::BadAddress`] where a software breakpoint has no memory; [`Error::NoDebugRegister`],
    /// [`Error::Unsupported`]; `EINVAL` for a condition that is no agent expression.
    pub fn insert_breakpoint(
        &mut self,
        thread: ThreadSelector,
        kind: Kind,
        address: u64,
        size: u64,
        conditions: Expressions<'_>,
    ) -> Result<()> {
        let pid = self.process_of(thread)?.pid;
        let process = self.processes.get_mut(&pid).ok_or(Error::NoProcess)?;
        if kind == Kind::Software {
            let parse = |expression: &[u8]| Program::parse(expression).map_err(|_| Error::System(Errno::EINVAL));
            let conditions = conditions.iter().map(parse).collect::<Result<_>>()?;
            let survivor = process.attached.then_some(pid);
            let what = Conditions { conditions };
            process.breakpoints.insert(address, what, &process.memory, survivor, &self.journal)?;
            if self.threads.values().any(|thread| thread.id.pid == pid && thread.action.is_some())
                && let Some(process) = self.processes.get_mut(&pid)
            {
                process.plant(&self.journal);
            }
            return Ok(());
        }
        if !process.hardware.contains(&(kind, address, size)) {
            process.debug.insert(kind, address, size).map_err(|error| match error {
                InsertError::Unsupported => Error::Unsupported,
                _ => Error::NoDebugRegister(size, address),
            })?;
            process.hardware.insert((kind, address, size));
            self.debug_registers_changed(pid);
        }
        Ok(())
    }

    /// Removes a breakpoint or watchpoint. One that is not there is no error.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`].
    pub fn remove_breakpoint(&mut self, thread: ThreadSelector, kind: Kind, address: u64, size: u64) -> Result<()> {
        let pid = self.process_of(thread)?.pid;
        let process = self.processes.get_mut(&pid).ok_or(Error::NoProcess)?;
        if kind == Kind::Software {
            process.breakpoints.remove(address, &process.memory, &self.journal);
        } else if process.hardware.remove(&(kind, address, size)) {
            process.debug.remove(kind, address, size);
            self.debug_registers_changed(pid);
        }
        Ok(())
    }

    /// The threads take the new debug registers over when they go on.
    fn debug_registers_changed(&mut self, pid: Pid) {
        // Only a stopped thread can take them over; in all-stop mode all are when a client asks for this.
        let hold = self.non_stop && self.running > 0;
        if hold {
            self.quiesce();
        }
        if let Some(process) = self.processes.get_mut(&pid) {
            process.debug_version += 1;
            if let Some(slot) = process.slot {
                self.journal.set_debug_registers(slot, true);
            }
        }
        if hold {
            self.go();
        }
    }
}

/// Whether one of the conditions of the breakpoint at `address` is true for a thread that has hit it. One that can't be
/// evaluated counts as true: the client looks again.
pub(super) fn concerns_client(thread: &mut Thread, process: &Process, address: u64) -> bool {
    let Some(Conditions { conditions }) = process.breakpoints.at(address) else { return true };
    conditions.is_empty()
        || conditions.iter().any(|condition| {
            let mut view = View { tid: thread.id.tid, registers: &mut thread.registers, process };
            condition.holds(&mut view).unwrap_or(true)
        })
}

/// A stopped thread as agent expressions see it.
struct View<'a> {
    tid: Tid,
    registers: &'a mut super::registers::Registers,
    process: &'a Process,
}

impl agent::Target for View<'_> {
    fn register(&mut self, number: u16) -> Option<u64> {
        let mut bytes = Vec::with_capacity(8);
        self.registers.read(self.tid, self.process.arch, number.into(), &mut bytes).ok()?;
        bytes.truncate(8);
        bytes.resize(8, 0);
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    fn read_memory(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        self.process.read(address, buffer) == buffer.len()
    }
}
