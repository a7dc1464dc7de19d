//! A connection's beginning: versions, authentication, keys.

use super::{Facts, Random, Session, SessionId, Versions};
use crate::options::Password;
use alloc::boxed::Box;
use alloc::string::String;
use thiserror::Error;

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
}

/// Why a handshake fails.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The other side speaks something else.
    #[error("the other side does not speak dbgsrv's protocol")]
    NotOurs,
    /// No version in common.
    #[error("versions {ours} are spoken here (release {our_release}), {theirs} there (release {their_release})")]
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
    /// The server does not protect a connection that leaves the machine.
    #[error("the server does not encrypt, and the connection leaves this machine")]
    Unprotected,
    /// The server refused.
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

/// How far a handshake is.
#[derive(Debug)]
pub enum Progress {
    /// More bytes have to come or go.
    Pending,
    /// Server: the client resumes this session; answer with [`Handshake::resume_session`].
    Resumes(SessionId),
    /// Done. What has been received beyond it is inside.
    Established(Box<Established>),
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
}

/// The handshake of one connection, either side.
#[derive(Debug)]
pub struct Handshake {}

impl Handshake {
    /// The client's side, for a new session.
    pub fn client(config: ClientConfig, random: &mut dyn Random) -> Self {
        let _ = (config, random);
        unimplemented!()
    }

    /// The client's side, to continue `session` on a new connection.
    pub fn resume(config: ClientConfig, session: &Session, random: &mut dyn Random) -> Self {
        let _ = (config, session, random);
        unimplemented!()
    }

    /// The server's side.
    pub fn server(config: ServerConfig, random: &mut dyn Random) -> Self {
        let _ = (config, random);
        unimplemented!()
    }

    /// Where the next bytes are to be received. Never empty before the handshake is done.
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        unimplemented!()
    }

    /// Takes note that the first `count` bytes of [`Self::receive_buffer`] have been filled.
    pub fn received(&mut self, count: usize) {
        let _ = count;
        unimplemented!()
    }

    /// Goes on as far as the bytes that are there go. After an error, what is left in [`Self::transmit`] tells the peer
    /// why; then the connection is to be closed.
    ///
    /// # Errors
    /// Why there will be no session on this connection.
    pub fn poll(&mut self) -> Result<Progress, HandshakeError> {
        unimplemented!()
    }

    /// Server: answers [`Progress::Resumes`] with the session as it stands, `None` where there is none.
    pub fn resume_session(&mut self, session: Option<&Session>) {
        let _ = session;
        unimplemented!()
    }

    /// Server: refuses the client, at any point before the end.
    pub fn reject(&mut self, reason: Rejected, text: &str) {
        let _ = (reason, text);
        unimplemented!()
    }

    /// Bytes to send.
    #[must_use]
    pub fn transmit(&self) -> &[u8] {
        unimplemented!()
    }

    /// Takes note that the first `count` bytes of [`Self::transmit`] have been sent.
    pub fn transmitted(&mut self, count: usize) {
        let _ = count;
        unimplemented!()
    }
}
