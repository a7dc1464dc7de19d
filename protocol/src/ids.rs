//! Identifiers that every layer shares.

use core::fmt;
use core::num::NonZeroU32;

/// A process id on the server's machine: 1 to 2³¹ − 1.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Pid(NonZeroU32);

/// A thread id on the server's machine: 1 to 2³¹ − 1. On Linux the kernel's task id, unique among all processes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tid(NonZeroU32);

macro_rules! kernel_id {
    ($name:ident) => {
        impl $name {
            /// The id, or `None` where `raw` is 0 or negative, which mean "any", "all" or a process group elsewhere.
            #[must_use]
            pub const fn new(raw: i32) -> Option<Self> {
                if raw <= 0 {
                    return None;
                }
                match NonZeroU32::new(raw as u32) {
                    Some(id) => Some(Self(id)),
                    None => None,
                }
            }

            /// The id as the kernel counts it.
            #[must_use]
            pub const fn raw(self) -> i32 {
                self.0.get() as i32
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
kernel_id!(Pid);
kernel_id!(Tid);

impl Pid {
    /// The thread that a process starts with: on Linux it has the process's own id.
    #[must_use]
    pub const fn leader(self) -> Tid {
        Tid(self.0)
    }
}

/// One thread of one process.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ThreadId {
    /// The process.
    pub pid: Pid,
    /// The thread.
    pub tid: Tid,
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.pid, self.tid)
    }
}
