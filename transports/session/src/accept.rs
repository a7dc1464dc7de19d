//! The server's side.

use crate::driver::{Return, start};
use crate::sessions::Registration;
use crate::shake::{Failure, Judge, shake};
use crate::shared::Shared;
use crate::{Incoming, Link, Sessions, SystemRandom};
use dbgsrv_protocol::mux::Role;
use dbgsrv_protocol::session::{Handshake, HandshakeError, ServerConfig, SessionError, SessionId};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A connection becomes no session.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// It broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The two sides do not come together.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The client is too slow.
    #[error("the client did not finish the handshake in time")]
    TimedOut,
    /// The session that it was to continue does not go on.
    #[error("the session can't be continued: {0}")]
    Resume(#[from] SessionError),
}

impl From<Failure> for AcceptError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Io(error) => Self::Io(error),
            Failure::Handshake(error) => Self::Handshake(error),
            Failure::TimedOut => Self::TimedOut,
        }
    }
}

/// What a connection has become.
#[derive(Debug)]
pub enum Accepted {
    /// A new session, and the channels that its client opens.
    New(Link, mpsc::Receiver<Incoming>),
    /// A session goes on.
    Resumed(SessionId),
}

/// Slows down who guesses the password: asked at the moment at which a proof is to be looked at, so that nobody who
/// dawdles on the way there holds up others. A session is continued by its token, without a word to the guard.
pub trait Guard {
    /// A client offers a proof, which counts as wrong until [`Self::right`] says otherwise: it may never come to a
    /// verdict.
    ///
    /// # Errors
    /// Why it is not looked at, in words for the client's user; the client may come again.
    fn guess(&mut self) -> Result<(), String>;

    /// The proof was right.
    fn right(&mut self);
}

/// Nobody: every proof is looked at.
impl Guard for () {
    fn guess(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn right(&mut self) {}
}

/// Takes a connection whose first byte is that of the preface; nothing of it has been read. Passwords may be guessed as
/// fast as they come: see [`accept_guarded`].
///
/// A session whose connection is cut waits for its client to come back, for as long as `config` says.
///
/// # Errors
/// [`AcceptError`]; the peer has been told, within a second, where it listens.
pub async fn accept<S>(stream: S, config: ServerConfig, sessions: &Sessions) -> Result<Accepted, AcceptError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    accept_guarded(stream, config, sessions, &mut ()).await
}

/// As [`accept`], with a guard of the password.
///
/// # Errors
/// As there; a proof that was not looked at is [`HandshakeError::Rejected`].
pub async fn accept_guarded<S>(
    mut stream: S,
    config: ServerConfig,
    sessions: &Sessions,
    guard: &mut impl Guard,
) -> Result<Accepted, AcceptError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let linger = config.linger;
    let mut handshake = Handshake::server(config, &mut SystemRandom);
    let mut doorkeeper = Doorkeeper { sessions, guard, guessed: false, continued: None };
    let established = shake(&mut stream, &mut handshake, &mut doorkeeper).await?;
    let id = established.id;
    if let Some(shared) = doorkeeper.continued {
        shared.with(|state| state.resume(*established, Box::new(stream)))?;
        tracing::debug!(session = %id, "resumed");
        return Ok(Accepted::Resumed(id));
    }
    let (link, incoming) = start(*established, Role::Server, Box::new(stream), |shared| Linger {
        linger,
        _registration: sessions.register(id, shared),
    });
    Ok(Accepted::New(link, incoming))
}

/// What a server knows during a handshake.
struct Doorkeeper<'a, G> {
    sessions: &'a Sessions,
    guard: &'a mut G,
    guessed: bool,
    /// The session that the client continues.
    continued: Option<Arc<Shared>>,
}

impl<G: Guard> Judge for Doorkeeper<'_, G> {
    fn resumes(&mut self, handshake: &mut Handshake, id: SessionId) {
        self.continued = self.sessions.find(id);
        match &self.continued {
            Some(shared) => shared.with(|state| handshake.resume_session(state.resumable())),
            None => handshake.resume_session(None),
        }
    }

    fn guesses(&mut self) -> Result<(), String> {
        self.guessed = true;
        self.guard.guess()
    }

    fn established(&mut self) {
        if self.guessed {
            self.guard.right();
        }
    }
}

/// The server waits for its client to come back.
struct Linger {
    linger: Duration,
    _registration: Registration,
}

impl Return for Linger {
    async fn wait(&mut self, shared: &Shared) -> Result<(), String> {
        let gone = |_| format!("the client did not come back within {} seconds", self.linger.as_secs());
        timeout(self.linger, shared.settled()).await.map_err(gone)
    }
}
