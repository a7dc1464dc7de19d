//! What the front hands to a session worker: descriptors by inheritance, the rest as arguments.

use super::terms::Terms;
use crate::telemetry::{LogOptions, LogOptionsError};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;
use thiserror::Error;

/// The first argument that makes `dbgsrv` a session worker. Hidden: only the front uses it.
pub const ARGUMENT: &str = "--session-worker";

/// One debug session, as its worker gets it.
#[derive(Debug)]
pub struct Session {
    /// The client's byte stream, nothing of it read yet, in blocking mode.
    pub stream: OwnedFd,
    /// Memory shared with the front, which undoes from it what the worker could not.
    pub journal: OwnedFd,
    /// Tells the server's sessions apart: 1 and up, never used twice by one server.
    pub id: u64,
    /// The client's address, for messages.
    pub peer: String,
    /// What it may do.
    pub terms: Terms,
    /// What to log.
    pub log: LogOptions,
}

/// A worker was not started the way the front starts it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// An argument is missing, out of order or not understood.
    #[error("expected the argument {0}")]
    Argument(&'static str),
    /// A descriptor that should have been inherited is not open.
    #[error("descriptor {descriptor}: {source}")]
    Descriptor {
        /// Its number.
        descriptor: RawFd,
        /// What fcntl(2) said.
        source: io::Error,
    },
    /// The log options are not understood.
    #[error(transparent)]
    Log(#[from] LogOptionsError),
    /// The front ended before the session began, or someone else started this process.
    #[error("the server that started this session is gone")]
    Orphan,
}

/// The arguments of a worker's command line, after [`ARGUMENT`].
pub(super) fn arguments(
    id: u64,
    peer: &str,
    terms: Terms,
    stream: BorrowedFd<'_>,
    journal: BorrowedFd<'_>,
    log: &LogOptions,
) -> [String; 7] {
    [
        format!("id={id}"),
        format!("peer={peer}"),
        format!("terms={terms}"),
        format!("stream={}", stream.as_raw_fd()),
        format!("journal={}", journal.as_raw_fd()),
        format!("log={log}"),
        format!("server={}", std::process::id()),
    ]
}

impl Session {
    /// Takes over what the front left in this process: once, and before any descriptor is opened.
    ///
    /// From here on the kernel sends this process SIGTERM when the front's main thread ends, however it ends
    /// (`PR_SET_PDEATHSIG`).
    ///
    /// # Errors
    /// [`SessionError`] where the process was not started by a front that is still there.
    pub(super) fn inherit(mut arguments: impl Iterator<Item = OsString>) -> Result<Self, SessionError> {
        let id = parse(&mut arguments, "id=")?;
        let peer = parse(&mut arguments, "peer=")?;
        let terms = parse(&mut arguments, "terms=")?;
        let stream = parse(&mut arguments, "stream=")?;
        let journal = parse(&mut arguments, "journal=")?;
        let log = parse::<String>(&mut arguments, "log=")?.parse()?;
        end_with(parse(&mut arguments, "server=")?)?;
        if stream == journal {
            return Err(SessionError::Argument("journal="));
        }
        let (stream, journal) = (take(stream)?, take(journal)?);
        block(&stream).map_err(|source| SessionError::Descriptor { descriptor: stream.as_raw_fd(), source })?;
        Ok(Self { stream, journal, id, peer, terms, log })
    }
}

/// The number and the client's address of the session whose worker is process `pid`, as the list of processes shows them.
pub(super) fn name_of(pid: i32) -> Option<(u64, String)> {
    let command_line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    name_in(&command_line)
}

fn name_in(command_line: &[u8]) -> Option<(u64, String)> {
    let mut arguments =
        command_line.split(|byte| *byte == 0).skip(1).map(|argument| OsStr::from_bytes(argument).into());
    arguments.next().filter(|first: &OsString| first == ARGUMENT)?;
    Some((parse(&mut arguments, "id=").ok()?, parse(&mut arguments, "peer=").ok()?))
}

/// Asks for SIGTERM when the front, process `server`, is no more.
fn end_with(server: i32) -> Result<(), SessionError> {
    set_pdeathsig(Signal::SIGTERM).map_err(|_| SessionError::Orphan)?;
    // It may have ended before the line above: then this process has another parent by now, and no signal will come.
    if getppid().as_raw() == server { Ok(()) } else { Err(SessionError::Orphan) }
}

fn parse<T: FromStr>(arguments: &mut impl Iterator<Item = OsString>, name: &'static str) -> Result<T, SessionError> {
    let argument = arguments.next().and_then(|argument| argument.into_string().ok());
    let value = argument.as_deref().and_then(|argument| argument.strip_prefix(name));
    value.and_then(|value| value.parse().ok()).ok_or(SessionError::Argument(name))
}

/// Owns a descriptor that this process has inherited under a number, makes it blocking, and keeps it from the programs that
/// the session starts. Once for each number, and before any descriptor is opened.
///
/// # Errors
/// Where it is not open, or a standard one.
pub(crate) fn inherited(descriptor: RawFd) -> io::Result<OwnedFd> {
    let taken = take(descriptor).map_err(io::Error::other)?;
    block(&taken)?;
    Ok(taken)
}

/// Owns an inherited descriptor, and keeps it from the programs that the session starts.
#[expect(unsafe_code, reason = "inherited descriptors come as numbers")]
fn take(descriptor: RawFd) -> Result<OwnedFd, SessionError> {
    let error = |source: io::Error| SessionError::Descriptor { descriptor, source };
    if descriptor <= libc::STDERR_FILENO {
        return Err(error(io::ErrorKind::InvalidInput.into()));
    }
    // SAFETY: not a standard descriptor, and this process has just started and opened none itself, so nothing else owns
    // the number; `fcntl` fails where it is not open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(|errno| error(errno.into()))?;
    // SAFETY: as above, and just found open.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Makes reads and writes wait, where the front's are told to come back later.
pub(super) fn block(stream: &OwnedFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(stream, FcntlArg::F_GETFL)?);
    fcntl(stream, FcntlArg::F_SETFL(flags - OFlag::O_NONBLOCK))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    fn inherit(arguments: &[&str]) -> Result<Session, SessionError> {
        Session::inherit(arguments.iter().map(OsString::from))
    }

    #[test]
    fn arguments_are_refused_by_the_name_of_the_first_that_is_wrong() {
        let cases: [(&[&str], &str); 6] = [
            (&[], "id="),
            (&["id=x"], "id="),
            (&["id=1", "stream=3"], "peer="),
            (&["id=1", "peer=a", "terms=root", "stream=3"], "terms="),
            (&["id=1", "peer=a", "terms=", "stream=", "journal=4"], "stream="),
            (&["id=1", "peer=a", "terms=", "stream=3", "journal=4"], "log="),
        ];
        for (arguments, name) in cases {
            let error = inherit(arguments).unwrap_err();
            assert!(matches!(error, SessionError::Argument(found) if found == name), "{arguments:?}: {error}");
        }
    }

    #[test]
    fn a_worker_is_known_by_its_command_line_and_others_are_no_workers() {
        let (stream, journal) = std::os::unix::net::UnixStream::pair().unwrap();
        let arguments =
            arguments(7, "[::1]:9", Terms::default(), stream.as_fd(), journal.as_fd(), &LogOptions::default());
        let command_line = format!("dbgsrv\0{ARGUMENT}\0{}\0", arguments.join("\0"));
        assert_eq!(name_in(command_line.as_bytes()), Some((7, "[::1]:9".into())));
        for other in ["", "dbgsrv\0-t\0tcp:port=1\0", "cat\0id=7\0peer=a\0"] {
            assert_eq!(name_in(other.as_bytes()), None);
        }
        assert_eq!(name_of(std::process::id() as i32), None);
    }

    #[test]
    fn a_process_not_started_by_the_server_it_names_is_refused() {
        let arguments = ["id=1", "peer=a", "terms=", "stream=3", "journal=4", "log=text:info", "server=0"];
        assert!(matches!(inherit(&arguments), Err(SessionError::Orphan)));
    }

    #[test]
    fn a_stream_of_the_runtime_is_made_blocking() {
        let (stream, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = OwnedFd::from(stream);
        block(&stream).unwrap();
        let flags = OFlag::from_bits_retain(fcntl(&stream, FcntlArg::F_GETFL).unwrap());
        assert!(!flags.contains(OFlag::O_NONBLOCK));
    }

    #[test]
    fn a_standard_descriptor_is_not_taken() {
        for descriptor in [-1, 0, 1, 2] {
            assert!(matches!(take(descriptor), Err(SessionError::Descriptor { .. })), "{descriptor}");
        }
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_refused() {
        assert!(matches!(take(RawFd::MAX), Err(SessionError::Descriptor { .. })));
    }
}
