//! Whose files a path means.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use dbgsrv_protocol::ids::Pid;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2, readlinkat};
use nix::sys::stat::{FileStat, Mode, fstat};
use nix::unistd::{UnlinkatFlags, symlinkat, unlinkat};

/// The file system that paths are looked up in, the server's or another's.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The root of another mount namespace.
    pub(super) root: Option<OwnedFd>,
    /// Where relative paths of the server's own begin; empty: in its working directory.
    pub(super) directory: PathBuf,
}

impl View {
    /// Takes `pid`'s view, which is the server's own where both live in one mount namespace, or that; `None`.
    ///
    /// # Errors
    /// The process is gone, or its namespace is not ours to look at.
    pub(super) fn look_from(&mut self, pid: Option<Pid>) -> Result<(), Errno> {
        self.root = match pid {
            Some(pid) if mount_namespace(&pid.to_string())? != mount_namespace("self")? => {
                let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
                Some(open(format!("/proc/{pid}/root").as_str(), flags, Mode::empty())?)
            }
            _ => None,
        };
        Ok(())
    }

    /// Opens `path`. Absolute links and `..` of another namespace stay inside it.
    pub(super) fn open(&self, path: &[u8], flags: OFlag, mode: Mode) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlag::O_CLOEXEC;
        match &self.root {
            // An empty path is no file, and joined it would be the directory.
            None if path.is_empty() => Err(Errno::ENOENT),
            None => open(&self.directory.join(OsStr::from_bytes(path)), flags, mode),
            Some(root) => {
                let how = OpenHow::new().flags(flags).mode(mode).resolve(ResolveFlag::RESOLVE_IN_ROOT);
                openat2(root, path, how)
            }
        }
    }

    /// What `path` is; `follow`: or, where it is a link, what that leads to.
    pub(super) fn stat(&self, path: &[u8], follow: bool) -> Result<FileStat, Errno> {
        let follow = if follow { OFlag::empty() } else { OFlag::O_NOFOLLOW };
        fstat(self.open(path, OFlag::O_PATH | follow, Mode::empty())?)
    }

    /// Where the link `path` leads.
    pub(super) fn read_link(&self, path: &[u8]) -> Result<OsString, Errno> {
        let link = self.open(path, OFlag::O_PATH | OFlag::O_NOFOLLOW, Mode::empty())?;
        // readlink(2) of a descriptor says "no such file" of one that is no link.
        readlinkat(link.as_fd(), "").map_err(|errno| if errno == Errno::ENOENT { Errno::EINVAL } else { errno })
    }

    /// Makes the link `path`, which leads to `target`.
    pub(super) fn symlink(&self, target: &[u8], path: &[u8]) -> Result<(), Errno> {
        let (directory, name) = self.place(path)?;
        symlinkat(target, directory, name)
    }

    /// Removes the file `path`.
    pub(super) fn unlink(&self, path: &[u8]) -> Result<(), Errno> {
        let (directory, name) = self.place(path)?;
        unlinkat(directory, name, UnlinkatFlags::NoRemoveDir)
    }

    /// The directory that `path` is in, and its name there.
    fn place<'p>(&self, path: &'p [u8]) -> Result<(OwnedFd, &'p [u8]), Errno> {
        let (directory, name) = match path.iter().rposition(|&byte| byte == b'/') {
            Some(slash) => (&path[..=slash], &path[slash + 1..]),
            None => (&b"."[..], path),
        };
        Ok((self.open(directory, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty())?, name))
    }
}

/// What tells one mount namespace from another (namespaces(7)).
fn mount_namespace(process: &str) -> Result<(u64, u64), Errno> {
    fs::metadata(Path::new(&format!("/proc/{process}/ns/mnt")))
        .map(|it| (it.dev(), it.ino()))
        .map_err(|error| errno(&error))
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw)
}
