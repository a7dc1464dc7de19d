//! Memory: `m`, `x`, `X`, `M`.

use std::ops::{ControlFlow, Range};

use dbgsrv_protocol::rsp::client::Reply;
use dbgsrv_protocol::rsp::memory::{Encoding, Request};
use dbgsrv_protocol::rsp::packet::escape;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{DebugError, DebugSession};

/// More than a write needs besides its data: `X`, two numbers of 16 digits, `,` and `:`.
const HEAD: usize = 40;

impl<S: AsyncRead + AsyncWrite + Unpin> DebugSession<S> {
    /// Reads memory of the current thread's process into `buffer` (`x`, or `m` where the server lacks that; dbgeng:
    /// `IDebugDataSpaces::ReadVirtual`), and gives back how many bytes from `address` on could be read: fewer than asked
    /// for where memory ends. Several packets are under way at once.
    ///
    /// # Errors
    /// [`DebugError::Target`] if nothing can be read at `address`.
    pub async fn read_memory(&mut self, address: u64, buffer: &mut [u8]) -> Result<usize, DebugError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_pieces(address.wrapping_add(filled as u64), &mut buffer[filled..]).await {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(DebugError::Target(_)) if filled > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Reads up to the first answer that is shorter than what was asked for. An error counts if it is the first answer.
    async fn read_pieces(&mut self, address: u64, buffer: &mut [u8]) -> Result<usize, DebugError> {
        let client = &self.conversation.client;
        let encoding = client.read_encoding();
        let mut pieces = pieces(buffer.len(), client.packet_size() / 2);
        let next = || {
            let piece = pieces.next()?;
            let (start, length) = (address.wrapping_add(piece.start as u64), piece.len() as u64);
            Some((piece, Request::Read { address: start, length, encoding }.into()))
        };
        let mut filled = 0;
        let take = |piece: Range<usize>, reply: Reply<'_>| match reply {
            Reply::Memory(bytes) if bytes.len() <= piece.len() => {
                buffer[filled..filled + bytes.len()].copy_from_slice(bytes);
                filled += bytes.len();
                Ok(if bytes.len() == piece.len() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            }
            Reply::Error(_) if filled > 0 => Ok(ControlFlow::Break(())),
            reply => Err(DebugError::from_reply(&reply, "memory read")),
        };
        self.conversation.pipeline(next, take).await?;
        Ok(filled)
    }

    /// Writes memory of the current thread's process (`X`, or `M` where the server lacks that; dbgeng:
    /// `IDebugDataSpaces::WriteVirtual`). Several packets are under way at once.
    ///
    /// # Errors
    /// [`DebugError::Target`] if some of it cannot be written; what comes before that may have been.
    pub async fn write_memory(&mut self, address: u64, data: &[u8]) -> Result<(), DebugError> {
        let encoding = self.conversation.client.write_encoding();
        match self.write_pieces(address, data).await {
            // Now it knows better.
            Err(DebugError::Unsupported(_)) if self.conversation.client.write_encoding() != encoding => {
                self.write_pieces(address, data).await
            }
            result => result,
        }
    }

    async fn write_pieces(&mut self, address: u64, data: &[u8]) -> Result<(), DebugError> {
        let client = &self.conversation.client;
        let (encoding, room) = (client.write_encoding(), client.packet_size() - HEAD);
        let mut written = 0;
        let next = || {
            let rest = &data[written..];
            let count = match encoding {
                Encoding::Binary => escape::fitting(rest, room),
                Encoding::Hex => rest.len().min(room / 2),
            };
            let start = address.wrapping_add(written as u64);
            written += count;
            (count > 0).then(|| ((), Request::Write { address: start, data: &rest[..count] }.into()))
        };
        let take = |(), reply: Reply<'_>| match reply {
            Reply::Ok => Ok(ControlFlow::Continue(())),
            reply => Err(DebugError::from_reply(&reply, "memory write")),
        };
        self.conversation.pipeline(next, take).await
    }
}

/// Cuts `length` bytes into pieces of at most `most`.
pub(super) fn pieces(length: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(most).map(move |start| start..length.min(start + most))
}
