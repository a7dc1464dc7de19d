//! Reading and changing what a debuggee is made of: memory, registers, signals in flight, objects.

use super::arch::Mode;
use super::objects::{self, PointerSize};
use super::{Engine, ptrace};
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::ids::{Pid, ThreadId};
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

    fn set(&mut self, number: u32, content: &[u8]) {
        self.number = number;
        self.length = content.len().min(self.content.len());
        self.content[..self.length].copy_from_slice(&content[..self.length]);
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
        let (thread, process) = self.stopped(thread)?;
        Ok(thread.registers.read_all(thread.id.tid, process.arch, out)?)
    }

    /// Appends the content of one register of a stopped thread.
    ///
    /// # Errors
    /// As `read_registers`; `EINVAL` for a number that the target description does not have.
    pub fn read_register(&mut self, thread: ThreadSelector, number: u32, out: &mut Vec<u8>) -> Result<()> {
        let (thread, process) = self.stopped(thread)?;
        Ok(thread.registers.read(thread.id.tid, process.arch, number, out)?)
    }

    /// Sets all registers of a stopped thread.
    ///
    /// # Errors
    /// As `read_registers`; `EINVAL` for values of another length than the target description's.
    pub fn write_registers(&mut self, thread: ThreadSelector, values: &[u8]) -> Result<()> {
        let (thread, process) = self.stopped(thread)?;
        Ok(thread.registers.write_all(thread.id.tid, process.arch, values)?)
    }

    /// Sets one register of a stopped thread.
    ///
    /// # Errors
    /// As `write_registers`.
    pub fn write_register(&mut self, thread: ThreadSelector, number: u32, value: &[u8]) -> Result<()> {
        let (thread, process) = self.stopped(thread)?;
        Ok(thread.registers.write(thread.id.tid, process.arch, number, value)?)
    }

    /// The registers that a client asks for first after a stop; none while the thread runs.
    pub fn expedited(&mut self, thread: ThreadId) -> [Expedited; 3] {
        let mut registers = [Expedited::default(); 3];
        let Ok((thread, process)) = self.stopped(thread.into()) else { return registers };
        let mut content = Vec::with_capacity(8);
        for (register, &number) in registers.iter_mut().zip(process.arch.expedited()) {
            content.clear();
            if thread.registers.read(thread.id.tid, process.arch, number, &mut content).is_ok() {
                register.set(number, &content);
            }
        }
        registers
    }

    /// The target description, an XML document.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`].
    pub fn description(&self, thread: ThreadSelector) -> Result<&'static str> {
        Ok(self.process_of(thread)?.arch.xml())
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
        let size = match process.mode {
            Mode::Bits32 => PointerSize::Four,
            Mode::Bits64 => PointerSize::Eight,
        };
        let auxv = objects::auxv(process.pid).map_err(system)?;
        objects::libraries_svr4(process, &auxv, size, annex).map_err(|_| Error::System(Errno::ENOENT))
    }

    /// All threads with their names and processors, an XML document; `multiprocess`: with ids that name the process.
    #[must_use]
    pub fn threads_document(&self, multiprocess: bool) -> Vec<u8> {
        objects::threads_xml(self.threads(), multiprocess)
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

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn system(error: std::io::Error) -> Error {
    Error::System(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
}
