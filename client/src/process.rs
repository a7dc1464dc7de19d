//! How processes are found and described.

use bitflags::bitflags;

bitflags! {
    /// How a process is found by its executable (`DEBUG_GET_PROC_XXX`).
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub struct GetProc: u32 {
        /// The name is a full path; without it, directories are not compared.
        const FULL_MATCH = 1;
        /// Only one process may match.
        const ONLY_MATCH = 2;
    }
}

bitflags! {
    /// What a description has (`DEBUG_PROC_DESC_XXX`).
    #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
    pub struct ProcDesc: u32 {
        /// File names without directories.
        const NO_PATHS = 0x01;
        /// No service names.
        const NO_SERVICES = 0x02;
        /// No command line.
        const NO_COMMAND_LINE = 0x08;
        /// No session id.
        const NO_SESSION_ID = 0x10;
        /// No user name.
        const NO_USER_NAME = 0x20;
        /// The architecture too.
        const WITH_ARCHITECTURE = 0x80;
    }
}

/// What became of a search by executable.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ProcessMatch {
    /// This is the first process that matches (`S_OK`).
    Found(u32),
    /// [`GetProc::ONLY_MATCH`] is set, and these match (`S_FALSE`): in ascending order, as many as a message holds.
    Several(Vec<u32>),
    /// None matches (`E_NOINTERFACE`).
    NotFound,
}

/// A process in words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Description {
    /// The executable; the kernel's name for the process in brackets where it has none that may be known.
    pub executable: String,
    /// What else is known, in one line without control characters; may be empty.
    pub text: String,
}
