//! What can go wrong in a debug session.

use std::fmt;
use std::io;

use dbgsrv_protocol::rsp::client::{Failure, Refused, Reply, Violation};
use thiserror::Error;

use super::Event;

/// Why a method of a session failed. After [`DebugError::Io`], [`DebugError::Closed`] and [`DebugError::Violation`] the
/// session is over, after all others it goes on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DebugError {
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// The target description is none.
    #[error("the server's target description is invalid: {0}")]
    Description(String),
    /// The program ended before it could be debugged.
    #[error("the program ended at once: {0:?}")]
    Ended(Event),
    /// A file operation failed.
    #[error("{0}")]
    File(FileError),
    /// What was given can't be sent.
    #[error("{what} has a zero byte in it")]
    ZeroByte {
        /// The thing that has it.
        what: &'static str,
    },
    /// The connection failed.
    #[error("the connection to the server failed: {0}")]
    Io(#[from] io::Error),
    /// The answer is not one that the request can have.
    #[error("the server's answer to {0} makes no sense")]
    Malformed(&'static str),
    /// The target has no such register.
    #[error("there is no register {0}")]
    NoRegister(String),
    /// No program runs, so that nothing can be waited for or interrupted.
    #[error("no program runs")]
    NotRunning,
    /// The request can't be made.
    #[error(transparent)]
    Refused(Refused),
    /// A program runs; see [`super::DebugSession::interrupt`].
    #[error("the program runs: it has to stop first")]
    Running,
    /// The server refused.
    #[error("{0}")]
    Target(TargetError),
    /// The server sent more than is kept of it.
    #[error("the server sent too much {0}")]
    TooMuch(&'static str),
    /// The register has no value at this moment.
    #[error("register {0} is not available")]
    Unavailable(String),
    /// The server lacks what is needed.
    #[error("the server does not know {0}")]
    Unsupported(&'static str),
    /// The server broke the protocol.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// A register is of another size.
    #[error("register {name} has {expected} bytes, not {given}")]
    WrongSize {
        /// Which register.
        name: String,
        /// Its size.
        expected: usize,
        /// What was given for it.
        given: usize,
    },
}

impl From<Refused> for DebugError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Running => Self::Running,
            other => Self::Refused(other),
        }
    }
}

/// An error reply to a packet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TargetError {
    /// The packet that was refused.
    pub request: &'static str,
    /// The number of `Exx`: on Linux mostly an `errno`.
    pub code: Option<u8>,
    /// The server's sentence; empty where it has none.
    pub text: String,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.text, self.code) {
            ("", Some(code)) => write!(f, "the server refused {}: error {code}", self.request),
            ("", None) => write!(f, "the server refused {}", self.request),
            (text, _) => f.write_str(text),
        }
    }
}

impl DebugError {
    /// Why `reply`, which is not the one hoped for, came in answer to `request`.
    pub(super) fn from_reply(reply: &Reply<'_>, request: &'static str) -> Self {
        match reply {
            Reply::Error(Failure { code, text }) => {
                let text = String::from_utf8_lossy(text).into_owned();
                Self::Target(TargetError { request, code: *code, text })
            }
            Reply::FileError(number) => Self::File(FileError(*number)),
            Reply::Unsupported => Self::Unsupported(request),
            _ => Self::Malformed(request),
        }
    }
}

/// An error number of host I/O (GDB manual, "Errno Values").
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FileError(pub u32);

/// Number, what `std` calls it, and what is told.
const FILE_ERRORS: [(u32, io::ErrorKind, &str); 21] = [
    (1, io::ErrorKind::PermissionDenied, "operation not permitted"),
    (2, io::ErrorKind::NotFound, "no such file or directory"),
    (4, io::ErrorKind::Interrupted, "interrupted"),
    (5, io::ErrorKind::Other, "input or output error"),
    (9, io::ErrorKind::InvalidInput, "the file is not open for this"),
    (13, io::ErrorKind::PermissionDenied, "permission denied"),
    (14, io::ErrorKind::InvalidInput, "bad address"),
    (16, io::ErrorKind::ResourceBusy, "the file is busy"),
    (17, io::ErrorKind::AlreadyExists, "the file exists already"),
    (19, io::ErrorKind::NotFound, "no such device"),
    (20, io::ErrorKind::NotADirectory, "not a directory"),
    (21, io::ErrorKind::IsADirectory, "is a directory"),
    (22, io::ErrorKind::InvalidInput, "invalid argument"),
    (23, io::ErrorKind::Other, "too many open files on the target"),
    (24, io::ErrorKind::Other, "too many open files in the server"),
    (27, io::ErrorKind::FileTooLarge, "the file would be too large"),
    (28, io::ErrorKind::StorageFull, "no space left on the target's device"),
    (29, io::ErrorKind::NotSeekable, "the file has no positions"),
    (30, io::ErrorKind::ReadOnlyFilesystem, "the file system is read-only"),
    (88, io::ErrorKind::Unsupported, "not supported by the target"),
    (91, io::ErrorKind::InvalidFilename, "the file name is too long"),
];

impl FileError {
    /// What `std` calls it; [`io::ErrorKind::Other`] where it has no name for it.
    #[must_use]
    pub fn kind(self) -> io::ErrorKind {
        FILE_ERRORS.iter().find(|(number, ..)| *number == self.0).map_or(io::ErrorKind::Other, |(_, kind, _)| *kind)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match FILE_ERRORS.iter().find(|(number, ..)| *number == self.0) {
            Some((_, _, text)) => f.write_str(text),
            None => write!(f, "file error {} on the target", self.0),
        }
    }
}
