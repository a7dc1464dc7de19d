//! A connection's beginning: versions, authentication, keys.
//!
//! ```text
//!  client ── Hello ──▶ server    what is spoken, a new session or which one
//!         ◀─ Answer ──           what is chosen; the password's message
//!         ── Prove ──▶           the password's or token's proof, keys, facts
//!         ◀─ Proof ───           the same, and the session's id and token
//! ```

mod client;
mod config;
mod error;
mod method;
mod server;
mod wire;

pub use config::{Access, ClientConfig, ServerConfig};
pub use error::{HandshakeError, Rejected};

use self::client::Client;
use self::server::Server;
use self::wire::Wire;
use super::crypto::Noise;
use super::{Established, Random, Session, SessionId};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

/// What this release has beyond version 1: nothing yet.
const FEATURES: u64 = 0;

/// The purposes of a hello.
const NEW: u8 = 0;
const RESUME: u8 = 1;

/// How far a handshake is.
#[derive(Debug)]
pub enum Progress {
    /// More bytes have to come or go.
    Pending,
    /// Server: the client resumes this session; answer with [`Handshake::resume_session`].
    Resumes(SessionId),
    /// Server: the client offers its proof that it knows the password. The next [`Handshake::poll`] looks at it, unless
    /// [`Handshake::reject`] comes first: then it was no guess.
    Guesses,
    /// Done. What has been received beyond it is inside, and so is what was not sent yet.
    Established(Box<Established>),
}

impl Progress {
    fn established(established: Established) -> Self {
        Self::Established(Box::new(established))
    }
}

/// The handshake of one connection, either side.
#[derive(Debug)]
pub struct Handshake {
    wire: Wire,
    side: Side,
    failed: Option<HandshakeError>,
}

#[derive(Debug)]
enum Side {
    Client(Client),
    Server(Server),
}

impl Handshake {
    /// The client's side, for a new session.
    pub fn client(config: ClientConfig, random: &mut dyn Random) -> Self {
        let mut wire = Wire::new();
        let side = Side::Client(Client::new(config, None, random, &mut wire));
        Self { wire, side, failed: None }
    }

    /// The client's side, to continue `session` on a new connection. The session has to be cut before: what it received
    /// from now on would be sent twice.
    pub fn resume(config: ClientConfig, session: &Session, random: &mut dyn Random) -> Self {
        let mut wire = Wire::new();
        let side = Side::Client(Client::new(config, Some(session), random, &mut wire));
        Self { wire, side, failed: None }
    }

    /// The server's side.
    pub fn server(config: ServerConfig, random: &mut dyn Random) -> Self {
        Self { wire: Wire::new(), side: Side::Server(Server::new(config, random)), failed: None }
    }

    /// Where the next bytes are to be received. Never empty before the handshake is done, if [`Self::poll`] comes after
    /// each [`Self::received`].
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        self.wire.receive_buffer()
    }

    /// Takes note that the first `count` bytes of [`Self::receive_buffer`] have been filled.
    ///
    /// # Panics
    /// If the buffer was shorter.
    pub fn received(&mut self, count: usize) {
        self.wire.received(count);
    }

    /// Goes on as far as the bytes that are there go. After an error, what is left in [`Self::transmit`] tells the peer
    /// why; then the connection is to be closed.
    ///
    /// # Errors
    /// Why there will be no session on this connection.
    pub fn poll(&mut self) -> Result<Progress, HandshakeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let progress = match &mut self.side {
            Side::Client(client) => client.poll(&mut self.wire),
            Side::Server(server) => server.poll(&mut self.wire),
        };
        progress.inspect_err(|error| self.fail(error.clone()))
    }

    /// Server: answers [`Progress::Resumes`] with the session as it stands, `None` where there is none. The next
    /// [`Self::poll`] says what came of it.
    ///
    /// Where the session's connection is still there, it may go on until [`Session::resume`].
    pub fn resume_session(&mut self, session: Option<&Session>) {
        if let Side::Server(server) = &mut self.side
            && let Err(error) = server.resume_session(session, &mut self.wire)
        {
            self.fail(error);
        }
    }

    /// Server: refuses the client, at any point before the end.
    pub fn reject(&mut self, reason: Rejected, text: &str) {
        self.tell(reason, text);
        self.failed = Some(HandshakeError::Rejected { reason, text: text.to_owned() });
    }

    /// Bytes to send.
    #[must_use]
    pub fn transmit(&self) -> &[u8] {
        self.wire.transmit()
    }

    /// Takes note that the first `count` bytes of [`Self::transmit`] have been sent.
    ///
    /// # Panics
    /// If there were fewer.
    pub fn transmitted(&mut self, count: usize) {
        self.wire.transmitted(count);
    }

    fn fail(&mut self, error: HandshakeError) {
        if let Some(reason) = error.rejection() {
            self.tell(reason, &error.to_string());
        }
        self.failed = Some(error);
    }

    /// Only a server turns somebody away; a client leaves.
    fn tell(&mut self, reason: Rejected, text: &str) {
        if let Side::Server(server) = &self.side {
            self.wire.reject(reason, text, server.config.versions, &server.config.facts.release);
        }
    }
}

/// What the last part of a proof says, sealed or not.
fn open_tail(noise: Option<&mut Noise>, tail: &[u8]) -> Result<Vec<u8>, HandshakeError> {
    match noise {
        None => Ok(tail.to_vec()),
        Some(noise) => noise.read(tail).ok_or(HandshakeError::Malformed("what is sealed does not open")),
    }
}
