//! Breakpoints and watchpoints as the client asks for them.

use super::Engine;
use super::arch::debug_registers::InsertError;
use super::breakpoints::Script;
use super::process::Process;
use super::thread::Thread;
use super::tracing::StoppedThread;
use crate::engine::error::{Error, Result};
use crate::engine::trace::Probe;
use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::rsp::agent::{self, MAX_STEPS, Program, format};
use dbgsrv_protocol::rsp::breakpoint::{Expressions, Kind};
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use nix::errno::Errno;

impl Engine {
    /// Inserts a breakpoint or watchpoint in a process, or replaces the script of a software breakpoint: the
    /// conditions on which it is heeded, and the commands that are run then instead of stopping.
    ///
    /// # Errors
    /// [`Error::BadAddress`] where a software breakpoint has no memory; [`Error::NoDebugRegister`],
    /// [`Error::Unsupported`]; `EINVAL` for what is no agent expression.
    pub fn insert_breakpoint(
        &mut self,
        thread: ThreadSelector,
        kind: Kind,
        address: u64,
        size: u64,
        conditions: Expressions<'_>,
        commands: Expressions<'_>,
    ) -> Result<()> {
        let pid = self.process_of(thread)?.pid;
        let process = self.processes.get_mut(&pid).ok_or(Error::NoProcess)?;
        if kind == Kind::Software {
            let script = Script { conditions: programs(conditions)?, commands: programs(commands)? };
            let survivor = process.attached.then_some(pid);
            process.breakpoints.insert(address, script, &process.memory, survivor, &self.journal)?;
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
    /// [`Error::NoProcess`], [`Error::NoThread`]; [`Error::BadAddress`] where a software breakpoint's memory is gone.
    pub fn remove_breakpoint(&mut self, thread: ThreadSelector, kind: Kind, address: u64, size: u64) -> Result<()> {
        let pid = self.process_of(thread)?.pid;
        let process = self.processes.get_mut(&pid).ok_or(Error::NoProcess)?;
        if kind == Kind::Software {
            return process.breakpoints.remove(address, &process.memory, &self.journal);
        }
        if process.hardware.remove(&(kind, address, size)) {
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

fn programs(expressions: Expressions<'_>) -> Result<Vec<Program>> {
    expressions.iter().map(|one| Program::parse(one).map_err(|_| Error::System(Errno::EINVAL))).collect()
}

/// Whether the client is to hear that a thread has hit the breakpoint at `address`: one of the conditions is true, and
/// there are no commands. Where there are, they are run, and what they print is appended to `output`.
///
/// A condition that can't be evaluated counts as true: the client looks again. A command that fails ends there.
pub(super) fn concerns_client(thread: &mut Thread, process: &Process, address: u64, output: &mut Vec<u8>) -> bool {
    let Some(Script { conditions, commands }) = process.breakpoints.at(address) else { return false };
    let mut view = View { thread: StoppedThread::new(thread, process), output };
    let holds = conditions.is_empty() || conditions.iter().any(|condition| condition.holds(&mut view).unwrap_or(true));
    if !holds {
        return false;
    }
    for command in commands {
        // As with gdbserver, the program goes on whatever becomes of it.
        let _ = command.evaluate(&mut view, MAX_STEPS);
    }
    commands.is_empty()
}

/// A stopped thread as the expressions of breakpoints see it.
struct View<'a> {
    thread: StoppedThread<'a>,
    output: &'a mut Vec<u8>,
}

impl agent::Target for View<'_> {
    fn register(&mut self, number: u16) -> Option<u64> {
        self.thread.register(number)
    }

    fn read_memory(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        self.thread.read(address, buffer) == buffer.len()
    }

    fn printf(&mut self, format: &[u8], arguments: &[u64]) -> bool {
        let Some(text) = format::render(format, arguments, self) else { return false };
        self.output.extend(text);
        true
    }
}
