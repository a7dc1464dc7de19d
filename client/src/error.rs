//! What can go wrong.

use dbgsrv_discovery::FindError;
use dbgsrv_protocol::control::{CodecError, Failure, FailureKind};
use dbgsrv_protocol::session::{CloseCode, HandshakeError, Rejected};
use dbgsrv_session::{Closed, ConnectError, OpenError};
use dbgsrv_transports::{BindError, PasswordError, Unusable};
use thiserror::Error;

/// Why something was not done. `Display` is one line for people.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection string names a certificate that can't be used.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// The connection string leads to a gdbserver.
    #[error("a gdbserver is no process server: it can be debugged through, and nothing else")]
    NotAProcessServer,
    /// The password that the connection string names can't be had.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The server's call can't be waited for.
    #[error(transparent)]
    Listen(#[from] BindError),
    /// Servers can't be looked for.
    #[error(transparent)]
    Find(#[from] FindError),
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
    /// The password is wrong (`E_FAIL`).
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
    /// The session with the server is over. Whether the last request was done is not known.
    #[error("the session with the server is over: {}", ending(.0))]
    Closed(Closed),
    /// The request does not fit into a message, or what came is no answer of this release.
    #[error("{0}")]
    Codec(#[from] CodecError),
    /// The server breaks the control protocol.
    #[error("the server breaks the control protocol: {0}")]
    Protocol(&'static str),
}

impl Error {
    /// For programs: what kind of refusal it is, where it is one.
    #[must_use]
    pub fn failure_kind(&self) -> Option<FailureKind> {
        match self {
            Self::Refused(failure) => Some(failure.kind),
            _ => None,
        }
    }

    /// What keeps this side from a session with `server`. The password is told apart: it can be asked for.
    pub(crate) fn connecting(server: &str, source: ConnectError) -> Self {
        let server = server.to_owned();
        match source {
            ConnectError::Handshake(HandshakeError::PasswordNeeded) => Self::PasswordNeeded { server },
            ConnectError::Handshake(
                HandshakeError::WrongPassword | HandshakeError::Rejected { reason: Rejected::Password, .. },
            ) => Self::WrongPassword { server },
            source => Self::Connect { server, source },
        }
    }

    /// There is no such process.
    pub(crate) fn no_process(pid: u32) -> Self {
        Self::Refused(Failure { kind: FailureKind::NotFound, text: format!("there is no process {pid}") })
    }
}

/// How a session ended, in words: those of the side that closed it, where it had any.
fn ending(closed: &Closed) -> &str {
    match closed.code {
        _ if !closed.text.is_empty() => &closed.text,
        CloseCode::ServerEnds => "the server ends",
        CloseCode::Ended => "somebody ended it through the server",
        CloseCode::Protocol => "one side broke the protocol",
        CloseCode::Lost => "the connection was cut for too long",
        _ if closed.here => "this side closed it",
        _ => "the server closed it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_is_over_always_has_a_reason() {
        let closed = |code, text: &str| Error::Closed(Closed { here: false, code, text: text.into() }).to_string();
        assert_eq!(closed(CloseCode::Done, ""), "the session with the server is over: the server closed it");
        assert_eq!(closed(CloseCode::Lost, "no sign of life"), "the session with the server is over: no sign of life");
    }

    #[test]
    fn what_has_to_do_with_the_password_is_told_apart_whoever_finds_it_out() {
        let rejected = |reason| HandshakeError::Rejected { reason, text: "no".into() };
        let connecting = |error: HandshakeError| Error::connecting("BOX17 port 5005", error.into());
        let error = connecting(HandshakeError::PasswordNeeded);
        assert!(matches!(error, Error::PasswordNeeded { .. }), "{error}");
        for wrong in [HandshakeError::WrongPassword, rejected(Rejected::Password)] {
            assert_eq!(connecting(wrong).to_string(), "BOX17 port 5005: wrong password");
        }
        assert_eq!(connecting(rejected(Rejected::Busy)).to_string(), "BOX17 port 5005: refused by the server: no");
    }
}
