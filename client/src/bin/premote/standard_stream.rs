//! Standard input and output as async streams, read and written by this thread itself where that is possible.
//!
//! tokio's own go through a thread for blocking calls, which costs each packet two wake-ups more.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

/// Standard input.
///
/// # Errors
/// Where there is none.
pub(crate) fn input() -> io::Result<Box<dyn AsyncRead + Send + Unpin>> {
    Ok(match Descriptor::of(io::stdin().as_fd().try_clone_to_owned()?)? {
        Descriptor::Pipe(file) => Box::new(pipe::Receiver::from_file(file)?),
        Descriptor::Socket(socket) => Box::new(non_blocking(socket)?),
        Descriptor::Other => Box::new(tokio::io::stdin()),
    })
}

/// Standard output.
///
/// # Errors
/// Where there is none.
pub(crate) fn output() -> io::Result<Box<dyn AsyncWrite + Send + Unpin>> {
    Ok(match Descriptor::of(io::stdout().as_fd().try_clone_to_owned()?)? {
        Descriptor::Pipe(file) => Box::new(pipe::Sender::from_file(file)?),
        Descriptor::Socket(socket) => Box::new(non_blocking(socket)?),
        Descriptor::Other => Box::new(tokio::io::stdout()),
    })
}

/// What a descriptor is of.
enum Descriptor {
    /// A pipe: that of a shell.
    Pipe(File),
    /// A stream socket: gdb gives one to the command after `target remote |`.
    Socket(OwnedFd),
    /// A terminal or a file, which may be shared with programs that don't expect it not to block.
    Other,
}

impl Descriptor {
    fn of(descriptor: OwnedFd) -> io::Result<Self> {
        let file = File::from(descriptor);
        let kind = file.metadata()?.file_type();
        Ok(if kind.is_fifo() {
            Self::Pipe(file)
        } else if kind.is_socket() {
            Self::Socket(file.into())
        } else {
            Self::Other
        })
    }
}

/// The calls on a stream socket are the same for each of its families.
fn non_blocking(socket: OwnedFd) -> io::Result<UnixStream> {
    let socket = net::UnixStream::from(socket);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}
