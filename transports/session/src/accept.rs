//! The server's side.

use crate::driver::{Return, start};
use crate::sessions::Registration;
use crate::shake::{Failure, shake};
use crate::shared::Shared;
use crate::{Incoming, Link, Sessions, SystemRandom};
use dbgsrv_protocol::mux::Role;
use dbgsrv_protocol::session::{Handshake, HandshakeError, ServerConfig, SessionError, SessionId};
use std::io;
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

/// Takes a connection whose first byte is that of the preface; nothing of it has been read.
///
/// A session whose connection is cut waits for its client to come back, for as long as `config` says.
///
/// # Errors
/// [`AcceptError`]; the peer has been told.
pub async fn accept<S>(mut stream: S, config: ServerConfig, sessions: &Sessions) -> Result<Accepted, AcceptError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let linger = config.linger;
    let mut handshake = Handshake::server(config, &mut SystemRandom);
    let mut continued = None;
    let established = shake(&mut stream, &mut handshake, |handshake, id| {
        continued = sessions.find(id);
        match &continued {
            Some(shared) => shared.with(|state| handshake.resume_session(state.resumable())),
            None => handshake.resume_session(None),
        }
    })
    .await?;
    let id = established.id;
    if let Some(shared) = continued {
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
