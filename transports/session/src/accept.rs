//! The server's side.

use crate::{Incoming, Link};
use dbgsrv_protocol::session::{HandshakeError, ServerConfig, SessionId};
use std::io;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

/// The sessions of one server, by their ids: a connection may continue one.
#[derive(Clone, Debug, Default)]
pub struct Sessions {}

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
/// A session whose connection is cut waits `linger` for its client to come back.
///
/// # Errors
/// [`AcceptError`]; the peer has been told.
pub async fn accept<S>(
    stream: S,
    config: ServerConfig,
    sessions: &Sessions,
    linger: Duration,
) -> Result<Accepted, AcceptError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let _ = (stream, config, sessions, linger);
    unimplemented!()
}
