//! Taking a name, and giving it back.

use crate::BindError;
use crate::access::Access;
use dbgsrv_local::Directory;
use dbgsrv_protocol::options::PipeName;
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::remove_file;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Connections the kernel keeps until they are accepted (listen(2)). Who comes after them waits.
const BACKLOG: i32 = 128;
/// Longest path of a socket, in bytes: 108 less the zero at the end (`unix(7)`).
const MAX_SOCKET_PATH: usize = 107;

/// The socket of a pipe that is in `directory`.
///
/// # Errors
/// [`BindError::TooLong`].
pub(crate) fn socket(directory: &Directory, name: &PipeName) -> Result<PathBuf, BindError> {
    let folder = directory.folder();
    let path = folder.join(name.as_str());
    if path.as_os_str().as_bytes().len() <= MAX_SOCKET_PATH {
        return Ok(path);
    }
    let most = MAX_SOCKET_PATH.saturating_sub(folder.as_os_str().as_bytes().len() + 1);
    Err(BindError::TooLong { name: name.clone(), most, directory: folder })
}

/// A socket's file, which is removed with this where this server has made it.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    /// Device and number: the file of a later server is left alone.
    identity: Option<(u64, u64)>,
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.into(), identity: Some(identity(path)?) })
    }

    /// One that somebody else has made, and keeps.
    pub(crate) const fn of_others(path: PathBuf) -> Self {
        Self { path, identity: None }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|now| Some(now) == self.identity) {
            // What can't be removed is found stale by the next server.
            let _ = remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = path.symlink_metadata()?;
    Ok((found.dev(), found.ino()))
}

/// Makes sure that nothing has the name at `path`: what a dead server left there is removed. Call it under the directory's
/// lock, or else the removed one may be somebody's who was faster.
///
/// # Errors
/// [`BindError::InUse`], [`BindError::Occupied`], [`BindError::System`].
pub(crate) fn free(path: &Path, name: &PipeName) -> Result<(), BindError> {
    let system = |source| BindError::System { path: path.into(), source };
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(system(error)),
        Ok(found) if !found.file_type().is_socket() => return Err(BindError::Occupied(path.into())),
        Ok(_) => {}
    }
    match knock(path) {
        // Nobody listens: its server was killed. One that is about to would hold the lock.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => remove_file(path).map_err(system),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Connected, or the queue is full, or it is one that not even its owner may open.
        _ => Err(BindError::InUse { name: name.clone(), path: path.into() }),
    }
}

/// Connects, without waiting for anybody to accept.
fn knock(path: &Path) -> io::Result<()> {
    Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?.connect(&SockAddr::unix(path)?)
}

/// Listens at `path`, where nothing is, for those whom `access` lets in. Nobody is let in before that is set.
pub(crate) fn listen(path: &Path, access: Access) -> io::Result<(Place, Socket)> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let place = Place::of(path)?;
    access.apply(path)?;
    // Until here every connection was refused.
    socket.listen(BACKLOG)?;
    Ok((place, socket))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbgsrv_local::Folder;

    #[test]
    fn a_name_that_makes_no_socket_is_refused_with_what_there_is_room_for() {
        let directory = Directory::of_machine(Folder::Pipes);
        let longest = "a".repeat(107 - "/run/dbgsrv/pipes/".len());
        assert!(socket(&directory, &longest.parse().unwrap()).is_ok());
        let error = socket(&directory, &(longest + "a").parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("allowed: 89 bytes") && error.contains("/run/dbgsrv/pipes"), "{error}");
    }
}
