//! The working directory of an LLDB platform, on its way to the debugger that its session announces.
//!
//! LLDB's own platform starts its debuggers itself, and what they start begins in its directory. Here every connection is
//! a session of its own, so the directory goes through the memory that each worker shares with the front: the platform's
//! session leaves it there when it is asked for a debugger (`qLaunchGDBServer`), and the front gives it to the session that
//! the same client begins next.

use crate::engine::journal;
use nix::sys::uio::{pread, pwrite};
use nix::time::{ClockId, clock_gettime};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a client may take to begin the session that was announced to it. LLDB does so at once, and whoever comes later
/// comes by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes of a path (`PATH_MAX`).
const MAX_PATH: usize = 4096;

/// Size in bytes of the shared memory with what is handed over, which is behind the journal.
pub(crate) const MEMORY: usize = journal::SIZE + 2 * size_of::<Note>();

/// When a directory was written down, since boot in nanoseconds, how many bytes it has, and those.
type Note = [u8; HEADER + MAX_PATH];
const HEADER: usize = 2 * size_of::<u64>();

/// What the session leaves for the next one.
const LEFT: usize = journal::SIZE;
/// What was given to the session when it began.
const GIVEN: usize = LEFT + size_of::<Note>();

/// One session's end of it; by default there is no other.
#[derive(Debug, Default)]
pub(crate) struct Handover {
    memory: Option<OwnedFd>,
}

impl Handover {
    /// Through memory of [`MEMORY`] bytes.
    pub(super) fn through(memory: OwnedFd) -> Self {
        Self { memory: Some(memory) }
    }

    /// Leaves the directory for the session that is being announced; `None`: it is to begin where the server did.
    pub(super) fn leave(&self, directory: Option<&Path>) {
        if let Some(memory) = &self.memory {
            write(memory, LEFT, directory);
        }
    }

    /// The directory that was given to this session. Only once.
    pub(super) fn take(&mut self) -> Option<PathBuf> {
        let memory = self.memory.as_ref()?;
        let (_, length) = header(memory, GIVEN)?;
        let directory = path(memory, GIVEN, length);
        write(memory, GIVEN, None);
        directory
    }
}

/// Gives the session behind `memory`, which has not begun yet, what the last of the others has left that its client began.
pub(super) fn give<'a>(memory: &OwnedFd, others: impl Iterator<Item = &'a OwnedFd>) {
    let now = now();
    let fresh = |at: u64| now.saturating_sub(Duration::from_nanos(at)) < PATIENCE;
    let left = others.filter_map(|other| header(other, LEFT).map(|(at, length)| (at, length, other)));
    let last = left.filter(|(at, ..)| fresh(*at)).max_by_key(|(at, ..)| *at);
    if let Some(directory) = last.and_then(|(_, length, other)| path(other, LEFT, length)) {
        write(memory, GIVEN, Some(&directory));
    }
}

fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// Writes a note. A path that is too long is none; where writing fails, the next session begins where the server did.
fn write(memory: impl AsFd, offset: usize, directory: Option<&Path>) {
    let path = directory.map_or(&b""[..], |directory| directory.as_os_str().as_bytes());
    let path = if path.len() > MAX_PATH { b"" } else { path };
    let note = [&(now().as_nanos() as u64).to_ne_bytes(), &path.len().to_ne_bytes(), path].concat();
    let _ = pwrite(memory, &note, offset as i64);
}

/// When a note was written, and how long its path is; `None`: there is none.
fn header(memory: impl AsFd, offset: usize) -> Option<(u64, usize)> {
    let mut header = [0; HEADER];
    pread(memory, &mut header, offset as i64).ok().filter(|&count| count == HEADER)?;
    let (at, length) = header.split_first_chunk()?;
    let length = usize::from_ne_bytes(length.try_into().ok()?);
    Some((u64::from_ne_bytes(*at), length)).filter(|(at, length)| *at != 0 && *length <= MAX_PATH)
}

fn path(memory: impl AsFd, offset: usize, length: usize) -> Option<PathBuf> {
    let mut path = vec![0; length];
    let count = pread(memory, &mut path, (offset + HEADER) as i64).ok()?;
    (count == length && length > 0).then(|| OsStr::from_bytes(&path).into())
}

#[cfg(test)]
mod tests {
    use super::super::create_journal;
    use super::*;

    fn memory_with(left: &[Option<&str>]) -> OwnedFd {
        let memory = create_journal().unwrap();
        let handover = Handover::through(memory.try_clone().unwrap());
        for directory in left {
            handover.leave(directory.map(Path::new));
        }
        memory
    }

    fn given(others: &[OwnedFd]) -> Option<PathBuf> {
        let memory = create_journal().unwrap();
        give(&memory, others.iter());
        let mut handover = Handover::through(memory);
        let directory = handover.take();
        assert_eq!(handover.take(), None, "it was taken");
        directory
    }

    #[test]
    fn the_directory_that_was_left_last_is_given() {
        let nobody = memory_with(&[]);
        assert_eq!(given(&[]), None);
        assert_eq!(given(&[nobody.try_clone().unwrap()]), None);
        let others = [memory_with(&[Some("/a"), Some("/long/one")]), nobody, memory_with(&[Some("/tmp/b c")])];
        assert_eq!(given(&others), Some("/tmp/b c".into()));
        assert_eq!(given(&others[..2]), Some("/long/one".into()));
    }

    #[test]
    fn a_session_that_is_to_begin_where_the_server_did_is_given_nothing() {
        assert_eq!(given(&[memory_with(&[Some("/a")]), memory_with(&[None])]), None);
        assert_eq!(given(&[memory_with(&[Some(&"a".repeat(MAX_PATH + 1))])]), None);
        assert_eq!(given(&[memory_with(&[Some(&"a".repeat(MAX_PATH))])]), Some("a".repeat(MAX_PATH).into()));
    }

    #[test]
    fn what_was_left_long_ago_or_makes_no_sense_is_not_given() {
        let old = memory_with(&[Some("/a")]);
        pwrite(&old, &1_u64.to_ne_bytes(), LEFT as i64).unwrap();
        let long = memory_with(&[Some("/a")]);
        pwrite(&long, &usize::MAX.to_ne_bytes(), (LEFT + size_of::<u64>()) as i64).unwrap();
        assert_eq!(given(&[old, long]), None);
    }

    #[test]
    fn what_a_session_leaves_is_not_what_it_was_given() {
        let mut handover = Handover::through(memory_with(&[Some("/a")]));
        assert_eq!(handover.take(), None);
        assert_eq!(Handover::default().take(), None);
    }
}
