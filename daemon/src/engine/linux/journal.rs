//! What a session has changed in its debuggees, where its worker's crash cannot take it.
//!
//! The worker writes the journal in memory that it shares with the daemon. The kernel lets the debuggees of a dead
//! tracer run on; the daemon then takes out what the worker could not: breakpoints from memory, and watchpoints from
//! the debug registers. Debuggees that the session created need no entry: the kernel kills them with their tracer.

#![expect(unsafe_code, reason = "a view of shared memory as atomics")]

use super::arch::{BREAKPOINT, debug_registers};
use super::memory::Memory;
use super::{interruptible, process_info, ptrace};
use dbgsrv_protocol::ids::{Pid, Tid};
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

/// Debuggees that one session can attach to at the same time.
const PROCESSES: usize = 256;
/// Software breakpoints that one session can have in attached debuggees.
const BREAKPOINTS: usize = 8192;

/// Size of the shared memory in bytes. Only the pages in use cost memory.
pub const SIZE: usize = size_of::<Layout>();

#[repr(C)]
struct Layout {
    processes: [ProcessEntry; PROCESSES],
    breakpoints: [BreakpointEntry; BREAKPOINTS],
}

/// A debuggee; `pid` 0: free.
#[repr(C)]
struct ProcessEntry {
    pid: AtomicI32,
    /// Whether the threads' debug registers may be set.
    debug_registers: AtomicU32,
    /// Tells it from a later process with the same id.
    start_time: AtomicU64,
}

/// A breakpoint that may be in memory; `pid` 0: free.
#[repr(C)]
struct BreakpointEntry {
    pid: AtomicI32,
    original: AtomicU32,
    address: AtomicU64,
}

/// A journal entry's place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot(usize);

/// A journal, mapped.
#[derive(Debug)]
pub struct Journal {
    memory: NonNull<c_void>,
}

// SAFETY: all access to the mapping is through atomics.
unsafe impl Send for Journal {}

impl Journal {
    /// Maps the journal behind a descriptor of shared memory that is [`SIZE`] bytes long.
    ///
    /// # Errors
    /// What `mmap` fails with.
    pub fn map(shared: impl AsFd) -> Result<Self, Errno> {
        let length = NonZeroUsize::new(SIZE).ok_or(Errno::EINVAL)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let memory = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, shared, 0) }?;
        Ok(Self { memory })
    }

    fn layout(&self) -> &Layout {
        // SAFETY: the mapping is as long as the layout and lives as long as `self`; any bytes are valid for atomics.
        unsafe { self.memory.cast::<Layout>().as_ref() }
    }

    /// Notes a debuggee that must survive the worker.
    ///
    /// # Errors
    /// `EMFILE` where the session has attached to too many.
    pub(crate) fn add_process(&self, pid: Pid) -> Result<Slot, Errno> {
        let free = self.layout().processes.iter().position(|entry| entry.pid.load(Ordering::Relaxed) == 0);
        let index = free.ok_or(Errno::EMFILE)?;
        let entry = &self.layout().processes[index];
        entry.debug_registers.store(0, Ordering::Relaxed);
        entry.start_time.store(process_info::start_time(pid).unwrap_or(0), Ordering::Relaxed);
        entry.pid.store(pid.raw(), Ordering::Release);
        Ok(Slot(index))
    }

    /// Forgets a debuggee that is as it was found, and its breakpoints.
    pub(crate) fn remove_process(&self, slot: Slot) {
        self.layout().processes[slot.0].pid.store(0, Ordering::Release);
    }

    /// Notes, before the first one is set, that the debuggee's debug registers are in use.
    pub(crate) fn set_debug_registers(&self, slot: Slot, used: bool) {
        self.layout().processes[slot.0].debug_registers.store(u32::from(used), Ordering::Release);
    }

    /// Notes a breakpoint, before it is first planted.
    ///
    /// # Errors
    /// `EMFILE` where there are too many.
    pub(crate) fn add_breakpoint(&self, pid: Pid, address: u64, original: u8) -> Result<Slot, Errno> {
        let free = self.layout().breakpoints.iter().position(|entry| entry.pid.load(Ordering::Relaxed) == 0);
        let index = free.ok_or(Errno::EMFILE)?;
        let entry = &self.layout().breakpoints[index];
        entry.address.store(address, Ordering::Relaxed);
        entry.original.store(u32::from(original), Ordering::Relaxed);
        entry.pid.store(pid.raw(), Ordering::Release);
        Ok(Slot(index))
    }

    /// Notes what a breakpoint hides now.
    pub(crate) fn set_original(&self, slot: Slot, original: u8) {
        self.layout().breakpoints[slot.0].original.store(u32::from(original), Ordering::Release);
    }

    /// Forgets a breakpoint that is out of memory.
    pub(crate) fn remove_breakpoint(&self, slot: Slot) {
        self.layout().breakpoints[slot.0].pid.store(0, Ordering::Release);
    }

    /// Undoes what a dead worker left in its debuggees. May block while threads come to a stop: call it on a thread
    /// of its own. Returns the debuggees that were looked after.
    #[must_use]
    pub fn recover(&self) -> Vec<Pid> {
        let mut recovered = Vec::new();
        for entry in &self.layout().processes {
            let Some(pid) = Pid::new(entry.pid.load(Ordering::Acquire)) else { continue };
            let start = entry.start_time.load(Ordering::Relaxed);
            if process_info::start_time(pid).is_none_or(|now| now != start) {
                continue;
            }
            self.lift_breakpoints(pid);
            if entry.debug_registers.load(Ordering::Acquire) != 0 {
                clear_debug_registers(pid);
            }
            recovered.push(pid);
        }
        recovered
    }

    fn lift_breakpoints(&self, pid: Pid) {
        let mut memory = None;
        for entry in &self.layout().breakpoints {
            if entry.pid.load(Ordering::Acquire) != pid.raw() {
                continue;
            }
            if memory.is_none() {
                memory = Memory::open(pid, pid.leader()).ok();
            }
            let Some(memory) = &memory else { return };
            let address = entry.address.load(Ordering::Relaxed);
            let mut byte = [0];
            if memory.read(address, &mut byte) == 1 && byte == BREAKPOINT {
                // Nobody is left to tell if it fails: the process may have ended meanwhile.
                let _ = memory.write(address, &[entry.original.load(Ordering::Relaxed) as u8]);
            }
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // SAFETY: mapped by `map` with this length, and `layout()` borrows end with `self`.
        let _ = unsafe { munmap(self.memory, SIZE) };
    }
}

/// Stops each thread for as long as it takes to switch its hardware breakpoints off.
fn clear_debug_registers(pid: Pid) {
    for tid in process_info::threads(pid) {
        if ptrace::seize(tid, 0).is_err() {
            continue;
        }
        let signal = ptrace::interrupt(tid).ok().and_then(|()| wait_for_stop(tid)).unwrap_or(0);
        // All of it fails only where the thread has ended.
        let _ = ptrace::poke_debug_register(tid, debug_registers::CONTROL, 0);
        let _ = ptrace::detach(tid, signal);
    }
}

/// The signal that the stopped thread is about to get, if any but the trap of a watchpoint.
fn wait_for_stop(tid: Tid) -> Option<i32> {
    let status = interruptible::wait_for(tid).ok().filter(|&status| libc::WIFSTOPPED(status) && status >> 16 == 0)?;
    Some(libc::WSTOPSIG(status)).filter(|&signal| signal != libc::SIGTRAP)
}
