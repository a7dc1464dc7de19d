//! Where the processes that share a port find each other.

use crate::OpenError;
use crate::hub::Hub;
use crate::port::Port;
use crate::tty::Tty;
use dbgsrv_local::{Directory, Folder};
use std::fs::{Permissions, remove_file, set_permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, spawn};

/// A connection to a port's hub, and the hub, where that is in this process.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) stream: UnixStream,
    pub(crate) hub: Option<HubTask>,
}

/// A hub that runs here, until this is dropped.
#[derive(Debug)]
pub(crate) struct HubTask(JoinHandle<()>);

impl Drop for HubTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Connects to the hub of a port, and makes one where there is none. May wait for another process that does so at the same moment.
/// Must be called inside a tokio runtime with I/O.
///
/// # Errors
/// [`OpenError`].
pub(crate) fn attach(port: &Port) -> Result<Seat, OpenError> {
    for directory in Directory::all(Folder::Lines).iter().filter(|directory| directory.is_trusted()) {
        if let Some(stream) = connect(&socket(directory, port))? {
            return Ok(Seat { stream, hub: None });
        }
    }
    let directory = Directory::of_server(Folder::Lines);
    directory.prepare()?;
    let path = socket(&directory, port);
    let lock = directory.lock()?;
    if let Some(stream) = connect(&path)? {
        return Ok(Seat { stream, hub: None });
    }
    let tty = Tty::open(port)?;
    let share = |source| OpenError::Share { path: path.clone(), source };
    let (listener, place) = listen(&directory, &path, port).map_err(share)?;
    let hub = HubTask(spawn(Hub::new(tty, listener, port, place).run()));
    drop(lock);
    let stream = connect(&path)?.ok_or_else(|| share(io::ErrorKind::NotConnected.into()))?;
    Ok(Seat { stream, hub: Some(hub) })
}

fn socket(directory: &Directory, port: &Port) -> PathBuf {
    directory.folder().join(port.file_name())
}

/// `None` where nobody is there.
fn connect(path: &Path) -> Result<Option<UnixStream>, OpenError> {
    let share = |source| OpenError::Share { path: path.into(), source };
    match StdStream::connect(path) {
        Ok(stream) => {
            stream.set_nonblocking(true).map_err(share)?;
            UnixStream::from_std(stream).map(Some).map_err(share)
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        // A hub of root's, on a port that this user may not open.
        Err(error) => Err(share(error)),
    }
}

/// Listens at `path`, where only what a dead process left can be, for all who may open the port.
fn listen(directory: &Directory, path: &Path, port: &Port) -> io::Result<(UnixListener, Place)> {
    match remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = StdListener::bind(path)?;
    let place = Place { directory: directory.clone(), path: path.into(), inode: path.symlink_metadata()?.ino() };
    let (group, mode) = port.access()?;
    // Who can't give it to the port's group keeps it to himself.
    let is_given = directory.is_shared() && chown(path, None, Some(group)).is_ok();
    set_permissions(path, Permissions::from_mode(if is_given { mode } else { 0o600 }))?;
    listener.set_nonblocking(true)?;
    Ok((UnixListener::from_std(listener)?, place))
}

/// A hub's socket in its directory, which is removed with this.
#[derive(Debug)]
pub(crate) struct Place {
    directory: Directory,
    path: PathBuf,
    inode: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        // Where it can't be removed now, the next hub finds it stale; one that is in use is left alone.
        let Ok(_lock) = self.directory.try_lock() else { return };
        if self.path.symlink_metadata().is_ok_and(|found| found.ino() == self.inode) {
            let _ = remove_file(&self.path);
        }
    }
}
