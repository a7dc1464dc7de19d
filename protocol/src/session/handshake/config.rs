//! What a side brings to a handshake.

use super::super::{Facts, Versions};
use crate::options::Password;
use core::time::Duration;

/// Whom the server lets in.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody who got this far. Records are sealed where `sealed`.
    Open {
        /// Seal records, against who listens on the way; who is at the other end is not known.
        sealed: bool,
    },
    /// Whoever knows the password.
    Password(Password),
}

/// The server's side of a handshake.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Told to the client.
    pub facts: Facts,
    /// [`Versions::SPOKEN`], except in tests.
    pub versions: Versions,
    /// Who may come in.
    pub access: Access,
    /// What ties this handshake to the TLS connection around it (RFC 9266, RFC 5705); nothing is sealed again then.
    pub channel_binding: Option<[u8; 32]>,
    /// How long a session whose connection is cut waits for its client; told to that, in whole seconds.
    pub linger: Duration,
}

/// The client's side of a handshake.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Told to the server.
    pub facts: Facts,
    /// [`Versions::SPOKEN`], except in tests.
    pub versions: Versions,
    /// The server's password. A server that asks for none is then refused: it may be another's.
    pub password: Option<Password>,
    /// Whether the connection never leaves the machine, so that records need not be sealed.
    pub local: bool,
    /// As [`ServerConfig::channel_binding`].
    pub channel_binding: Option<[u8; 32]>,
}
