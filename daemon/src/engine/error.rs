//! Why the engine could not do what a client asked for.

use super::{AttachRefused, LaunchFailed};
use nix::errno::Errno;
use std::path::PathBuf;
use thiserror::Error;

/// The engine's error. Its text is a sentence for the user of the debugger.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Attaching was refused.
    #[error(transparent)]
    Attach(#[from] AttachRefused),
    /// Part of the memory asked for is not there.
    #[error("no memory is mapped at {0:#x}")]
    BadAddress(u64),
    /// The program could not be started.
    #[error(transparent)]
    Launch(#[from] LaunchFailed),
    /// No program was started on a console of the client's.
    #[error("no program of this session reads what is typed here; it was started on the server's own terminal")]
    NoConsole,
    /// There is no such process in this session.
    #[error("this session has no such process; start one with run, or attach to one")]
    NoProcess,
    /// No process runs a program of this name.
    #[error("no process runs `{0}`")]
    NoSuchName(String),
    /// Several do, so that nobody knows which is meant.
    #[error("several processes run `{0}`: {1}; attach to one by its id")]
    SeveralNamed(String, String),
    /// There is no such thread in this session.
    #[error("this session has no such thread")]
    NoThread,
    /// There is no program to start.
    #[error("no program was named; use `set remote exec-file PATH`")]
    NoProgram,
    /// The debug registers are all in use, or cannot do this.
    #[error("no debug register is free for {0} bytes at {1:#x}")]
    NoDebugRegister(u64, u64),
    /// It takes a stopped thread.
    #[error("the thread is running; interrupt it first")]
    Running,
    /// A file for a program's standard streams can't be opened.
    #[error("{} can't be opened for the program: {}", path.display(), source.desc())]
    Stream {
        /// Which file.
        path: PathBuf,
        /// What open(2) said.
        source: Errno,
    },
    /// The system said no.
    #[error("{}", .0.desc())]
    System(#[from] Errno),
    /// The client has set up more of something than a session holds.
    #[error("this session holds no more {0}")]
    TooMany(&'static str),
    /// The processor or the system cannot do this.
    #[error("not supported on this machine")]
    Unsupported,
}

/// What the engine returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The number that stands for the error where the client does not take text (errno(3)), 1 to 255.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Attach(refused) => refused.errno(),
            Self::BadAddress(_) => Errno::EFAULT as u8,
            Self::Launch(failed) => failed.errno(),
            Self::NoConsole => Errno::ENXIO as u8,
            Self::NoProcess | Self::NoSuchName(_) | Self::NoThread | Self::SeveralNamed(..) => Errno::ESRCH as u8,
            Self::NoProgram => Errno::ENOENT as u8,
            Self::NoDebugRegister(..) => Errno::ENOSPC as u8,
            Self::Running => Errno::EBUSY as u8,
            Self::Stream { source: errno, .. } | Self::System(errno) => *errno as i32 as u8,
            Self::TooMany(_) => Errno::E2BIG as u8,
            Self::Unsupported => Errno::ENOSYS as u8,
        }
    }
}
