//! One traced process: what its threads share.

use super::arch::{Architecture, DebugRegisters, Mode};
use super::breakpoints::Breakpoints;
use super::journal::{Journal, Slot};
use super::memory::Memory;
use super::objects::ReadMemory;
use super::process_info;
use super::syscalls::Catch;
use super::tls;
use dbgsrv_protocol::ids::{Pid, Tid};
use dbgsrv_protocol::rsp::breakpoint::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// A traced process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    /// It ran before the session, or the client let it live on: it is detached, not killed, when the session ends.
    pub(crate) attached: bool,
    pub(crate) mode: Mode,
    pub(crate) arch: &'static Architecture,
    pub(crate) memory: Memory,
    pub(crate) breakpoints: Breakpoints,
    /// The hardware breakpoints and watchpoints: kind, address, size.
    pub(crate) hardware: BTreeSet<(Kind, u64, u64)>,
    /// The debug registers that they come to.
    pub(crate) debug: DebugRegisters,
    /// Counts changes of `debug`; threads catch up when they go on.
    pub(crate) debug_version: u32,
    /// The system calls that its threads stop at.
    pub(crate) catch: Catch,
    /// Where the C library describes its thread-local storage.
    pub(crate) tls_symbols: tls::Symbols,
    /// So many children run in memory that they borrow until they exec or end: no breakpoint may be in it.
    pub(crate) vfork_children: u32,
    /// It borrows its memory itself.
    pub(crate) borrows: bool,
    /// Its job is stopped, and the client has it run all the same.
    pub(crate) ignores_stop: bool,
    /// Memory that the client has had mapped: address and size.
    pub(crate) allocations: BTreeMap<u64, u64>,
    /// Its entry in the journal, if it was attached to.
    pub(crate) slot: Option<Slot>,
}

impl Process {
    /// # Errors
    /// What opening its memory fails with.
    pub(crate) fn new(pid: Pid, attached: bool) -> io::Result<Self> {
        let mode = mode(pid);
        Ok(Self {
            pid,
            attached,
            mode,
            arch: Architecture::get(mode),
            memory: Memory::open(pid, pid.leader())?,
            breakpoints: Breakpoints::default(),
            hardware: BTreeSet::new(),
            debug: DebugRegisters::default(),
            debug_version: 0,
            catch: Catch::None,
            tls_symbols: tls::Symbols::default(),
            vfork_children: 0,
            borrows: false,
            ignores_stop: false,
            allocations: BTreeMap::new(),
            slot: None,
        })
    }

    /// Follows the process into a new program: nothing of the old one is left.
    pub(crate) fn executed(&mut self, journal: &Journal) -> io::Result<()> {
        self.leave_memory(journal);
        self.hardware.clear();
        self.debug = DebugRegisters::default();
        self.debug_version = 0;
        self.tls_symbols = tls::Symbols::default();
        self.vfork_children = 0;
        self.borrows = false;
        self.allocations.clear();
        self.mode = mode(self.pid);
        self.arch = Architecture::get(self.mode);
        self.memory = Memory::open(self.pid, self.pid.leader())?;
        Ok(())
    }

    /// Forgets all breakpoints, and takes them out of memory that the process has left, by exec or its end: it may have
    /// been another's that it had borrowed.
    pub(crate) fn leave_memory(&mut self, journal: &Journal) {
        self.breakpoints.lift_copies(&self.memory);
        self.breakpoints.clear(journal);
    }

    /// Takes it out of the journal: it is as it was found, or gone.
    pub(crate) fn strike(&mut self, journal: &Journal) {
        if let Some(slot) = self.slot.take() {
            journal.remove_process(slot);
        }
    }

    pub(crate) fn plant(&mut self, journal: &Journal) {
        if self.vfork_children == 0 {
            self.breakpoints.plant(&self.memory, journal);
        }
    }

    pub(crate) fn lift(&mut self) {
        self.breakpoints.lift(&self.memory);
    }

    /// Reads memory as the program sees it, without breakpoints.
    pub(crate) fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        let length = self.memory.read(address, buffer);
        self.breakpoints.hide(address, &mut buffer[..length]);
        length
    }

    /// The thread that memory is reached through has ended.
    pub(crate) fn retask(&mut self, tid: Tid) {
        self.memory.set_task(tid);
    }
}

impl ReadMemory for Process {
    fn read_memory(&self, address: u64, buffer: &mut [u8]) -> usize {
        self.read(address, buffer)
    }
}

fn mode(pid: Pid) -> Mode {
    if process_info::is_32_bit(pid) { Mode::Bits32 } else { Mode::Bits64 }
}
