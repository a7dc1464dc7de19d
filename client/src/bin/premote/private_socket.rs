//! A Unix-domain socket that only this user can reach, for a debugger on this machine.

use nix::unistd::geteuid;
use std::fs::{File, Permissions};
use std::future::poll_fn;
use std::io::{self, Read};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener as StdListener};
use std::path::{Path, PathBuf};
use std::task::Poll;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;
use tracing::warn;

/// How long nothing is accepted after an error: descriptors may have run out, and some come free.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens in a directory of its own, which goes with it, or under a name.
#[derive(Debug)]
pub(crate) struct PrivateSocket {
    listeners: Vec<UnixListener>,
    address: PathBuf,
    /// Removed when dropped.
    _directory: Option<TempDir>,
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
        let address = directory.path().join("rsp");
        Ok(Self { listeners: vec![UnixListener::bind(&address)?], address, _directory: Some(directory) })
    }

    /// Listens under a name that is no file's (unix(7), "Abstract sockets"), and under the same name in brackets: in these
    /// LLDB puts the host of a platform when it connects there a second time, for debugging.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn bind_platform() -> io::Result<Self> {
        // Nobody can take the names beforehand whom they are not known to.
        let mut random = [0; 8];
        File::open("/dev/urandom")?.read_exact(&mut random)?;
        let name = format!("premote-{:016x}", u64::from_ne_bytes(random));
        let listeners = [name.clone(), format!("[{name}]")].into_iter().map(|name| {
            let listener = StdListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
            listener.set_nonblocking(true)?;
            UnixListener::from_std(listener)
        });
        Ok(Self { listeners: listeners.collect::<io::Result<_>>()?, address: name.into(), _directory: None })
    }

    /// Its path, or its name.
    pub(crate) fn address(&self) -> &Path {
        &self.address
    }

    /// Waits for the next connection of this user's. Cancel safe.
    pub(crate) async fn accept(&self) -> UnixStream {
        loop {
            match self.next().await {
                // A name has no mode that keeps others away.
                Ok(stream) if stream.peer_cred().is_ok_and(|peer| peer.uid() == geteuid().as_raw()) => return stream,
                Ok(_) => warn!("another user's program was turned away"),
                Err(error) => {
                    warn!(%error, "a connection of the debugger can't be accepted");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn next(&self) -> io::Result<UnixStream> {
        poll_fn(|context| {
            let ready = self.listeners.iter().find_map(|listener| match listener.poll_accept(context) {
                Poll::Ready(accepted) => Some(accepted.map(|(stream, _)| stream)),
                Poll::Pending => None,
            });
            ready.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn nobody_else_reaches_it_and_nothing_of_it_is_left_behind() {
        let parent = tempfile::tempdir().unwrap();
        let socket = PrivateSocket::bind_in(parent.path()).unwrap();
        let directory = socket.address().parent().unwrap().to_owned();
        assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let (client, _) = tokio::join!(UnixStream::connect(socket.address()), socket.accept());
        assert!(client.is_ok());
        drop(socket);
        assert!(!directory.exists());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_platform_is_reached_by_its_name_with_brackets_and_without() {
        let socket = PrivateSocket::bind_platform().unwrap();
        let name = socket.address().to_str().unwrap().to_owned();
        for name in [format!("[{name}]"), name] {
            let address = SocketAddr::from_abstract_name(&name).unwrap();
            let _client = std::os::unix::net::UnixStream::connect_addr(&address).unwrap();
            socket.accept().await;
        }
    }
}
