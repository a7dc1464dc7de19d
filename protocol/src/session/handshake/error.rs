//! Why a handshake fails.

use super::super::Versions;
use alloc::string::String;
use thiserror::Error;

/// Why the server turned the client away.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Rejected {
    /// No version in common.
    #[error("no version of the protocol in common")]
    Version,
    /// The password is wrong.
    #[error("wrong password")]
    Password,
    /// The session to be resumed is unknown or its token was used.
    #[error("the session is over")]
    UnknownSession,
    /// There is no room for another session.
    #[error("the server has as many sessions as it can hold")]
    Busy,
    /// The client broke the protocol.
    #[error("protocol error")]
    Protocol,
    /// The server's policy: protected mode.
    #[error("not allowed")]
    NotAllowed,
    /// A code of a later release.
    #[error("reason {0}")]
    Other(u8),
}

impl Rejected {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Version => 1,
            Self::Password => 2,
            Self::UnknownSession => 3,
            Self::Busy => 4,
            Self::Protocol => 5,
            Self::NotAllowed => 6,
            Self::Other(code) => code,
        }
    }

    pub(super) const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Version,
            2 => Self::Password,
            3 => Self::UnknownSession,
            4 => Self::Busy,
            5 => Self::Protocol,
            6 => Self::NotAllowed,
            _ => Self::Other(code),
        }
    }
}

/// Why a handshake fails.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The other side speaks something else.
    #[error("the other side does not speak dbgsrv's protocol")]
    NotOurs,
    /// No version in common.
    #[error(
        "this side (release {our_release}) speaks {ours} of the protocol, the other (release {their_release}) {theirs}"
    )]
    Version {
        /// Spoken here.
        ours: Versions,
        /// This release.
        our_release: String,
        /// Spoken there.
        theirs: Versions,
        /// The other side's release.
        their_release: String,
    },
    /// The server wants a password and none was given.
    #[error("the server asks for a password")]
    PasswordNeeded,
    /// The server wants no password though one was given.
    #[error("the server asks for no password; leave password= out if that is meant")]
    PasswordUnused,
    /// The password is wrong, as seen from here.
    #[error("wrong password")]
    WrongPassword,
    /// The other side does not have the session's token: it is not whose session this is, or used the token before.
    #[error("wrong session token")]
    WrongToken,
    /// The server does not protect a connection that leaves the machine.
    #[error("the server does not encrypt, and the connection leaves this machine")]
    Unprotected,
    /// The server refused; on the server's side, what [`Handshake::reject`](super::Handshake::reject) was told.
    #[error("refused by the server: {text}")]
    Rejected {
        /// Why.
        reason: Rejected,
        /// In words.
        text: String,
    },
    /// A message is longer than it may be, malformed or out of order.
    #[error("protocol error in the handshake: {0}")]
    Malformed(&'static str),
}

impl HandshakeError {
    /// What the server tells a client of it, nothing where the client would not understand.
    pub(super) const fn rejection(&self) -> Option<Rejected> {
        match self {
            Self::Version { .. } => Some(Rejected::Version),
            Self::WrongPassword => Some(Rejected::Password),
            Self::WrongToken => Some(Rejected::UnknownSession),
            Self::Malformed(_) => Some(Rejected::Protocol),
            _ => None,
        }
    }
}
