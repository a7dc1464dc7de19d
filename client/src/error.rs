//! What can go wrong.

use dbgsrv_protocol::control::{CodecError, Failure};
use dbgsrv_session::{Closed, ConnectError, OpenError};
use dbgsrv_transports::Unavailable;
use thiserror::Error;

/// Why something was not done. `Display` is one line for people.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection string asks for what this build does not have.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The connection string leads to a gdbserver.
    #[error("a gdbserver is no process server: it can be debugged through, and nothing else")]
    NotAProcessServer,
    /// There is no session with the server.
    #[error("{server}: {source}")]
    Connect {
        /// Which: `BOX17 port 5005`.
        server: String,
        /// Why.
        source: ConnectError,
    },
    /// The server asks for a password and none was given.
    #[error("{server} asks for a password")]
    PasswordNeeded {
        /// Which.
        server: String,
    },
    /// The password is wrong.
    #[error("{server}: wrong password")]
    WrongPassword {
        /// Which server's.
        server: String,
    },
    /// The server did not do what it was asked for.
    #[error("{}", .0.text)]
    Refused(Failure),
    /// The server did not open a debug session.
    #[error("no debug session: {0}")]
    Open(#[source] OpenError),
    /// The session with the server is over.
    #[error("the session with the server is over: {}", .0.text)]
    Closed(Closed),
    /// The request does not fit into a message, or the answer is none.
    #[error("{0}")]
    Codec(#[from] CodecError),
    /// The server breaks the control protocol.
    #[error("the server breaks the control protocol: {0}")]
    Protocol(&'static str),
}
