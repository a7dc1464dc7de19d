//! Memory: `m`, `M`, `x`, `X`, `qSearch:memory`, `qCRC` (GDB manual, "Packets").

/// How the bytes of a memory read travel back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// Two hex digits a byte (`m`).
    Hex,
    /// Escaped binary after a `b` (`x`, GDB 16 and later).
    Binary,
}

/// A memory request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// `m ADDR,LENGTH` or `x ADDR,LENGTH`. A reply may hold fewer bytes, from `address` on.
    Read {
        /// First byte's address.
        address: u64,
        /// Bytes asked for.
        length: u64,
        /// How they travel.
        encoding: Encoding,
    },
    /// `M` or `X`: all of `data` or an error.
    Write {
        /// First byte's address.
        address: u64,
        /// The bytes, decoded.
        data: &'a [u8],
    },
    /// `qSearch:memory:ADDR;LENGTH;PATTERN`.
    Search {
        /// Where to begin.
        address: u64,
        /// Bytes to look through.
        length: u64,
        /// What to look for, decoded.
        pattern: &'a [u8],
    },
    /// `qCRC:ADDR,LENGTH`.
    Checksum {
        /// First byte's address.
        address: u64,
        /// Bytes to sum.
        length: u64,
    },
}
