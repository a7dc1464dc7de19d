//! Memory that a client wants in a program, for code and data of its own.

use super::arch::{GeneralRegisters, Mode, SystemCall};
use super::memory::Memory;
use super::thread::{State, Stop};
use super::{Engine, interruptible, ptrace};
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::ids::Tid;
use dbgsrv_protocol::rsp::memory::Permissions;
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use libc::c_int;
use nix::errno::Errno;

/// Most pieces of memory that a client may have in a process at once.
const MAX_ALLOCATIONS: usize = 1024;

/// Most signals that are put aside while a thread makes a call for us.
const MAX_SIGNALS: usize = 64;

/// The kernel's errors are the last 4095 numbers.
const MAX_ERRNO: u64 = 4095;

impl Engine {
    /// Maps `size` bytes of new memory into a process, as the process would itself. All its threads have to stand still.
    ///
    /// # Errors
    /// [`Error::Running`], [`Error::NoThread`]; [`Error::TooMany`]; and what mmap(2) fails with.
    pub fn allocate(&mut self, thread: ThreadSelector, size: u64, permissions: Permissions) -> Result<u64> {
        let pid = self.process_of(thread)?.pid;
        if self.process(pid)?.allocations.len() >= MAX_ALLOCATIONS {
            return Err(Error::TooMany("pieces of memory"));
        }
        let flags = [
            (permissions.read, libc::PROT_READ),
            (permissions.write, libc::PROT_WRITE),
            (permissions.execute, libc::PROT_EXEC),
        ];
        let protection = flags.iter().filter(|(set, _)| *set).fold(0, |all, (_, flag)| all | flag);
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // No file, as an int.
        let arguments = [0, size, protection as u64, kind as u64, u32::MAX.into(), 0];
        let address = self.call_system(thread, SystemCall::Map, arguments)?;
        self.process_mut(pid)?.allocations.insert(address, size);
        Ok(address)
    }

    /// Unmaps what `allocate` has mapped.
    ///
    /// # Errors
    /// As there; `EINVAL` for another address.
    pub fn free(&mut self, thread: ThreadSelector, address: u64) -> Result<()> {
        let process = self.process_of(thread)?;
        let (pid, size) = (process.pid, *process.allocations.get(&address).ok_or(Error::System(Errno::EINVAL))?);
        self.call_system(thread, SystemCall::Unmap, [address, size, 0, 0, 0, 0])?;
        self.process_mut(pid)?.allocations.remove(&address);
        Ok(())
    }

    /// Has a stopped thread make a system call, and leaves it as it was.
    fn call_system(&mut self, selector: ThreadSelector, call: SystemCall, arguments: [u64; 6]) -> Result<u64> {
        if self.running > 0 {
            return Err(Error::Running);
        }
        let (thread, process) = self.stopped(selector)?;
        let mode = process.mode;
        if mode == Mode::Bits32 && arguments.iter().any(|&argument| u32::try_from(argument).is_err()) {
            // More than there are addresses.
            return Err(Errno::ENOMEM.into());
        }
        let tid = thread.id.tid;
        let before = *thread.registers.general(tid)?;
        let signal =
            (thread.state == State::Stopped(Stop::Signal)).then(|| ptrace::signal_info_bytes(tid)).transpose()?;
        let calling = before.calling(call, mode, arguments);
        let done = call_in_place(tid, &process.memory, &before, &calling, SystemCall::instruction(mode));
        if let Some(signal) = signal {
            let _ = ptrace::set_signal_info_bytes(tid, &signal);
        }
        let attached = process.attached;
        let result = match done {
            Ok((result, signals)) => {
                for signal in signals {
                    super::resume::send_signal(thread.id, signal)?;
                }
                result
            }
            Err(Broken::Address(address)) => return Err(Error::BadAddress(address)),
            Err(Broken::Ended(status)) => {
                self.ended(tid, status);
                return Err(Error::NoThread);
            }
            Err(Broken::System(errno)) => return Err(errno.into()),
        };
        // As after a step: a SIGTRAP is on its way.
        self.restless.retain(|&(restless, _)| restless != tid);
        self.restless.extend((attached && signal.is_none()).then_some((tid, true)));
        if result > u64::MAX - MAX_ERRNO {
            Err(Errno::from_raw(result.wrapping_neg() as i32).into())
        } else {
            Ok(result)
        }
    }
}

/// Why a call was not made.
enum Broken {
    /// There is no memory where the thread stands.
    Address(u64),
    /// The thread has ended with this status.
    Ended(c_int),
    System(Errno),
}

impl From<Errno> for Broken {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

/// The result of a call, and the signals that came meanwhile.
type Called = std::result::Result<(u64, Vec<c_int>), Broken>;

/// Puts `instruction` where a thread stands, has it make the call that `calling` holds, and puts back what there was.
fn call_in_place(
    tid: Tid,
    memory: &Memory,
    before: &GeneralRegisters,
    calling: &GeneralRegisters,
    instruction: [u8; 2],
) -> Called {
    let pc = before.pc();
    let mut hidden = instruction;
    if memory.read(pc, &mut hidden) != hidden.len() || memory.write(pc, &instruction).is_err() {
        return Err(Broken::Address(pc));
    }
    let called = make_call(tid, before, calling);
    // Where one of these fails, the thread has been killed.
    let _ = memory.write(pc, &hidden);
    let _ = ptrace::set_general_registers(tid, before);
    called
}

/// Steps a thread over the instruction that it is about to execute; the result, and the signals that came meanwhile.
fn make_call(tid: Tid, before: &GeneralRegisters, calling: &GeneralRegisters) -> Called {
    let mut signals = Vec::new();
    loop {
        // Each time: after exec, the first step only ends that call, whose result takes the place of our number.
        ptrace::set_general_registers(tid, calling)?;
        ptrace::step(tid, 0)?;
        let status = interruptible::wait_for(tid)?;
        if !libc::WIFSTOPPED(status) {
            return Err(Broken::Ended(status));
        }
        let now = ptrace::general_registers(tid)?;
        if now.pc() != before.pc() {
            return Ok((now.result(), signals));
        }
        // It stopped for a signal that came first.
        if status >> 16 == 0 && libc::WSTOPSIG(status) != libc::SIGTRAP {
            signals.push(libc::WSTOPSIG(status));
        }
        if signals.len() > MAX_SIGNALS {
            return Err(Broken::System(Errno::EAGAIN));
        }
    }
}
