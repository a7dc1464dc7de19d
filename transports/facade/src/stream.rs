//! A connection on any transport, and who is at its other end.

use crate::PipePeer;
use dbgsrv_protocol::options::Channel;
use dbgsrv_tls::{Acceptor, TlsStream};
use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tracing::{debug, info};

/// The first byte of TLS: a record of its handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// How long a client may take for the first byte of TLS.
const FIRST_BYTE_LIMIT: Duration = Duration::from_secs(10);

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Peer {
    /// `tcp`: its address.
    Tcp(SocketAddr),
    /// `npipe`: its process and whose that is.
    Pipe(PipePeer),
    /// `com`: its channel; none where it is a debugger that speaks straight to the line.
    Line(Option<Channel>),
}

impl Peer {
    /// Whether the connection cannot have come from another machine: over the loopback interface, or over a pipe.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Pipe(_) => true,
            Self::Line(_) => false,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Pipe(peer) => peer.fmt(f),
            Self::Line(Some(channel)) => write!(f, "com channel {channel}"),
            Self::Line(None) => f.write_str("com"),
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
    /// What something in this process makes of what travels.
    Carried(Carried),
    /// One that was accepted, and on which TLS begins with [`Stream::ready`]; nothing can be read or written before.
    Fresh(Box<Fresh>),
}

impl Stream {
    /// Makes a fresh connection fit for debugging: small packets without delay, and a vanished peer is noticed; where it is
    /// to be inside TLS, it is from then on. Takes twenty seconds at most. Cancel safe: the connection is closed then.
    ///
    /// # Errors
    /// [`ReadyError`]: the connection is of no use. After [`ReadyError::NoTls`] the client can still be told so, in the clear.
    pub async fn ready(&mut self) -> Result<(), ReadyError> {
        match self {
            Self::Tcp(stream) => Ok(dbgsrv_tcp::tune(stream)?),
            // The kernel delays nothing on a pipe, and knows at once when one side is gone; what carries was made ready before.
            Self::Pipe(_) | Self::Carried(_) => Ok(()),
            Self::Fresh(fresh) => {
                let mut stream = fresh.tuned().await?;
                if !speaks_tls(&mut stream).await? {
                    *self = stream;
                    return Err(ReadyError::NoTls);
                }
                let stream = fresh.secure(stream).await?;
                *self = stream;
                Ok(())
            }
        }
    }

    /// What ties a handshake inside to the TLS connection around it; `None` where there is none.
    #[must_use]
    pub fn channel_binding(&self) -> Option<[u8; 32]> {
        match self {
            Self::Carried(stream) => stream.channel_binding,
            Self::Tcp(_) | Self::Pipe(_) | Self::Fresh(_) => None,
        }
    }

    /// Waits for bytes and copies them without taking them, so that who reads next gets them too. 0: the peer closed.
    ///
    /// # Errors
    /// The connection is broken; what recv(2) says, where it is a socket.
    pub async fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.peek(buffer).await,
            Self::Pipe(stream) => dbgsrv_npipe::peek(stream, buffer).await,
            Self::Carried(stream) => stream.peek(buffer).await,
            Self::Fresh(_) => Err(not_ready()),
        }
    }

    /// The socket whose bytes these are, with which another process can go on; `None` where this one has to carry them.
    #[must_use]
    pub fn socket(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Tcp(stream) => Some(stream.as_fd()),
            Self::Pipe(stream) => Some(stream.as_fd()),
            Self::Carried(_) | Self::Fresh(_) => None,
        }
    }
}

/// What can be carried.
trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// A stream without a socket of its own.
pub struct Carried {
    stream: BufReader<Box<dyn Bytes>>,
    channel_binding: Option<[u8; 32]>,
}

impl Carried {
    /// Bytes that are looked at before they are taken, at most: a debugger's first packet. Reads of more go past it.
    const AHEAD: usize = 512;

    /// Carries what comes out of `stream`.
    pub fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { stream: BufReader::with_capacity(Self::AHEAD, Box::new(stream)), channel_binding: None }
    }

    /// Carries what is inside TLS.
    pub(crate) fn secured(stream: TlsStream<Stream>) -> Self {
        let channel_binding = Some(stream.channel_binding());
        Self { channel_binding, ..Self::new(stream) }
    }

    async fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ahead = self.stream.fill_buf().await?;
        let count = ahead.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ahead[..count]);
        Ok(count)
    }
}

/// A connection on which TLS has not begun.
#[derive(Debug)]
pub struct Fresh {
    /// Until it has begun.
    stream: Option<Stream>,
    acceptor: Acceptor,
}

/// A fresh connection is of no use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadyError {
    /// What the system says.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The two sides do not come together in TLS.
    #[error("{0}")]
    Tls(io::Error),
    /// What the client says is not TLS.
    #[error("the client does not speak TLS")]
    NoTls,
}

impl Fresh {
    pub(crate) fn new(stream: Stream, acceptor: Acceptor) -> Self {
        Self { stream: Some(stream), acceptor }
    }

    /// What TLS is to begin on.
    async fn tuned(&mut self) -> Result<Stream, ReadyError> {
        let mut stream = self.stream.take().ok_or_else(not_ready)?;
        // There is no TLS inside TLS, so that this ends.
        Box::pin(stream.ready()).await?;
        Ok(stream)
    }

    async fn secure(&mut self, stream: Stream) -> Result<Stream, ReadyError> {
        let stream = self.acceptor.accept(stream).await.map_err(ReadyError::Tls)?;
        let version = stream.version();
        if let Some(client) = stream.peer_certificate() {
            info!(version, client = client.name(), thumbprint = %client.sha1, "secured");
        } else {
            debug!(version, "secured");
        }
        Ok(Stream::Carried(Carried::secured(stream)))
    }
}

/// Whether TLS is what the client begins with. One that closes without a word is left for TLS to complain about.
async fn speaks_tls(stream: &mut Stream) -> io::Result<bool> {
    let mut first = [0];
    let silent = |_| io::Error::new(io::ErrorKind::TimedOut, "the client said nothing");
    let count = timeout(FIRST_BYTE_LIMIT, stream.peek(&mut first)).await.map_err(silent)??;
    Ok(count == 0 || first == [TLS_HANDSHAKE])
}

fn not_ready() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "TLS has not begun")
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").finish_non_exhaustive()
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Pipe(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Carried(carried) => Pin::new(&mut carried.stream).poll_read(cx, buffer),
            Self::Fresh(_) => Poll::Ready(Err(not_ready())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Pipe(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Carried(carried) => Pin::new(&mut carried.stream).poll_write(cx, bytes),
            Self::Fresh(_) => Poll::Ready(Err(not_ready())),
        }
    }

    // Not only for speed: TLS has one try at its alert, which may stand behind another record.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Pipe(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Carried(carried) => Pin::new(&mut carried.stream).poll_write_vectored(cx, slices),
            Self::Fresh(_) => Poll::Ready(Err(not_ready())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Pipe(stream) => stream.is_write_vectored(),
            Self::Carried(carried) => carried.stream.is_write_vectored(),
            Self::Fresh(_) => false,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Pipe(stream) => Pin::new(stream).poll_flush(cx),
            Self::Carried(carried) => Pin::new(&mut carried.stream).poll_flush(cx),
            Self::Fresh(_) => Poll::Ready(Err(not_ready())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Pipe(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Carried(carried) => Pin::new(&mut carried.stream).poll_shutdown(cx),
            Self::Fresh(_) => Poll::Ready(Err(not_ready())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
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
        assert!(!Peer::Line(None).is_local());
        for address in ["10.0.0.1:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1", "[2001:db8::7f00:1]:1", "0.0.0.0:1"] {
            assert!(!peer(address).is_local(), "{address}");
        }
    }

    async fn assert_peeked_bytes_stay(mut client: impl AsyncWrite + Unpin, mut stream: Stream) {
        client.write_all(b"+$g#67").await.unwrap();
        client.shutdown().await.unwrap();
        let mut first = [0];
        for _ in 0..2 {
            assert_eq!(stream.peek(&mut first).await.unwrap(), 1);
            assert_eq!(first, *b"+");
        }
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"+$g#67");
        assert_eq!(stream.peek(&mut first).await.unwrap(), 0);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn peeked_bytes_stay_for_the_next_reader() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        assert_peeked_bytes_stay(client, Stream::Tcp(listener.accept().await.unwrap().0)).await;
        let (client, carried) = duplex(64);
        assert_peeked_bytes_stay(client, Stream::Carried(Carried::new(carried))).await;
    }

    #[tokio::test(flavor = "current_thread")]
    async fn several_slices_are_written_at_once() {
        let (pipe, _peer) = UnixStream::pair().unwrap();
        let (carried, _peer) = duplex(64);
        for mut stream in [Stream::Pipe(pipe), Stream::Carried(Carried::new(carried))] {
            assert!(stream.is_write_vectored());
            let slices = [IoSlice::new(b"a record, "), IoSlice::new(b"and an alert")];
            assert_eq!(stream.write_vectored(&slices).await.unwrap(), 22);
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn only_a_socket_can_be_handed_on() {
        let (pipe, _peer) = UnixStream::pair().unwrap();
        assert!(Stream::Pipe(pipe).socket().is_some());
        assert!(Stream::Carried(Carried::new(duplex(64).0)).socket().is_none());
    }
}
