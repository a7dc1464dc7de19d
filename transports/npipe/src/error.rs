//! Why a pipe can't be listened on.

use dbgsrv_local::DirectoryError;
use dbgsrv_protocol::options::{GroupName, PipeName};
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// There is no pipe; nothing was left behind.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// A server listens there.
    #[error("the pipe `{name}` is in use by another server ({})", path.display())]
    InUse {
        /// Its name.
        name: PipeName,
        /// Its socket.
        path: PathBuf,
    },
    /// Something has the name that no server made.
    #[error("cannot make the pipe {}: there is a file of that name, and it is no socket", .0.display())]
    Occupied(PathBuf),
    /// The path of a socket has 107 bytes at most (`unix(7)`).
    #[error("the pipe's name `{name}` is too long; allowed: {most} bytes, which is what {} leaves of 107", directory.display())]
    TooLong {
        /// The name.
        name: PipeName,
        /// The longest, in bytes.
        most: usize,
        /// Where the socket would be.
        directory: PathBuf,
    },
    /// `group=` names none of this machine.
    #[error("parameter `group` of npipe: there is no group `{0}` on this machine")]
    NoSuchGroup(GroupName),
    /// `mode=` or `group=` lets others open the pipe, who can't get to the directory that it is in.
    #[error(
        "parameters `mode` and `group` of npipe: other users cannot reach {}, where this user's pipes are; \
         allowed: to start the server as root, to give this user /run/dbgsrv \
         (`install -d -o USER /run/dbgsrv`, as root), or to leave them out",
        .0.display()
    )]
    OutOfReach(PathBuf),
    /// The directory of pipes can't be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The system refuses.
    #[error("cannot make {}: {source}", path.display())]
    System {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
