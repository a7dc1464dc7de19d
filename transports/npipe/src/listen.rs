//! A listener on one pipe.

use crate::access::Access;
use crate::claim::{Place, free, listen, socket};
use crate::{BindError, Peer};
use dbgsrv_local::{Directory, Folder};
use dbgsrv_protocol::ids::{Pid, Tid};
use dbgsrv_protocol::options::server::PipeAccess;
use dbgsrv_protocol::options::{PipeName, PipeTemplate};
use nix::unistd::{getpid, gettid};
use std::io;
use std::os::unix::net::UnixListener as UnixSocket;
use std::path::Path;
use tokio::net::{UnixListener, UnixStream};

/// Listens on one pipe, whose file it removes at its end where it has made it.
#[derive(Debug)]
pub struct Listener {
    name: PipeName,
    /// Dropped before the socket: as long as somebody listens, nobody takes the name for free.
    place: Place,
    socket: UnixListener,
}

impl Listener {
    /// Listens on the pipe that `template` names in this process and this thread, for those whom `access` lets in besides this user and root: on the machine's pipe where
    /// this user may make one, else on one of this user's own. What a dead server of the same name left is removed.
    ///
    /// May wait for another server that starts at the same moment. Must be called inside a tokio runtime with I/O.
    ///
    /// # Errors
    /// [`BindError`] with the name or the path, and the reason.
    pub fn bind(template: &PipeTemplate, access: &PipeAccess) -> Result<Self, BindError> {
        let directory = Directory::of_server(Folder::Pipes);
        if access.admits_others() && !directory.is_shared() {
            return Err(BindError::OutOfReach(directory.path().into()));
        }
        Self::bind_in(&directory, &expand(template), access)
    }

    /// Listens at a socket that does so already, whose file is at `path`, where that has the name of the pipe that `template`
    /// names in this process and this thread. Who may open it was decided by who made it. Must be called inside a tokio
    /// runtime with I/O.
    ///
    /// # Errors
    /// [`BindError::System`] with the path.
    pub fn of(template: &PipeTemplate, socket: UnixSocket, path: &Path) -> Result<Self, BindError> {
        let system = |source| BindError::System { path: path.into(), source };
        socket.set_nonblocking(true).map_err(system)?;
        let socket = UnixListener::from_std(socket).map_err(system)?;
        Ok(Self { name: expand(template), place: Place::of_others(path.into()), socket })
    }

    fn bind_in(directory: &Directory, name: &PipeName, access: &PipeAccess) -> Result<Self, BindError> {
        let access = Access::new(access)?;
        let path = socket(directory, name)?;
        directory.prepare()?;
        let lock = directory.lock()?;
        free(&path, name)?;
        let system = |source| BindError::System { path: path.clone(), source };
        let (place, socket) = listen(&path, access).map_err(system)?;
        drop(lock);
        let socket = UnixListener::from_std(socket.into()).map_err(system)?;
        Ok(Self { name: name.clone(), place, socket })
    }

    /// Waits for the next connection.
    ///
    /// Cancel safe: a connection not returned stays in the kernel's queue.
    ///
    /// # Errors
    /// What accept(2) says. None of its errors is the end of the listener: the caller logs it, waits a little and goes
    /// on.
    pub async fn accept(&mut self) -> io::Result<(UnixStream, Peer)> {
        let (stream, _) = self.socket.accept().await?;
        let peer = Peer::of(&stream)?;
        Ok((stream, peer))
    }

    /// The pipe's name.
    #[must_use]
    pub fn name(&self) -> &PipeName {
        &self.name
    }

    /// Its socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }
}

/// Whether `path` has the name of the pipe that `template` names in this process and this thread.
#[must_use]
pub fn is_named(template: &PipeTemplate, path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == expand(template).as_str())
}

/// The name that a template comes to here.
fn expand(template: &PipeTemplate) -> PipeName {
    let pid = Pid::new(getpid().as_raw()).expect("a process's own id is positive");
    let tid = Tid::new(gettid().as_raw()).expect("a thread's own id is positive");
    template.expand(pid, tid)
}

#[cfg(test)]
mod tests;
