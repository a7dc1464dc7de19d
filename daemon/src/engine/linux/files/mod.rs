//! Host I/O: the client reads and writes files of this machine (GDB manual, "Host I/O Packets").

mod convert;
mod digest;
mod view;

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use dbgsrv_protocol::rsp::file::{Request, Stat};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, fstat};
use nix::sys::uio::{pread, pwrite};

pub(crate) use self::convert::FileError;
pub(crate) use self::digest::md5;
use self::view::View;

/// Files that one session may have open: a client uses two or three, and a runaway one must not take all of the
/// worker's descriptors.
const OPEN_MAX: usize = 64;

/// The answer to a request that did not fail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum FileReply<'a> {
    /// Bytes, to be counted and attached: of `pread` and `readlink`.
    Data(&'a [u8]),
    /// The MD5 of a file; `None`: it can't be read.
    Digest(Option<[u8; 16]>),
    /// Whether there is a file.
    Exists(bool),
    /// What `stat`, `lstat` and `fstat` found.
    Stat(Stat),
    /// A plain number: a descriptor, a count of bytes written, or 0.
    Value(u64),
}

/// The files that a session has open, and the file system that its paths mean. Dropping it closes them.
#[derive(Debug, Default)]
pub(crate) struct HostFiles {
    /// By the client's descriptor.
    open: Vec<Option<OwnedFd>>,
    view: View,
    /// What the last reply borrows.
    buffer: Vec<u8>,
}

impl HostFiles {
    /// Has relative paths begin in `directory`, where they mean the server's own files; empty: in its working directory.
    pub(crate) fn begin_in(&mut self, directory: PathBuf) {
        self.view.directory = directory;
    }

    /// Carries out `request`. A read returns at most `limit` bytes, which is what the caller's packet has room for.
    ///
    /// # Errors
    /// What the system says, in the protocol's numbers. A link's target longer than `limit` is `ENAMETOOLONG`.
    pub(crate) fn run(&mut self, request: Request<'_>, limit: usize) -> Result<FileReply<'_>, FileError> {
        match request {
            Request::Close { fd } => self.close(fd),
            Request::Exists { path } => Ok(FileReply::Exists(self.view.stat(path, true).is_ok())),
            Request::Fstat { fd } => Ok(FileReply::Stat(convert::stat_of(&fstat(self.file(fd)?)?))),
            Request::Lstat { path } => Ok(FileReply::Stat(convert::stat_of(&self.view.stat(path, false)?))),
            Request::Md5 { path } => Ok(FileReply::Digest(self.digest(path))),
            Request::Mode { path } => Ok(FileReply::Value(convert::permissions(&self.view.stat(path, true)?).into())),
            Request::Open { path, flags, mode } => self.open(path, flags, mode),
            Request::Pread { fd, count, offset } => self.pread(fd, count.min(limit as u64) as usize, offset),
            Request::Pwrite { fd, offset, data } => {
                let count = pwrite(self.file(fd)?, data, position(offset)?)?;
                Ok(FileReply::Value(count as u64))
            }
            Request::Readlink { path } => self.read_link(path, limit),
            Request::SetFs(pid) => {
                self.view.look_from(pid)?;
                Ok(FileReply::Value(0))
            }
            Request::Size { path } => Ok(FileReply::Value(self.view.stat(path, true)?.st_size as u64)),
            Request::Stat { path } => Ok(FileReply::Stat(convert::stat_of(&self.view.stat(path, true)?))),
            Request::Symlink { target, path } => {
                self.view.symlink(target, path)?;
                Ok(FileReply::Value(0))
            }
            Request::Unlink { path } => {
                self.view.unlink(path)?;
                Ok(FileReply::Value(0))
            }
        }
    }

    fn open(&mut self, path: &[u8], flags: u32, mode: u32) -> Result<FileReply<'_>, FileError> {
        // A pipe without a writer, or a terminal, must not hold the session up or become its own.
        let flags = convert::open_flags(flags)? | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let mode = if flags.contains(OFlag::O_CREAT) { convert::creation_mode(mode)? } else { Mode::empty() };
        let free = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if free >= OPEN_MAX {
            return Err(Errno::EMFILE.into());
        }
        let file = self.view.open(path, flags, mode)?;
        if free == self.open.len() {
            self.open.push(None);
        }
        self.open[free] = Some(file);
        Ok(FileReply::Value(free as u64))
    }

    fn close(&mut self, fd: i32) -> Result<FileReply<'_>, FileError> {
        let file = usize::try_from(fd).ok().and_then(|fd| self.open.get_mut(fd)).and_then(Option::take);
        file.map(|_| FileReply::Value(0)).ok_or_else(|| Errno::EBADF.into())
    }

    fn pread(&mut self, fd: i32, count: usize, offset: u64) -> Result<FileReply<'_>, FileError> {
        // Taken out, so that the file and the buffer can be borrowed side by side.
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(count, 0);
        let read = self.file(fd).and_then(|file| pread(file, &mut buffer, position(offset)?));
        self.buffer = buffer;
        Ok(FileReply::Data(&self.buffer[..read?]))
    }

    fn read_link(&mut self, path: &[u8], limit: usize) -> Result<FileReply<'_>, FileError> {
        let target = self.view.read_link(path)?;
        if target.len() > limit {
            return Err(Errno::ENAMETOOLONG.into());
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(target.as_bytes());
        Ok(FileReply::Data(&self.buffer))
    }

    fn digest(&self, path: &[u8]) -> Option<[u8; 16]> {
        let file = File::from(self.view.open(path, OFlag::O_NONBLOCK | OFlag::O_NOCTTY, Mode::empty()).ok()?);
        // Anything else may never come to an end.
        file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        md5(file).ok()
    }

    fn file(&self, fd: i32) -> Result<&OwnedFd, Errno> {
        let index = usize::try_from(fd).map_err(|_| Errno::EBADF)?;
        self.open.get(index).and_then(Option::as_ref).ok_or(Errno::EBADF)
    }
}

/// A place in a file, or `EINVAL` where it is beyond what a file can have.
fn position(offset: u64) -> Result<libc::off_t, Errno> {
    offset.try_into().map_err(|_| Errno::EINVAL)
}

#[cfg(test)]
mod tests;
