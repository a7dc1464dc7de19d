//! A channel's number is one process's, as long as it lives.

use crate::OpenError;
use crate::port::Port;
use dbgsrv_local::{Directory, DirectoryError, Folder};
use dbgsrv_protocol::options::Channel;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions, remove_file};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

/// Holds a channel's number against the other processes of this user. The lock goes with the file.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    _file: File,
}

impl Claim {
    /// Takes the number.
    ///
    /// # Errors
    /// [`OpenError::ChannelInUse`], [`OpenError::Directory`].
    pub(crate) fn take(port: &Port, channel: Channel) -> Result<Self, OpenError> {
        let directory = Directory::of_server(Folder::Lines);
        directory.prepare()?;
        let path = directory.folder().join(format!("{}.{channel}", port.file_name()));
        let system = |source| DirectoryError::System { path: path.clone(), source };
        loop {
            let file =
                OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(system)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(OpenError::ChannelInUse { port: port.given.clone(), channel }),
                Err(errno) => return Err(system(errno.into()).into()),
            }
            // Who had it may have removed the file between the two.
            let own = file.metadata().map_err(system)?.ino();
            if path.metadata().is_ok_and(|found| found.ino() == own) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Still under the lock. What can't be removed is of no harm.
        let _ = remove_file(&self.path);
    }
}
