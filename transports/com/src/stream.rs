//! A channel's stream.

use crate::state::Handle;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes to and from one peer on a channel. Reads and writes end when the peer is gone, or another has taken its place.
///
/// Shutting it down waits until all that was written has arrived. Dropping it does not: what was written is sent for some seconds
/// more, as long as the process lives.
#[derive(Debug)]
pub struct Stream {
    handle: Handle,
    number: u64,
    is_plain: bool,
}

impl Stream {
    pub(crate) fn new(handle: Handle, (number, is_plain): (u64, bool)) -> Self {
        Self { handle, number, is_plain }
    }

    /// Whether the peer is a debugger that speaks RSP straight to the line, on no channel.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.handle.poll_read(self.number, cx, |bytes| {
            let count = bytes.len().min(buffer.remaining());
            buffer.put_slice(&bytes[..count]);
            count
        })
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.handle.poll_write(self.number, cx, bytes)
    }

    /// What was written is on its way already.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.handle.poll_shutdown(self.number, cx)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.handle.leave(self.number);
    }
}
