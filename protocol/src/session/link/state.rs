//! How a session stands, and what ends it.

use super::CloseCode;
use alloc::string::String;
use thiserror::Error;

/// What ends a session at once.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SessionError {
    /// A record that was changed, replayed or left out on the way.
    #[error("a record is damaged, repeated or missing")]
    Seal,
    /// A record longer than it may be, of unknown kind or malformed.
    #[error("malformed record: {0}")]
    Malformed(&'static str),
    /// The other side acknowledges what was never sent, or can't be given what it lacks.
    #[error("the two sides do not agree on what was received")]
    Sequence,
    /// The session was continued on another connection while this one's handshake went on. It is not harmed.
    #[error("the session went on elsewhere meanwhile")]
    Overtaken,
}

/// How a session stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// There is a connection.
    Connected,
    /// There is none; the client may come back.
    Cut,
    /// Over: by which side, and why.
    Closed {
        /// By this side.
        here: bool,
        /// Why.
        code: CloseCode,
        /// In words.
        text: String,
    },
}
