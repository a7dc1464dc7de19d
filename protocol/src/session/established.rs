//! What a handshake comes to.

use super::crypto::{Seal, Secret};
use super::{Facts, SessionId};
use alloc::vec::Vec;
use core::time::Duration;

/// What protects the messages of a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protection {
    /// Nothing here: the connection never leaves the machine.
    Plain,
    /// Records are sealed.
    Sealed,
    /// TLS around the connection.
    Tls,
}

/// What a handshake comes to.
#[derive(Debug)]
pub struct Established {
    /// The other side.
    pub peer: Facts,
    /// The version that both speak.
    pub version: u16,
    /// Whether the peer has proved to know the password, now or when its session began.
    pub authenticated: bool,
    /// What protects the messages.
    pub protection: Protection,
    /// The session.
    pub id: SessionId,
    /// Whether it continues one.
    pub resumed: bool,
    pub(super) role: Role,
    /// How long the server waits for a client that was cut.
    pub(super) linger: Duration,
    pub(super) tokens: Tokens,
    /// None where nothing is sealed.
    pub(super) seal: Option<Seal>,
    /// Received beyond the handshake.
    pub(super) received: Vec<u8>,
    /// The handshake's last bytes, as far as they are not sent.
    pub(super) unsent: Vec<u8>,
    pub(super) resumption: Resumption,
}

/// Which side this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    Client,
    Server,
}

/// The tokens with which a session can be continued.
///
/// The client has one. The server has a second one, the next, from when it hands that out until the client shows that it has
/// it: wherever a connection is cut, the client holds one that is good.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    pub(super) current: Secret,
    pub(super) next: Option<Secret>,
}

impl Tokens {
    pub(super) const fn new(current: Secret) -> Self {
        Self { current, next: None }
    }

    /// The peer has the next token: the one before is worth nothing from now on.
    pub(super) fn confirm(&mut self) {
        if let Some(next) = self.next.take() {
            self.current = next;
        }
    }
}

/// How far the two sides had come, as they told each other. All zero for a new session.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Resumption {
    /// How often the session had been continued when the handshake looked at it.
    pub(super) epoch: u64,
    /// The messages that this side said to have received.
    pub(super) told: u64,
    /// The messages that the peer says to have received.
    pub(super) peer_received: u64,
}
