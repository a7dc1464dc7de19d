//! The registers of a stopped thread, read when first asked for and written back when it goes on.

use super::arch::{Architecture, GeneralRegisters, Touched};
use super::ptrace;
use dbgsrv_protocol::ids::Tid;
use nix::errno::Errno;

/// What is known of a thread's registers since it stopped.
#[derive(Debug, Default)]
pub(crate) struct Registers {
    general: Option<GeneralRegisters>,
    general_dirty: bool,
    /// The whole xsave area; empty: not read since the thread stopped.
    extended: Vec<u8>,
    extended_dirty: bool,
}

impl Registers {
    /// The general registers.
    pub(crate) fn general(&mut self, tid: Tid) -> Result<&mut GeneralRegisters, Errno> {
        if self.general.is_none() {
            self.general = Some(ptrace::general_registers(tid)?);
        }
        self.general.as_mut().ok_or(Errno::ESRCH)
    }

    /// The program counter.
    pub(crate) fn pc(&mut self, tid: Tid) -> Result<u64, Errno> {
        self.general(tid).map(|general| general.pc())
    }

    /// The number of the system call that the thread is in, if it is in one.
    pub(crate) fn syscall_number(&mut self, tid: Tid) -> Option<i64> {
        self.general(tid).ok()?.syscall_number()
    }

    /// Moves the program counter at once: should this worker die, the thread goes on from there.
    pub(crate) fn rewind(&mut self, tid: Tid, pc: u64) -> Result<(), Errno> {
        self.general(tid)?.set_pc(pc);
        ptrace::poke_user(tid, GeneralRegisters::PC_OFFSET, pc)
    }

    /// Moves the program counter when the thread goes on.
    pub(crate) fn set_pc(&mut self, tid: Tid, pc: u64) -> Result<(), Errno> {
        let general = self.edit(tid)?;
        general.set_pc(pc);
        general.forget_syscall();
        Ok(())
    }

    /// Changes general registers that are written back when the thread goes on.
    pub(crate) fn edit(&mut self, tid: Tid) -> Result<&mut GeneralRegisters, Errno> {
        self.general_dirty = true;
        self.general(tid)
    }

    fn load(&mut self, tid: Tid, arch: &Architecture, extended: bool) -> Result<(), Errno> {
        self.general(tid)?;
        if extended && self.extended.is_empty() {
            self.extended.resize(arch.extended_size(), 0);
            match ptrace::register_set(tid, arch.extended_note(), &mut self.extended) {
                Ok(length) => self.extended.truncate(length),
                Err(errno) => {
                    self.extended.clear();
                    return Err(errno);
                }
            }
        }
        Ok(())
    }

    /// Appends the content of all registers.
    pub(crate) fn read_all(&mut self, tid: Tid, arch: &Architecture, out: &mut Vec<u8>) -> Result<(), Errno> {
        self.load(tid, arch, true)?;
        let general = self.general.as_ref().ok_or(Errno::ESRCH)?;
        arch.read_all(general, &self.extended, out);
        Ok(())
    }

    /// Appends one register's content.
    pub(crate) fn read(&mut self, tid: Tid, arch: &Architecture, number: u32, out: &mut Vec<u8>) -> Result<(), Errno> {
        self.load(tid, arch, !arch.is_general(number))?;
        let general = self.general.as_ref().ok_or(Errno::ESRCH)?;
        arch.read_register(number, general, &self.extended, out).ok_or(Errno::EINVAL)
    }

    /// Sets all registers.
    pub(crate) fn write_all(&mut self, tid: Tid, arch: &Architecture, values: &[u8]) -> Result<(), Errno> {
        self.load(tid, arch, true)?;
        let general = self.general.as_mut().ok_or(Errno::ESRCH)?;
        let touched = arch.write_all(values, general, &mut self.extended).map_err(|_| Errno::EINVAL)?;
        self.touch(touched);
        Ok(())
    }

    /// Sets one register.
    pub(crate) fn write(&mut self, tid: Tid, arch: &Architecture, number: u32, value: &[u8]) -> Result<(), Errno> {
        self.load(tid, arch, !arch.is_general(number))?;
        let general = self.general.as_mut().ok_or(Errno::ESRCH)?;
        let before = general.pc();
        let touched = arch.write_register(number, value, general, &mut self.extended).map_err(|_| Errno::EINVAL)?;
        if general.pc() != before {
            general.forget_syscall();
        }
        self.touch(touched);
        Ok(())
    }

    fn touch(&mut self, touched: Touched) {
        self.general_dirty |= touched.general;
        self.extended_dirty |= touched.extended;
    }

    /// Writes back what was changed. Called before the thread goes on, and before the worker forgets it.
    pub(crate) fn flush(&mut self, tid: Tid, arch: &Architecture) -> Result<(), Errno> {
        if std::mem::take(&mut self.general_dirty)
            && let Some(general) = &self.general
        {
            ptrace::set_general_registers(tid, general)?;
        }
        if std::mem::take(&mut self.extended_dirty) {
            ptrace::set_register_set(tid, arch.extended_note(), &self.extended)?;
        }
        Ok(())
    }

    /// The thread runs: nothing is known any more.
    pub(crate) fn forget(&mut self) {
        self.general = None;
        self.extended.clear();
    }
}
