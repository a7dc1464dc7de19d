//! Tracepoints in debuggees.

use super::Engine;
use super::process::Process;
use super::registers::Registers;
use super::thread::Thread;
use crate::engine::error::{Error, Result};
use crate::engine::trace::{Probe, Tracing};
use dbgsrv_protocol::ids::Tid;
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use std::mem;
use std::ops::Range;

impl Engine {
    /// The tracepoints, and what they have collected.
    #[must_use]
    pub fn tracing(&self) -> &Tracing {
        &self.tracing
    }

    /// The tracepoints, to look at frames and to define more; [`Engine::install_tracepoints`] is to follow where these have changed.
    pub fn tracing_mut(&mut self) -> &mut Tracing {
        &mut self.tracing
    }

    /// Starts collecting, in the process that `thread` is of.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`]; [`Error::BadAddress`] where a tracepoint has no memory, and nothing is traced then.
    pub fn start_tracing(&mut self, thread: ThreadSelector) -> Result<()> {
        let pid = self.process_of(thread)?.pid;
        self.remove_tracepoints();
        self.traced = Some(pid);
        self.tracing.start();
        self.install_tracepoints()
    }

    /// Stops collecting.
    pub fn stop_tracing(&mut self) {
        self.tracing.stop();
        self.remove_tracepoints();
    }

    /// Forgets all tracepoints and frames.
    pub fn reset_tracing(&mut self) {
        self.remove_tracepoints();
        self.tracing.reset();
    }

    /// The client is gone: stops collecting, unless it wanted that to go on.
    pub fn client_left(&mut self) {
        self.tracing.find(dbgsrv_protocol::rsp::trace::Find::None);
        if !self.tracing.is_disconnected() {
            self.tracing.disconnect();
            self.remove_tracepoints();
        }
    }

    /// Puts the tracepoints where they are to be, if anything is traced.
    ///
    /// # Errors
    /// [`Error::BadAddress`], [`Error::TooMany`]; tracing has stopped then.
    pub fn install_tracepoints(&mut self) -> Result<()> {
        if !self.tracing.is_running() {
            return Ok(());
        }
        let Some(process) = self.traced.and_then(|pid| self.processes.get_mut(&pid)) else { return Ok(()) };
        let survivor = process.attached.then_some(process.pid);
        let mut addresses = self.tracing.addresses();
        let inserted = addresses.try_for_each(|address| {
            process.breakpoints.insert_tracepoint(address, &process.memory, survivor, &self.journal)
        });
        drop(addresses);
        if inserted.is_err() {
            self.stop_tracing();
            return inserted;
        }
        let pid = process.pid;
        if self.threads.values().any(|thread| thread.id.pid == pid && thread.action.is_some()) {
            process.plant(&self.journal);
        }
        Ok(())
    }

    fn remove_tracepoints(&mut self) {
        if let Some(process) = self.traced.and_then(|pid| self.processes.get_mut(&pid)) {
            process.breakpoints.remove_tracepoints(&process.memory, &self.journal);
        }
    }

    /// Where a register stands among the bytes of all, and how many these are.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`]; `EINVAL`: there is no such register.
    pub fn register_place(&self, thread: ThreadSelector, number: u32) -> Result<(Range<usize>, usize)> {
        self.process_of(thread)?.arch.register_place(number).ok_or(Error::System(nix::errno::Errno::EINVAL))
    }

    /// The number of the program counter.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`].
    pub fn pc_number(&self, thread: ThreadSelector) -> Result<u32> {
        Ok(self.process_of(thread)?.arch.pc_number())
    }
}

/// A thread has come to `address`: collects what a tracepoint there says.
pub(super) fn collect(thread: &mut Thread, process: &Process, address: u64, tracing: &mut Tracing) {
    if tracing.collects_at(address) && process.breakpoints.is_traced(address) {
        let mut steps = mem::take(&mut thread.trace_steps);
        tracing.hit(address, &mut StoppedThread::new(thread, process), &mut steps);
        thread.trace_steps = steps;
    }
}

/// A thread has executed one instruction: collects what tracepoints want of it.
pub(super) fn collect_step(thread: &mut Thread, process: &Process, tracing: &mut Tracing) {
    if !thread.trace_steps.is_empty() {
        let mut steps = mem::take(&mut thread.trace_steps);
        tracing.stepped(&mut steps, &mut StoppedThread::new(thread, process));
        thread.trace_steps = steps;
    }
}

/// A thread that stands still, for expressions and tracepoints to look at.
pub(super) struct StoppedThread<'a> {
    tid: Tid,
    registers: &'a mut Registers,
    process: &'a Process,
}

impl<'a> StoppedThread<'a> {
    pub(super) fn new(thread: &'a mut Thread, process: &'a Process) -> Self {
        Self { tid: thread.id.tid, registers: &mut thread.registers, process }
    }
}

impl Probe for StoppedThread<'_> {
    fn pc(&mut self) -> Option<u64> {
        self.registers.pc(self.tid).ok()
    }

    fn register(&mut self, number: u16) -> Option<u64> {
        let mut bytes = Vec::with_capacity(8);
        self.registers.read(self.tid, self.process.arch, number.into(), &mut bytes).ok()?;
        bytes.truncate(8);
        bytes.resize(8, 0);
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    fn registers(&mut self, out: &mut Vec<u8>) -> bool {
        self.registers.read_all(self.tid, self.process.arch, out).is_ok()
    }

    fn read(&mut self, address: u64, buffer: &mut [u8]) -> usize {
        self.process.read(address, buffer)
    }
}
