//! Signals by GDB's numbers, which are the same on every system (GDB's `include/gdb/signals.def`).

/// A signal in GDB's numbering: 0 to 255 on the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Signal(pub u8);
