//! Objects: `qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH`, and the writable one.

/// An object that `qXfer` reads.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Object {
    /// `auxv`.
    Auxv,
    /// `exec-file`; the annex is a hex pid or empty.
    ExecFile,
    /// `features`; the annex is the document's name.
    Features,
    /// `libraries-svr4`; the annex may hold `start=` and `prev=`.
    LibrariesSvr4,
    /// `osdata`; the annex is the table.
    OsData,
    /// `siginfo`.
    SignalInfo,
    /// `threads`.
    Threads,
}

/// A transfer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request<'a> {
    /// Part of an object. Answer with the whole object: the machine cuts `offset..offset + length` out of it.
    Read {
        /// Which object.
        object: Object,
        /// Which one of its kind.
        annex: &'a [u8],
        /// First byte.
        offset: u64,
        /// Bytes wanted at most.
        length: u64,
    },
    /// `qXfer:siginfo:write::OFFSET:DATA`. Answer with the number of bytes written.
    WriteSignalInfo {
        /// First byte.
        offset: u64,
        /// The bytes, decoded.
        data: &'a [u8],
    },
}
