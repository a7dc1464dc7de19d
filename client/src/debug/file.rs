//! Files on the server's machine: `vFile`.

use std::ffi::OsStr;
use std::ops::{ControlFlow, Range};
use std::os::unix::ffi::OsStrExt;

use dbgsrv_protocol::rsp::client::Reply;
use dbgsrv_protocol::rsp::file::{Request, Stat};
use dbgsrv_protocol::rsp::packet::escape;
use tokio::io::{AsyncRead, AsyncWrite};

use super::memory::pieces;
use super::{DebugError, DebugSession};

/// More than a write needs besides its data: `vFile:pwrite:`, two numbers of 16 digits and `,`.
const HEAD: usize = 64;

/// An open file on the server's machine.
///
/// One that is dropped without [`RemoteFile::close`] is closed with the next request of the session, and nobody learns
/// whether that worked.
#[derive(Debug)]
pub struct RemoteFile<'a, S: AsyncRead + AsyncWrite + Unpin> {
    session: &'a mut DebugSession<S>,
    /// The descriptor; `None` once it is closed.
    fd: Option<i32>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> DebugSession<S> {
    /// Opens a file (`vFile:open`) with [`flags`](super::flags) and, for a new one, the permission bits `mode`.
    ///
    /// # Errors
    /// [`DebugError::File`] if that fails, [`DebugError::ZeroByte`], [`DebugError::Unsupported`].
    pub async fn open(
        &mut self,
        path: impl AsRef<OsStr>,
        flags: u32,
        mode: u32,
    ) -> Result<RemoteFile<'_, S>, DebugError> {
        let path = c_string(path.as_ref())?;
        let read = |reply: Reply<'_>| result(&reply, "vFile:open");
        let fd = self.conversation.ask(Request::Open { path, flags, mode }, read).await?;
        let fd = i32::try_from(fd).map_err(|_| DebugError::Malformed("vFile:open"))?;
        Ok(RemoteFile { session: self, fd: Some(fd) })
    }

    /// Removes a file (`vFile:unlink`).
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn unlink(&mut self, path: impl AsRef<OsStr>) -> Result<(), DebugError> {
        let path = c_string(path.as_ref())?;
        self.conversation.ask(Request::Unlink { path }, |reply| result(&reply, "vFile:unlink")).await?;
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> RemoteFile<'_, S> {
    fn fd(&self) -> i32 {
        self.fd.expect("a file is open until close has taken it")
    }

    /// Reads from byte `offset` on (`vFile:pread`), and gives back how many bytes were read: fewer than asked for at the
    /// end of the file only. Several packets are under way at once, so a large buffer is read fastest.
    ///
    /// # Errors
    /// [`DebugError::File`] if it can't be read.
    pub async fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, DebugError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_pieces(offset.saturating_add(filled as u64), &mut buffer[filled..]).await? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }

    /// Reads up to the first answer that is shorter than what was asked for.
    async fn read_pieces(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, DebugError> {
        let fd = self.fd();
        let conversation = &mut self.session.conversation;
        // Whatever has to be escaped, a reply has room for half a packet.
        let mut pieces = pieces(buffer.len(), conversation.client.packet_size() / 2 - HEAD);
        let next = || {
            let piece = pieces.next()?;
            let (offset, count) = (offset.saturating_add(piece.start as u64), piece.len() as u64);
            Some((piece, Request::Pread { fd, count, offset }.into()))
        };
        let mut filled = 0;
        let take = |piece: Range<usize>, reply: Reply<'_>| match reply {
            Reply::File { result, attachment: Some(bytes) }
                if result == bytes.len() as u64 && bytes.len() <= piece.len() =>
            {
                buffer[filled..filled + bytes.len()].copy_from_slice(bytes);
                filled += bytes.len();
                Ok(if bytes.len() == piece.len() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            }
            reply => Err(DebugError::from_reply(&reply, "vFile:pread")),
        };
        conversation.pipeline(next, take).await?;
        Ok(filled)
    }

    /// Writes all of `data` from byte `offset` on (`vFile:pwrite`). Several packets are under way at once.
    ///
    /// # Errors
    /// [`DebugError::File`] if not all can be written; any part of it may have been.
    pub async fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DebugError> {
        let mut written = 0;
        while written < data.len() {
            written += self.write_pieces(offset.saturating_add(written as u64), &data[written..]).await?;
        }
        Ok(())
    }

    /// Writes up to the first piece that is not written whole.
    async fn write_pieces(&mut self, offset: u64, data: &[u8]) -> Result<usize, DebugError> {
        let fd = self.fd();
        let conversation = &mut self.session.conversation;
        let room = conversation.client.packet_size() - HEAD;
        let mut sent = 0;
        let next = || {
            let rest = &data[sent..];
            let piece = &rest[..escape::fitting(rest, room)];
            let offset = offset.saturating_add(sent as u64);
            sent += piece.len();
            (!piece.is_empty()).then(|| (piece.len(), Request::Pwrite { fd, offset, data: piece }.into()))
        };
        let mut written = 0;
        let take = |length: usize, reply: Reply<'_>| {
            let count = result(&reply, "vFile:pwrite")?;
            match usize::try_from(count) {
                Ok(count @ 1..) if count <= length => {
                    written += count;
                    Ok(if count == length { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
                }
                _ => Err(DebugError::Malformed("vFile:pwrite")),
            }
        };
        conversation.pipeline(next, take).await?;
        Ok(written)
    }

    /// What is known of the file (`vFile:fstat`).
    ///
    /// # Errors
    /// [`DebugError::File`].
    pub async fn stat(&mut self) -> Result<Stat, DebugError> {
        let request = Request::Fstat { fd: self.fd() };
        let read = |reply: Reply<'_>| match reply {
            Reply::File { attachment: Some(bytes), .. } => {
                Stat::from_bytes(bytes).ok_or(DebugError::Malformed("vFile:fstat"))
            }
            reply => Err(DebugError::from_reply(&reply, "vFile:fstat")),
        };
        self.session.conversation.ask(request, read).await
    }

    /// Closes the file (`vFile:close`).
    ///
    /// # Errors
    /// [`DebugError::File`], with which some systems tell that what was written could not be kept.
    pub async fn close(mut self) -> Result<(), DebugError> {
        let request = Request::Close { fd: self.fd() };
        let id = self.session.conversation.request(&request.into()).await?;
        self.fd = None;
        self.session.conversation.answer(id, |reply| result(&reply, "vFile:close")).await?;
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drop for RemoteFile<'_, S> {
    fn drop(&mut self) {
        if let Some(fd) = self.fd {
            // Where there is no room for it the server closes the file with the session.
            let _ = self.session.conversation.try_request(&Request::Close { fd }.into());
        }
    }
}

fn c_string(path: &OsStr) -> Result<&[u8], DebugError> {
    let path = path.as_bytes();
    if path.contains(&0) { Err(DebugError::ZeroByte { what: "the path" }) } else { Ok(path) }
}

/// The number that a file request is answered with.
fn result(reply: &Reply<'_>, name: &'static str) -> Result<u64, DebugError> {
    match reply {
        Reply::File { result, .. } => Ok(*result),
        reply => Err(DebugError::from_reply(reply, name)),
    }
}
