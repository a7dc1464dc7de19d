//! Reading and changing what a debuggee is made of: memory, registers, signals in flight, objects.

use super::arch::Mode;
use super::objects::{self, PointerSize};
use super::process::Process;
use super::process_info::Status;
use super::{Engine, ptrace};
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::ids::{Pid, ThreadId};
use dbgsrv_protocol::rsp::description::{Dialect, Register};
use dbgsrv_protocol::rsp::process::ProcessInfo;
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use nix::errno::Errno;

/// A register that a stop reply carries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expedited {
    number: u32,
    content: [u8; 8],
    length: usize,
}

impl Expedited {
    /// Its number, and its bytes in the target's order; no bytes where it could not be read.
    #[must_use]
    pub fn content(&self) -> (u32, &[u8]) {
        (self.number, &self.content[..self.length])
    }

    pub(super) fn new(number: u32, content: &[u8]) -> Self {
        let mut register = Self { number, ..Self::default() };
        register.length = content.len().min(register.content.len());
        register.content[..register.length].copy_from_slice(&content[..register.length]);
        register
    }
}

impl Engine {
    /// Reads memory from `address` on; the number of bytes up to the first that can't be read.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`]; [`Error::BadAddress`] where not one byte could be read.
    pub fn read_memory(&self, thread: ThreadSelector, address: u64, buffer: &mut [u8]) -> Result<usize> {
        match self.process_of(thread)?.read(address, buffer) {
            0 if !buffer.is_empty() => Err(Error::BadAddress(address)),
            length => Ok(length),
        }
    }

    /// Writes all of `data`. Breakpoints stay where they are.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`], [`Error::BadAddress`].
    pub fn write_memory(&mut self, thread: ThreadSelector, address: u64, data: &[u8]) -> Result<()> {
        let pid = self.process_of(thread)?.pid;
        let process = self.processes.get_mut(&pid).ok_or(Error::NoProcess)?;
        let covered = process.breakpoints.cover(address, data, &self.journal);
        process.memory.write(address, &covered).map_err(|_| Error::BadAddress(address))
    }

    /// Appends the content of all registers of a stopped thread.
    ///
    /// # Errors
    /// [`Error::NoThread`], [`Error::Running`], and what ptrace fails with.
    pub fn read_registers(&mut self, thread: ThreadSelector, out: &mut Vec<u8>) -> Result<()> {
        let dialect = self.dialect;
        let (thread, process) = self.stopped(thread)?;
        Ok(thread.registers.read_all(thread.id.tid, process.arch.of(dialect), out)?)
    }

    /// Appends the content of one register of a stopped thread.
    ///
    /// # Errors
    /// As `read_registers`; `EINVAL` for a number that the target description does not have.
    pub fn read_register(&mut self, thread: ThreadSelector, number: u32, out: &mut Vec<u8>) -> Result<()> {
        let dialect = self.dialect;
        let (thread, process) = self.stopped(thread)?;
        Ok(thread.registers.read(thread.id.tid, process.arch.of(dialect), number, out)?)
    }

    /// Sets all registers of a stopped thread.
    ///
    /// # Errors
    /// As `read_registers`; `EINVAL` for values of another length than the target description's.
    pub fn write_registers(&mut self, thread: ThreadSelector, values: &[u8]) -> Result<()> {
        let dialect = self.dialect;
        let (thread, process) = self.stopped(thread)?;
        Ok(thread.registers.write_all(thread.id.tid, process.arch.of(dialect), values)?)
    }

    /// All registers of a stopped thread, also those that a client is not told of.
    ///
    /// # Errors
    /// As `read_registers`.
    pub fn save_registers(&mut self, thread: ThreadSelector) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let (thread, process) = self.stopped(thread)?;
        thread.registers.read_all(thread.id.tid, process.arch, &mut out)?;
        Ok(out)
    }

    /// Sets all registers of a stopped thread to what `save_registers` has read.
    ///
    /// # Errors
    /// As `write_registers`.
    pub fn restore_registers(&mut self, thread: ThreadSelector, saved: &[u8]) -> Result<()> {
        let (thread, process) = self.stopped(thread)?;
        Ok(thread.registers.write_all(thread.id.tid, process.arch, saved)?)
    }

    /// How a register is described.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`]; `EINVAL` for a number that the target description does not have.
    pub fn register_info(&self, thread: ThreadSelector, number: u32) -> Result<Register> {
        let arch = self.process_of(thread)?.arch.of(self.dialect);
        Ok(arch.register(number).cloned().ok_or(Errno::EINVAL)?)
    }

    /// Sets one register of a stopped thread.
    ///
    /// # Errors
    /// As `write_registers`.
    pub fn write_register(&mut self, thread: ThreadSelector, number: u32, value: &[u8]) -> Result<()> {
        let dialect = self.dialect;
        let (thread, process) = self.stopped(thread)?;
        Ok(thread.registers.write(thread.id.tid, process.arch.of(dialect), number, value)?)
    }

    /// The registers that a client asks for first after a stop; none while the thread runs.
    pub fn expedited(&mut self, thread: ThreadId) -> [Expedited; 3] {
        let mut registers = [Expedited::default(); 3];
        let dialect = self.dialect;
        let Ok((thread, process)) = self.stopped(thread.into()) else { return registers };
        let arch = process.arch.of(dialect);
        let mut content = Vec::with_capacity(8);
        for (register, &number) in registers.iter_mut().zip(arch.expedited()) {
            content.clear();
            if thread.registers.read(thread.id.tid, arch, number, &mut content).is_ok() {
                *register = Expedited::new(number, &content);
            }
        }
        registers
    }

    /// The target description, an XML document.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`].
    pub fn description(&self, thread: ThreadSelector) -> Result<&'static str> {
        Ok(self.process_of(thread)?.arch.of(self.dialect).xml())
    }

    /// What a client wants to know of a process first.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`], and what reading `/proc` fails with.
    pub fn facts(&self, thread: ThreadSelector) -> Result<ProcessInfo<'static>> {
        let Process { pid, arch, .. } = *self.process_of(thread)?;
        let Status { parent, users, groups, .. } = Status::read(pid.raw()).map_err(system)?;
        Ok(ProcessInfo {
            pid,
            parent: parent.cast_unsigned(),
            users: [users[0], users[1]],
            groups: [groups[0], groups[1]],
            triple: arch.triple(),
            system: "linux",
            byte_order: "little",
            pointer_size: arch.pointer_size() as u8,
        })
    }

    /// The auxiliary vector (getauxval(3)).
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`], and what reading `/proc` fails with.
    pub fn auxv(&self, thread: ThreadSelector) -> Result<Vec<u8>> {
        objects::auxv(self.process_of(thread)?.pid).map_err(system)
    }

    /// The path of the program that a process runs.
    ///
    /// # Errors
    /// [`Error::NoProcess`], and what reading `/proc` fails with.
    pub fn program(&self, pid: Pid) -> Result<Vec<u8>> {
        objects::exec_file(self.process(pid)?.pid).map_err(system)
    }

    /// The loaded libraries, an XML document.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`]; `ENOENT` where the list can't be found.
    pub fn libraries(&self, thread: ThreadSelector, annex: &[u8]) -> Result<Vec<u8>> {
        let process = self.process_of(thread)?;
        let auxv = objects::auxv(process.pid).map_err(system)?;
        // LLDB takes the place of the program's entry for that of the whole list, and has no use for namespaces.
        let for_gdb = self.dialect == Dialect::Gdb;
        let list = objects::libraries_svr4(process, &auxv, pointer_size(process.mode), annex, for_gdb);
        list.map_err(|_| Error::System(Errno::ENOENT))
    }

    /// Where the program keeps the address of the dynamic linker's list of libraries.
    ///
    /// # Errors
    /// As `libraries`; `ENOENT` for programs that have no linker.
    pub fn library_list(&self, thread: ThreadSelector) -> Result<u64> {
        let process = self.process_of(thread)?;
        let auxv = objects::auxv(process.pid).map_err(system)?;
        let place = objects::library_list(process, &auxv, pointer_size(process.mode));
        place.ok().flatten().ok_or(Error::System(Errno::ENOENT))
    }

    /// All threads with their names, processors and handles, an XML document; `multiprocess`: with ids that name the process.
    pub fn threads_document(&mut self, multiprocess: bool) -> Vec<u8> {
        let threads = self.threads().collect::<Vec<_>>();
        objects::threads_xml(threads.into_iter().map(|id| (id, self.thread_handle(id))), multiprocess)
    }

    /// A thread's `pthread_t`, which is its block's address with the C libraries for x86-64. None: it runs, or it has no
    /// block, or not yet.
    fn thread_handle(&mut self, id: ThreadId) -> Option<u64> {
        let (thread, process) = self.stopped(id.into()).ok()?;
        if process.mode != Mode::Bits64 {
            return None;
        }
        let block = thread.registers.general(id.tid).ok()?.thread_pointer();
        (block != 0).then_some(block)
    }

    /// A thread's name.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`], and what reading `/proc` fails with.
    pub fn thread_name(&self, thread: ThreadSelector) -> Result<Vec<u8>> {
        let id = self.select(thread)?;
        let name = std::fs::read(format!("/proc/{}/task/{}/comm", id.pid, id.tid)).map_err(system)?;
        Ok(name.trim_ascii_end().to_vec())
    }

    /// The signal that a stopped thread is about to get: the bytes of the kernel's `siginfo_t`. What our own interrupt
    /// leaves there is shown as the SIGSTOP that it stands for.
    ///
    /// # Errors
    /// As `read_registers`.
    pub fn signal_info(&mut self, thread: ThreadSelector) -> Result<Vec<u8>> {
        let tid = self.stopped(thread)?.0.id.tid;
        let mut bytes = ptrace::signal_info_bytes(tid)?;
        if ptrace::signal_info(tid)?.si_code >> 8 == libc::PTRACE_EVENT_STOP {
            let sender = std::process::id().cast_signed();
            for (index, word) in [(0, libc::SIGSTOP), (2, libc::SI_TKILL), (4, sender)] {
                bytes[index * 4..][..4].copy_from_slice(&word.to_ne_bytes());
            }
        }
        Ok(bytes.to_vec())
    }

    /// Replaces part of the signal that a stopped thread is about to get.
    ///
    /// # Errors
    /// As `read_registers`; `EINVAL` for bytes past the end.
    pub fn write_signal_info(&mut self, thread: ThreadSelector, offset: u64, data: &[u8]) -> Result<()> {
        let tid = self.stopped(thread)?.0.id.tid;
        let mut bytes = ptrace::signal_info_bytes(tid)?;
        let start = usize::try_from(offset).map_err(|_| Errno::EINVAL)?;
        let place = bytes.get_mut(start..).and_then(|rest| rest.get_mut(..data.len())).ok_or(Errno::EINVAL)?;
        place.copy_from_slice(data);
        Ok(ptrace::set_signal_info_bytes(tid, &bytes)?)
    }
}

fn pointer_size(mode: Mode) -> PointerSize {
    match mode {
        Mode::Bits32 => PointerSize::Four,
        Mode::Bits64 => PointerSize::Eight,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(super) fn system(error: std::io::Error) -> Error {
    Error::System(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
}
