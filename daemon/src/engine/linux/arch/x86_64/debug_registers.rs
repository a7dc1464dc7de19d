//! The debug registers, which watch four places without changing a byte of the program (Intel SDM volume 3,
//! "Debug Registers").
//!
//! This is bookkeeping only: the engine gives each thread the [`addresses`](DebugRegisters::addresses) and, after them,
//! [`dr7`](DebugRegisters::dr7), at the offsets that [`offset`] tells, and asks [`hit`](DebugRegisters::hit) when one
//! of them stops on its own.

use std::mem::offset_of;

use dbgsrv_protocol::rsp::breakpoint::Kind;
use thiserror::Error;

/// How many places can be watched.
pub const SLOTS: usize = 4;

/// The number of the status register, which tells what was hit. The engine clears it.
pub(crate) const STATUS: usize = 6;

/// The number of the control register, which turns slots on.
pub(crate) const CONTROL: usize = 7;

/// What the debug registers of a process's threads are meant to hold.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct DebugRegisters {
    slots: [Option<Slot>; SLOTS],
}

/// Why a place is not watched. Nothing has changed then.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(crate) enum InsertError {
    /// Also said of [`Kind::ReadWatch`], as the processor cannot tell reading from writing. Refused as unsupported, it
    /// makes GDB try an access watchpoint instead.
    #[error("the processor cannot watch for this")]
    Unsupported,
    #[error("{size} bytes at {address:#x} cannot be watched: the range is empty or passes the end of memory")]
    Range { address: u64, size: u64 },
    #[error("all debug registers are in use; the processor has four, each watching up to 8 aligned bytes")]
    Exhausted,
}

/// What stopped a thread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Hit {
    /// Never [`Kind::ReadWatch`] or [`Kind::Software`].
    pub(crate) kind: Kind,
    /// The first byte that the debug register watches, which is within the range inserted.
    pub(crate) address: u64,
    /// Which of the registers that is.
    pub(crate) register: u8,
}

/// The content of one address register and its part of the control register.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Slot {
    piece: Piece,
    /// How many inserted ranges have this piece.
    uses: u32,
}

/// What one debug register can watch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Piece {
    kind: Kind,
    address: u64,
    /// 1, 2, 4 or 8; the address is a multiple of it.
    len: u64,
}

/// Where the debug register of that number is in the kernel's `struct user`, for `PTRACE_POKEUSER` and
/// `PTRACE_PEEKUSER`.
pub(crate) const fn offset(number: usize) -> usize {
    offset_of!(libc::user, u_debugreg) + number * size_of::<libc::c_ulonglong>()
}

impl DebugRegisters {
    /// Watches a range, with as many registers as it takes; `size` does not matter to a breakpoint. Every insertion
    /// counts: the engine inserts a range once, however often it is asked to.
    ///
    /// # Errors
    /// The kind is not one of the processor's, the range makes no sense, or too few registers are free.
    pub(crate) fn insert(&mut self, kind: Kind, address: u64, size: u64) -> Result<(), InsertError> {
        let mut slots = self.slots;
        for piece in pieces(kind, address, size)? {
            if let Some(slot) = slots.iter_mut().flatten().find(|slot| slot.piece == piece) {
                slot.uses += 1;
            } else {
                let free = slots.iter_mut().find(|slot| slot.is_none()).ok_or(InsertError::Exhausted)?;
                *free = Some(Slot { piece, uses: 1 });
            }
        }
        self.slots = slots;
        Ok(())
    }

    /// Takes back one insertion of the same kind, address and size. One that was not made changes nothing.
    pub(crate) fn remove(&mut self, kind: Kind, address: u64, size: u64) {
        let mut slots = self.slots;
        for piece in pieces(kind, address, size).into_iter().flatten() {
            let Some(entry) = slots.iter_mut().find(|entry| entry.is_some_and(|slot| slot.piece == piece)) else {
                return;
            };
            *entry = entry.and_then(|Slot { uses, .. }| (uses > 1).then_some(Slot { piece, uses: uses - 1 }));
        }
        self.slots = slots;
    }

    /// Whether nothing is watched.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots == [None; SLOTS]
    }

    /// What DR0 to DR3 are to hold.
    pub(crate) fn addresses(&self) -> [u64; SLOTS] {
        self.slots.map(|slot| slot.map_or(0, |slot| slot.piece.address))
    }

    /// What DR7 is to hold.
    pub(crate) fn dr7(&self) -> u64 {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(index, slot)| slot.map(|slot| slot.piece.control(index))).fold(0, |dr7, bits| dr7 | bits)
    }

    /// What DR6 says was hit. A watchpoint is told before a breakpoint, since its instruction is over while the one at
    /// the breakpoint has not begun.
    pub(crate) fn hit(&self, dr6: u64) -> Option<Hit> {
        // A condition bit may be set for a register that is off, so only those in use count.
        let hits = self.slots.iter().enumerate().filter(|(index, _)| dr6 >> index & 1 != 0);
        let of = |register: usize, Piece { kind, address, .. }| Hit { kind, address, register: register as u8 };
        hits.filter_map(|(register, slot)| slot.map(|slot| of(register, slot.piece)))
            .min_by_key(|hit| hit.kind == Kind::Hardware)
    }
}

impl Piece {
    /// Its bits in DR7 as register `index`: enabled for the thread, condition and length.
    fn control(self, index: usize) -> u64 {
        let condition = match self.kind {
            Kind::WriteWatch => 0b01,
            Kind::AccessWatch => 0b11,
            _ => 0b00,
        };
        let len = match self.len {
            2 => 0b01,
            4 => 0b11,
            8 => 0b10,
            _ => 0b00,
        };
        1 << (2 * index) | (condition | len << 2) << (16 + 4 * index)
    }
}

/// Cuts a range into pieces, of which there are at most [`SLOTS`].
fn pieces(kind: Kind, address: u64, size: u64) -> Result<Vec<Piece>, InsertError> {
    let size = match kind {
        Kind::Hardware => 1,
        Kind::WriteWatch | Kind::AccessWatch => size,
        Kind::ReadWatch | Kind::Software => return Err(InsertError::Unsupported),
    };
    let last = size.checked_sub(1).and_then(|more| address.checked_add(more));
    let end = last.and_then(|last| last.checked_add(1)).ok_or(InsertError::Range { address, size })?;
    let mut pieces = Vec::with_capacity(SLOTS);
    let mut address = address;
    while address < end {
        if pieces.len() == SLOTS {
            return Err(InsertError::Exhausted);
        }
        let aligned = 1 << address.trailing_zeros().min(3);
        let fitting = 1 << (end - address).ilog2().min(3);
        let len = aligned.min(fitting);
        pieces.push(Piece { kind, address, len });
        address += len;
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(kind: Kind, address: u64, size: u64) -> DebugRegisters {
        let mut registers = DebugRegisters::default();
        registers.insert(kind, address, size).unwrap();
        registers
    }

    #[test]
    fn nothing_watched_leaves_all_registers_zero() {
        let registers = DebugRegisters::default();
        assert!(registers.is_empty());
        assert_eq!((registers.addresses(), registers.dr7()), ([0; 4], 0));
    }

    #[test]
    fn control_bits_are_those_of_the_manual() {
        assert_eq!(with(Kind::Hardware, 0x401_003, 4).dr7(), 0x1);
        assert_eq!(with(Kind::WriteWatch, 0x1000, 1).dr7(), 0x1_0001);
        assert_eq!(with(Kind::WriteWatch, 0x1000, 2).dr7(), 0x5_0001);
        assert_eq!(with(Kind::WriteWatch, 0x1000, 4).dr7(), 0xd_0001);
        assert_eq!(with(Kind::AccessWatch, 0x1000, 8).dr7(), 0xb_0001);
        assert_eq!(with(Kind::WriteWatch, 0x1000, 32).dr7(), 0x9999_0055);
    }

    #[test]
    fn an_unaligned_range_is_spread_over_aligned_registers() {
        let registers = with(Kind::WriteWatch, 0x1003, 8);
        assert_eq!(registers.addresses(), [0x1003, 0x1004, 0x1008, 0x100a]);
        assert_eq!(registers.dr7() >> 16, 0x15d1);
    }

    #[test]
    fn what_takes_more_than_four_registers_is_refused_and_changes_nothing() {
        let mut registers = with(Kind::Hardware, 0x10, 1);
        let before = registers;
        assert_eq!(registers.insert(Kind::WriteWatch, 0x1000, 32), Err(InsertError::Exhausted));
        assert_eq!(registers.insert(Kind::WriteWatch, 0x1000, u64::MAX / 2), Err(InsertError::Exhausted));
        assert_eq!(registers, before);
    }

    #[test]
    fn ranges_that_make_no_sense_are_refused() {
        let mut registers = DebugRegisters::default();
        assert_eq!(registers.insert(Kind::WriteWatch, 0x1000, 0), Err(InsertError::Range { address: 0x1000, size: 0 }));
        assert_eq!(
            registers.insert(Kind::WriteWatch, u64::MAX, 2),
            Err(InsertError::Range { address: u64::MAX, size: 2 })
        );
        assert_eq!(registers.insert(Kind::ReadWatch, 0x1000, 4), Err(InsertError::Unsupported));
        assert_eq!(registers.insert(Kind::Software, 0x1000, 1), Err(InsertError::Unsupported));
        assert!(registers.is_empty());
    }

    #[test]
    fn equal_ranges_share_a_register_until_the_last_is_removed() {
        let mut registers = with(Kind::WriteWatch, 0x1000, 8);
        registers.insert(Kind::WriteWatch, 0x1000, 8).unwrap();
        assert_eq!(registers.addresses(), [0x1000, 0, 0, 0]);
        registers.remove(Kind::WriteWatch, 0x1000, 8);
        assert!(!registers.is_empty());
        registers.remove(Kind::WriteWatch, 0x1000, 8);
        assert!(registers.is_empty());
    }

    #[test]
    fn removing_what_is_not_there_changes_nothing() {
        let mut registers = with(Kind::WriteWatch, 0x1000, 8);
        let before = registers;
        registers.remove(Kind::AccessWatch, 0x1000, 8);
        registers.remove(Kind::WriteWatch, 0x1000, 16);
        registers.remove(Kind::ReadWatch, 0x1000, 8);
        assert_eq!(registers, before);
    }

    #[test]
    fn a_removed_range_leaves_the_others_in_their_registers() {
        let mut registers = with(Kind::WriteWatch, 0x1000, 8);
        registers.insert(Kind::Hardware, 0x2000, 1).unwrap();
        registers.remove(Kind::WriteWatch, 0x1000, 8);
        assert_eq!(registers.addresses(), [0, 0x2000, 0, 0]);
        assert_eq!(registers.dr7(), 0x4);
    }

    #[test]
    fn only_registers_in_use_are_hit() {
        let registers = with(Kind::WriteWatch, 0x1000, 4);
        assert_eq!(registers.hit(0xffff_0ff1), Some(Hit { kind: Kind::WriteWatch, address: 0x1000, register: 0 }));
        assert_eq!(registers.hit(0xffff_0ff2), None);
        assert_eq!(registers.hit(0x4000), None);
    }

    #[test]
    fn a_watchpoint_is_told_before_a_breakpoint() {
        let mut registers = with(Kind::Hardware, 0x2000, 1);
        registers.insert(Kind::AccessWatch, 0x1000, 4).unwrap();
        assert_eq!(registers.hit(0b11), Some(Hit { kind: Kind::AccessWatch, address: 0x1000, register: 1 }));
        assert_eq!(registers.hit(0b01), Some(Hit { kind: Kind::Hardware, address: 0x2000, register: 0 }));
    }

    #[test]
    fn debug_registers_follow_each_other_in_the_kernel_s_structure() {
        assert_eq!(offset(0), 848);
        assert_eq!(offset(CONTROL), 848 + 56);
    }

    proptest! {
        #[test]
        fn pieces_cover_the_range_exactly_and_are_aligned(address: u64, size in 1_u64..40) {
            if let Ok(pieces) = pieces(Kind::WriteWatch, address, size) {
                let mut next = address;
                for piece in &pieces {
                    prop_assert_eq!(piece.address, next);
                    prop_assert!(matches!(piece.len, 1 | 2 | 4 | 8) && piece.address % piece.len == 0);
                    next += piece.len;
                }
                prop_assert_eq!(next, address + size);
                prop_assert!(pieces.len() <= SLOTS);
            }
        }

        #[test]
        fn any_insertion_is_undone_by_its_removal(
            ranges in prop::collection::vec((prop::bool::ANY, 0_u64..64, 0_u64..12), 0..8),
        ) {
            let mut registers = DebugRegisters::default();
            let mut inserted = Vec::new();
            for (access, address, size) in ranges {
                let kind = if access { Kind::AccessWatch } else { Kind::WriteWatch };
                if registers.insert(kind, address, size).is_ok() {
                    inserted.push((kind, address, size));
                }
            }
            for (kind, address, size) in inserted {
                registers.remove(kind, address, size);
            }
            prop_assert!(registers.is_empty());
        }
    }
}
