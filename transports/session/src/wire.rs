//! The connection a session has at the moment.

use dbgsrv_protocol::session::Session;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Any byte stream: a session may go on over another kind than it began with.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection, and how its writing stands.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    /// Bytes that the stream itself may hold back (TLS does).
    unflushed: bool,
    /// Nothing more can be written. What the peer sent before it went is read first: it may be its farewell.
    broken: Option<io::Error>,
}

impl Wire {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, unflushed: false, broken: None }
    }

    pub(crate) fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }

    /// Reads once, straight into the session. Pending: nothing is there.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        session: &mut Session,
        now: Duration,
    ) -> Poll<io::Result<()>> {
        let mut buffer = ReadBuf::new(session.receive_buffer());
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) => {
                let count = buffer.filled().len();
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                session.received(count, now);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.broken.take().map_or(Poll::Pending, |error| Poll::Ready(Err(error))),
        }
    }

    /// Writes what the session has to send. Ready: all of it; an error is kept for [`Self::poll_read`].
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, session: &mut Session, now: Duration) -> Poll<()> {
        if self.broken.is_some() {
            return Poll::Pending;
        }
        match ready!(self.poll_write_all(cx, session, now)) {
            Ok(()) => Poll::Ready(()),
            Err(error) => {
                self.broken = Some(error);
                Poll::Pending
            }
        }
    }

    fn poll_write_all(&mut self, cx: &mut Context<'_>, session: &mut Session, now: Duration) -> Poll<io::Result<()>> {
        while !session.transmit().is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, session.transmit()))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            session.transmitted(count, now);
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}
