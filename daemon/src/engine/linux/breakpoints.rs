//! The software breakpoints of one process: which there are, and whether they are in memory.
//!
//! They are in memory only while the process runs: what a client reads is the program's own bytes, and whatever ends
//! the session while the process stands still has nothing to undo.

use super::arch::BREAKPOINT;
use super::journal::{Journal, Slot};
use super::memory::Memory;
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::rsp::agent::Program;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Most software breakpoints in one process.
const MAX_BREAKPOINTS: usize = 8192;

/// Most memory in bytes for the conditions and commands of the breakpoints in one process, of which one that gdb compiles
/// takes some hundreds. A packet could make some megabytes of them.
const MAX_SCRIPTS: usize = 4 << 20;

/// What a client wants to happen at an address.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Heed the breakpoint only where one of these is true; empty: always.
    pub(crate) conditions: Vec<Program>,
    /// Run these instead of stopping; empty: stop.
    pub(crate) commands: Vec<Program>,
}

impl Script {
    fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.commands.is_empty()
    }

    /// Bytes of memory.
    fn size(&self) -> usize {
        self.conditions.iter().chain(&self.commands).map(Program::size).sum()
    }
}

#[derive(Debug)]
struct Breakpoint {
    /// What the client wants; `None`: it has no breakpoint here.
    script: Option<Script>,
    /// There is a tracepoint here.
    traced: bool,
    /// The byte that the breakpoint instruction replaces; `None`: to be read when it is planted.
    original: Option<u8>,
    /// The [`Breakpoints::turn`] in which that byte was last seen, or written back: until the program runs again it is
    /// still there.
    seen: u64,
    planted: bool,
    /// A thread has just run into it, so that is what is in memory.
    was_hit: bool,
    slot: Option<Slot>,
}

/// The software breakpoints of one process.
#[derive(Debug, Default)]
pub(crate) struct Breakpoints {
    table: BTreeMap<u64, Breakpoint>,
    /// Some are in memory.
    planted: bool,
    /// All that can be are.
    complete: bool,
    /// Counts how often the program has run: it may have changed what is under those that were not in memory.
    turn: u64,
}

impl Breakpoints {
    /// Adds a breakpoint, or replaces the script of the one that is there. `survivor` is the process where it must
    /// survive this worker, for which every breakpoint needs its entry in the journal.
    ///
    /// # Errors
    /// [`Error::BadAddress`] where no memory is at `address`, [`Error::TooMany`].
    pub(crate) fn insert(
        &mut self,
        address: u64,
        script: Script,
        memory: &Memory,
        survivor: Option<Pid>,
        journal: &Journal,
    ) -> Result<()> {
        if !self.has_room_for(&script) {
            return Err(Error::TooMany("conditions and commands of breakpoints"));
        }
        self.place(address, memory, survivor, journal)?.script = Some(script);
        Ok(())
    }

    /// Adds a tracepoint, as [`Self::insert`] does a breakpoint.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn insert_tracepoint(
        &mut self,
        address: u64,
        memory: &Memory,
        survivor: Option<Pid>,
        journal: &Journal,
    ) -> Result<()> {
        self.place(address, memory, survivor, journal)?.traced = true;
        Ok(())
    }

    /// What there is at `address`, or something new that nobody wants yet.
    fn place(
        &mut self,
        address: u64,
        memory: &Memory,
        survivor: Option<Pid>,
        journal: &Journal,
    ) -> Result<&mut Breakpoint> {
        if self.table.contains_key(&address) {
            return self.table.get_mut(&address).ok_or(Error::BadAddress(address));
        }
        if self.table.len() == MAX_BREAKPOINTS {
            return Err(Error::TooMany("breakpoints"));
        }
        let mut original = [0];
        if memory.read(address, &mut original) != 1 {
            return Err(Error::BadAddress(address));
        }
        let [original] = original;
        let slot = survivor.map(|pid| journal.add_breakpoint(pid, address, original)).transpose();
        let slot = slot.map_err(|_| Error::TooMany("breakpoints"))?;
        self.complete = false;
        let original = Some(original);
        let seen = self.turn;
        let new = Breakpoint { script: None, traced: false, original, seen, planted: false, was_hit: false, slot };
        Ok(self.table.entry(address).or_insert(new))
    }

    fn has_room_for(&self, script: &Script) -> bool {
        let held = || self.table.values().filter_map(|one| one.script.as_ref()).map(Script::size).sum::<usize>();
        // Most have none, and then nothing is to be added up.
        script.is_empty() || held() + script.size() <= MAX_SCRIPTS
    }

    /// Takes a breakpoint away, also out of memory.
    ///
    /// # Errors
    /// [`Error::BadAddress`] where that memory is gone, and the breakpoint with it.
    pub(crate) fn remove(&mut self, address: u64, memory: &Memory, journal: &Journal) -> Result<()> {
        let Some(breakpoint) = self.table.get_mut(&address) else { return Ok(()) };
        breakpoint.script = None;
        let is_there = !breakpoint.planted && breakpoint.known(self.turn).is_some();
        self.drop_unwanted(address, memory, journal);
        if is_there || memory.read(address, &mut [0]) == 1 { Ok(()) } else { Err(Error::BadAddress(address)) }
    }

    /// Takes all tracepoints away, also out of memory.
    pub(crate) fn remove_tracepoints(&mut self, memory: &Memory, journal: &Journal) {
        let traced = self.table.iter_mut().filter(|(_, breakpoint)| breakpoint.traced);
        let clear = |(address, breakpoint): (&u64, &mut Breakpoint)| {
            breakpoint.traced = false;
            *address
        };
        for address in traced.map(clear).collect::<Vec<_>>() {
            self.drop_unwanted(address, memory, journal);
        }
    }

    fn drop_unwanted(&mut self, address: u64, memory: &Memory, journal: &Journal) {
        if self.table.get(&address).is_some_and(|one| one.script.is_none() && !one.traced)
            && let Some(mut breakpoint) = self.table.remove(&address)
        {
            breakpoint.lift_checked(address, memory, self.turn);
            breakpoint.strike(journal);
        }
    }

    /// What the client wants to happen at an address, if anything.
    pub(crate) fn at(&self, address: u64) -> Option<&Script> {
        self.table.get(&address)?.script.as_ref()
    }

    /// Whether a tracepoint is at `address`.
    pub(crate) fn is_traced(&self, address: u64) -> bool {
        self.table.get(&address).is_some_and(|breakpoint| breakpoint.traced)
    }

    /// A thread has run into the breakpoint at `address`.
    pub(crate) fn hit(&mut self, address: u64) {
        if let Some(breakpoint) = self.table.get_mut(&address) {
            breakpoint.was_hit = true;
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Where they are.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = u64> {
        self.table.keys().copied()
    }

    /// Whether a breakpoint is at `address`.
    pub(crate) fn contains(&self, address: u64) -> bool {
        self.table.contains_key(&address)
    }

    /// Whether any is in memory.
    pub(crate) fn is_planted(&self) -> bool {
        self.planted
    }

    /// Whether the breakpoint at `address` is in memory.
    pub(crate) fn is_planted_at(&self, address: u64) -> bool {
        self.table.get(&address).is_some_and(|breakpoint| breakpoint.planted)
    }

    /// The program's own byte at the breakpoint at `address`; `None`: it has to be read.
    pub(crate) fn original(&self, address: u64) -> Option<u8> {
        self.table.get(&address)?.known(self.turn)
    }

    /// Writes all breakpoints to memory. One whose page is not mapped (any more) is left out.
    pub(crate) fn plant(&mut self, memory: &Memory, journal: &Journal) {
        if std::mem::replace(&mut self.complete, true) {
            return;
        }
        self.planted = !self.table.is_empty();
        for (&address, breakpoint) in &mut self.table {
            breakpoint.plant(address, memory, self.turn, journal);
        }
    }

    /// The program is about to run.
    pub(crate) fn let_run(&mut self) {
        self.turn += 1;
    }

    /// Writes one breakpoint back that was lifted to step over it.
    pub(crate) fn plant_one(&mut self, address: u64, memory: &Memory) {
        if self.planted
            && let Some(breakpoint) = self.table.get_mut(&address)
        {
            breakpoint.planted = memory.write(address, BREAKPOINT).is_ok();
        }
    }

    /// Takes the breakpoint that a thread has just run into out of memory, to step over it.
    pub(crate) fn lift_one(&mut self, address: u64, memory: &Memory) {
        if let Some(breakpoint) = self.table.get_mut(&address) {
            breakpoint.lift(address, memory, self.turn);
        }
    }

    /// Takes all breakpoints out of memory.
    pub(crate) fn lift(&mut self, memory: &Memory) {
        self.complete = false;
        if !std::mem::take(&mut self.planted) {
            return;
        }
        for (&address, breakpoint) in &mut self.table {
            breakpoint.lift_checked(address, memory, self.turn);
        }
    }

    /// Takes the breakpoints of the parent out of a forked child's copy of its memory.
    pub(crate) fn lift_copies(&self, memory: &Memory) {
        for (&address, breakpoint) in self.table.iter().filter(|(_, breakpoint)| breakpoint.planted) {
            // The child may have ended meanwhile; then there is nothing to mend.
            let _ = breakpoint.original.map(|original| memory.write(address, &[original]));
        }
    }

    /// Forgets all without touching memory: the process has a new program, or is gone.
    pub(crate) fn clear(&mut self, journal: &Journal) {
        for breakpoint in self.table.values_mut() {
            breakpoint.strike(journal);
        }
        self.table.clear();
        self.planted = false;
        self.complete = false;
    }

    /// Shows the program's own bytes in what was read while breakpoints were in memory.
    pub(crate) fn hide(&self, address: u64, bytes: &mut [u8]) {
        if self.planted && !bytes.is_empty() {
            for (&at, breakpoint) in self.table.range(address..=address.saturating_add(bytes.len() as u64 - 1)) {
                if breakpoint.planted
                    && let Some(original) = breakpoint.original
                {
                    bytes[(at - address) as usize] = original;
                }
            }
        }
    }

    /// What is to be written for the client to have `data` in memory: breakpoints that are there stay, over the bytes that
    /// they now hide.
    pub(crate) fn cover<'d>(&mut self, address: u64, data: &'d [u8], journal: &Journal) -> Cow<'d, [u8]> {
        let mut covered = Cow::Borrowed(data);
        if !data.is_empty() {
            for (&at, breakpoint) in self.table.range_mut(address..=address.saturating_add(data.len() as u64 - 1)) {
                let index = (at - address) as usize;
                if breakpoint.planted {
                    covered.to_mut()[index] = BREAKPOINT[0];
                }
                breakpoint.original = Some(data[index]);
                breakpoint.seen = self.turn;
                if let Some(slot) = breakpoint.slot {
                    journal.set_original(slot, data[index]);
                }
            }
        }
        covered
    }
}

impl Breakpoint {
    /// The byte under it, where that need not be looked at again.
    fn known(&self, turn: u64) -> Option<u8> {
        self.original.filter(|_| self.planted || self.seen == turn)
    }

    fn plant(&mut self, address: u64, memory: &Memory, turn: u64, journal: &Journal) {
        if self.planted {
            return;
        }
        if self.known(turn).is_none() {
            let mut byte = [0];
            if memory.read(address, &mut byte) != 1 {
                return;
            }
            self.original = Some(byte[0]);
            self.seen = turn;
            if let Some(slot) = self.slot {
                journal.set_original(slot, byte[0]);
            }
        }
        self.planted = memory.write(address, BREAKPOINT).is_ok();
    }

    fn lift(&mut self, address: u64, memory: &Memory, turn: u64) {
        if std::mem::take(&mut self.planted)
            && let Some(original) = self.original
            // It fails only where the page is gone, and the breakpoint with it.
            && memory.write(address, &[original]).is_ok()
        {
            self.seen = turn;
        }
    }

    /// As `lift`, but leaves alone what the program has mapped or written there meanwhile.
    fn lift_checked(&mut self, address: u64, memory: &Memory, turn: u64) {
        let mut byte = [0];
        let known = std::mem::take(&mut self.was_hit);
        if self.planted && !known && (memory.read(address, &mut byte) != 1 || byte != BREAKPOINT) {
            self.planted = false;
            self.original = None;
        }
        self.lift(address, memory, turn);
    }

    fn strike(&mut self, journal: &Journal) {
        if let Some(slot) = self.slot.take() {
            journal.remove_breakpoint(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::journal::SIZE;
    use super::*;
    use nix::sys::memfd::{MFdFlags, memfd_create};
    use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
    use nix::unistd::{ftruncate, getpid};
    use std::num::NonZeroUsize;

    #[test]
    #[expect(unsafe_code, reason = "it takes memory that goes away")]
    fn a_breakpoint_whose_memory_is_gone_is_removed_with_an_error() {
        let shared = memfd_create("journal", MFdFlags::MFD_CLOEXEC).unwrap();
        ftruncate(&shared, SIZE as i64).unwrap();
        let journal = Journal::map(&shared).unwrap();
        let pid = Pid::new(getpid().as_raw()).unwrap();
        let memory = Memory::open(pid, pid.leader()).unwrap();
        let size = NonZeroUsize::new(4096).unwrap();
        // SAFETY: a mapping of its own, wherever there is room.
        let page = unsafe { mmap_anonymous(None, size, ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE) }.unwrap();
        let address = page.as_ptr() as u64;
        let mut breakpoints = Breakpoints::default();
        for at in [address, address + 1] {
            breakpoints.insert(at, Script::default(), &memory, None, &journal).unwrap();
        }
        assert!(breakpoints.remove(address, &memory, &journal).is_ok());
        breakpoints.let_run();
        // SAFETY: nothing refers to the page.
        unsafe { munmap(page, size.get()) }.unwrap();
        assert!(matches!(breakpoints.remove(address + 1, &memory, &journal), Err(Error::BadAddress(_))));
        assert!(breakpoints.is_empty());
        assert!(breakpoints.remove(address + 1, &memory, &journal).is_ok());
    }
}
