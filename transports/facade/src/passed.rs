//! Sockets that this process was given, listening already: those of systemd's socket activation.

use nix::sys::socket::{AddressFamily, SockaddrLike, SockaddrStorage, getsockname, getsockopt, sockopt};
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A descriptor that was passed is of no use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PassedError {
    /// It is no socket, or the system does not say which.
    #[error("the passed descriptor {descriptor} is of no use: {source}")]
    Unusable {
        /// Its number.
        descriptor: i32,
        /// What the system says.
        source: io::Error,
    },
    /// It is another kind of socket.
    #[error("the passed descriptor {0} is not a listening socket; allowed: those of ListenStream=, without Accept=yes")]
    NotListening(i32),
}

/// Listening sockets, until [`Endpoint::bind_or_take`](crate::Endpoint::bind_or_take) takes them.
#[derive(Debug, Default)]
pub struct Passed(Vec<Socket>);

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener, SocketAddr),
    Pipe(UnixListener, PathBuf),
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(_, address) => write!(f, "tcp {address}"),
            Self::Pipe(_, path) => write!(f, "npipe {}", path.display()),
        }
    }
}

impl Passed {
    /// Takes descriptors that are listening sockets of TCP, or of the Unix domain with a path.
    ///
    /// # Errors
    /// [`PassedError`] for the first that is none.
    pub fn new(descriptors: impl IntoIterator<Item = OwnedFd>) -> Result<Self, PassedError> {
        descriptors.into_iter().map(socket).collect::<Result<_, _>>().map(Self)
    }

    /// The TCP sockets at `fits`' first port.
    pub(crate) fn take_tcp(&mut self, fits: impl Fn(&SocketAddr) -> bool) -> Vec<TcpListener> {
        let mut port = None;
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|socket| match socket {
            Socket::Tcp(_, address) => fits(address) && *port.get_or_insert_with(|| address.port()) == address.port(),
            Socket::Pipe(..) => false,
        });
        self.0 = left;
        let tcp = |socket| match socket {
            Socket::Tcp(listener, _) => Some(listener),
            Socket::Pipe(..) => None,
        };
        Vec::into_iter(taken).filter_map(tcp).collect()
    }

    /// The first pipe that fits.
    pub(crate) fn take_pipe(&mut self, fits: impl Fn(&Path) -> bool) -> Option<(UnixListener, PathBuf)> {
        let at = self.0.iter().position(|socket| matches!(socket, Socket::Pipe(_, path) if fits(path)))?;
        match self.0.remove(at) {
            Socket::Pipe(listener, path) => Some((listener, path)),
            Socket::Tcp(..) => None,
        }
    }

    /// What nobody has taken, in words: `tcp 0.0.0.0:5005`, `npipe /run/app`.
    #[must_use]
    pub fn left(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

fn socket(descriptor: OwnedFd) -> Result<Socket, PassedError> {
    let number = descriptor.as_raw_fd();
    let unusable = |source| PassedError::Unusable { descriptor: number, source };
    let system = |errno: nix::Error| unusable(errno.into());
    let address: SockaddrStorage = getsockname(number).map_err(system)?;
    if !getsockopt(&descriptor, sockopt::AcceptConn).map_err(system)? {
        return Err(PassedError::NotListening(number));
    }
    match address.family() {
        Some(AddressFamily::Inet | AddressFamily::Inet6) => {
            let listener = TcpListener::from(descriptor);
            let address = listener.local_addr().map_err(unusable)?;
            Ok(Socket::Tcp(listener, address))
        }
        Some(AddressFamily::Unix) => {
            let listener = UnixListener::from(descriptor);
            let address = listener.local_addr().map_err(unusable)?;
            let path = address.as_pathname().ok_or(PassedError::NotListening(number))?;
            Ok(Socket::Pipe(listener, path.into()))
        }
        _ => Err(PassedError::NotListening(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, Listener};
    use std::net::{Ipv4Addr, UdpSocket};

    fn tcp() -> (TcpListener, u16) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    fn bind(text: &str, passed: &mut Passed) -> Listener {
        Endpoint::new(&text.parse().unwrap()).unwrap().bind_or_take(passed).unwrap()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_transport_takes_the_socket_at_its_port_and_at_its_address() {
        let ((first, one), (second, two)) = (tcp(), tcp());
        let mut passed = Passed::new([first.into(), second.into()]).unwrap();
        let listener = bind(&format!("tcp:port={two}"), &mut passed);
        assert_eq!(listener.to_string(), format!("tcp port {two} (127.0.0.1)"));
        assert_eq!(passed.left(), [format!("tcp 127.0.0.1:{one}")]);
        // An address of its own, which this socket does not have.
        assert_eq!(
            bind(&format!("tcp:port={one},bind=127.0.0.2"), &mut passed).client_string(),
            format!("tcp:server=127.0.0.2,port={one}")
        );
        assert_eq!(
            bind(&format!("tcp:port={one}:{one},ipversion=4"), &mut passed).to_string(),
            format!("tcp port {one} (127.0.0.1)")
        );
        assert!(passed.left().is_empty());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn any_free_port_is_none_that_was_passed() {
        let (socket, port) = tcp();
        let mut passed = Passed::new([socket.into()]).unwrap();
        bind("tcp:port=0,bind=127.0.0.1", &mut passed);
        assert_eq!(passed.left(), [format!("tcp 127.0.0.1:{port}")]);
    }

    #[test]
    fn what_does_not_listen_is_refused_by_its_number() {
        let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let number = datagrams.as_raw_fd();
        assert!(
            matches!(Passed::new([datagrams.into()]), Err(PassedError::NotListening(refused)) if refused == number)
        );
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(matches!(Passed::new([file.into()]), Err(PassedError::Unusable { .. })));
    }
}
