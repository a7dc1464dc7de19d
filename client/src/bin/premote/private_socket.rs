//! A Unix-domain socket that only this user can reach, for a debugger on this machine.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;
use tracing::warn;

/// How long nothing is accepted after an error: descriptors may have run out, and some come free.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens in a directory of its own, which goes with it.
#[derive(Debug)]
pub(crate) struct PrivateSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Removed when dropped.
    _directory: TempDir,
}

impl PrivateSocket {
    /// Listens under `XDG_RUNTIME_DIR`, or where temporary files go.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn bind() -> io::Result<Self> {
        let parent = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_dir());
        Self::bind_in(&parent.unwrap_or_else(std::env::temp_dir))
    }

    fn bind_in(parent: &Path) -> io::Result<Self> {
        // Whoever reaches the socket has the authenticated connection: the directory's mode keeps others away.
        let directory = tempfile::Builder::new()
            .prefix("premote-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        let path = directory.path().join("rsp");
        Ok(Self { listener: UnixListener::bind(&path)?, path, _directory: directory })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the next connection. Cancel safe.
    pub(crate) async fn accept(&self) -> UnixStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return stream,
                Err(error) => {
                    warn!(%error, "a connection of the debugger can't be accepted");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn nobody_else_reaches_it_and_nothing_of_it_is_left_behind() {
        let parent = tempfile::tempdir().unwrap();
        let socket = PrivateSocket::bind_in(parent.path()).unwrap();
        let directory = socket.path().parent().unwrap().to_owned();
        assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let (client, _) = tokio::join!(UnixStream::connect(socket.path()), socket.accept());
        assert!(client.is_ok());
        drop(socket);
        assert!(!directory.exists());
    }
}
