//! A connection on any transport, and who is at its other end.

use crate::PipePeer;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Peer {
    /// `tcp`: its address.
    Tcp(SocketAddr),
    /// `npipe`: its process and whose that is.
    Pipe(PipePeer),
}

impl Peer {
    /// Whether the connection cannot have come from another machine: over the loopback interface, or over a pipe.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Pipe(_) => true,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Pipe(peer) => peer.fmt(f),
        }
    }
}

/// A connection: bytes both ways, in order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stream {
    /// `tcp`.
    Tcp(TcpStream),
    /// `npipe`.
    Pipe(UnixStream),
}

impl Stream {
    /// Makes a fresh connection fit for debugging: small packets without delay, and a vanished peer is noticed.
    ///
    /// # Errors
    /// What the system says: the connection is of no use.
    pub fn tune(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => dbgsrv_tcp::tune(stream),
            // The kernel delays nothing there, and knows at once when one side is gone.
            Self::Pipe(_) => Ok(()),
        }
    }

    /// Waits for bytes and copies them without taking them, so that who reads next gets them too. 0: the peer closed.
    ///
    /// # Errors
    /// What recv(2) says: the connection is broken.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.peek(buffer).await,
            Self::Pipe(stream) => dbgsrv_npipe::peek(stream, buffer).await,
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Pipe(stream) => stream.as_fd(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Pipe(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Pipe(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Pipe(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Pipe(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn peer(address: &str) -> Peer {
        Peer::Tcp(address.parse().unwrap())
    }

    #[test]
    fn peers_on_this_machine_are_known_in_every_spelling() {
        for address in ["127.0.0.1:1", "127.8.9.10:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(peer(address).is_local(), "{address}");
        }
        assert!(Peer::Pipe(PipePeer { uid: 1000, pid: None }).is_local());
    }

    #[test]
    fn peers_on_other_machines_are_not_local() {
        for address in ["10.0.0.1:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1", "[2001:db8::7f00:1]:1", "0.0.0.0:1"] {
            assert!(!peer(address).is_local(), "{address}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn peeked_bytes_stay_for_the_next_reader() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut stream = Stream::Tcp(listener.accept().await.unwrap().0);
        client.write_all(b"+$g#67").await.unwrap();
        drop(client);
        let mut first = [0];
        assert_eq!(stream.peek(&mut first).await.unwrap(), 1);
        assert_eq!(first, *b"+");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"+$g#67");
    }
}
