//! What both sides tell of themselves.

use alloc::string::String;
use core::fmt;

/// Longest text of one fact, in bytes; the rest is cut off.
pub const MAX_FACT: usize = 64;

/// Who speaks: for people, and for what depends on the system.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// The release, such as `0.1.0`.
    pub release: String,
    /// The operating system, such as `linux`.
    pub os: String,
    /// The architecture, such as `x86_64`.
    pub architecture: String,
    /// The machine's name.
    pub host: String,
}

/// The versions of this protocol that a side speaks, lowest and highest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Versions {
    /// The lowest.
    pub low: u16,
    /// The highest.
    pub high: u16,
}

impl Versions {
    /// What this release speaks.
    pub const SPOKEN: Self = Self { low: 1, high: 1 };
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, high } = self;
        if low == high { write!(f, "version {low}") } else { write!(f, "versions {low} to {high}") }
    }
}
