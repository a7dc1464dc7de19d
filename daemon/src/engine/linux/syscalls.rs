//! Stops at system calls (`catch syscall`).

use super::Engine;
use super::ptrace::{self, SyscallStop};
use super::thread::Pending;
use crate::engine::error::Result;
use dbgsrv_protocol::ids::Tid;
use dbgsrv_protocol::rsp::stop::Reason;
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use std::collections::BTreeSet;

/// The system calls that a client wants to hear of.
#[derive(Clone, Debug, Default)]
pub enum Catch {
    /// Every one.
    All,
    /// None.
    #[default]
    None,
    /// Those with these numbers.
    Some(BTreeSet<i64>),
}

impl Catch {
    /// Whether threads are to be stopped at system calls at all.
    pub(super) fn is_on(&self) -> bool {
        !matches!(self, Self::None)
    }

    fn has(&self, number: i64) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Some(numbers) => numbers.contains(&number),
        }
    }
}

impl Engine {
    /// Chooses at which system calls the threads of a process stop.
    ///
    /// # Errors
    /// [`crate::engine::error::Error::NoProcess`], [`crate::engine::error::Error::NoThread`].
    pub fn catch_syscalls(&mut self, thread: ThreadSelector, catch: Catch) -> Result<()> {
        let pid = self.process_of(thread)?.pid;
        self.process_mut(pid)?.catch = catch;
        Ok(())
    }

    /// What there is to tell of a thread that has stopped at a system call; `None`: the client does not care.
    pub(super) fn syscall_stop(&mut self, tid: Tid) -> Option<Pending> {
        let thread = self.threads.get_mut(&tid)?;
        let process = self.processes.get(&thread.id.pid)?;
        let reason = match ptrace::syscall_stop(tid).ok()? {
            SyscallStop::Entry(number) => {
                thread.syscall = Some(number);
                process.catch.has(number).then_some(Reason::SyscallEntry(number))
            }
            SyscallStop::Exit => {
                // Only the entry tells the number. Where that was not seen, the register still has it.
                let number = thread.syscall.take().or_else(|| thread.registers.syscall_number(tid))?;
                process.catch.has(number).then_some(Reason::SyscallReturn(number))
            }
        };
        reason.map(Pending::Trap)
    }
}
