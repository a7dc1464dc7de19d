//! The client's side.

use crate::Link;
use dbgsrv_protocol::session::{ClientConfig, HandshakeError};
use std::future::Future;
use std::io;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

/// Makes connections to the server: the first, and another after each cut.
pub trait Dial: Send + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Connects.
    fn dial(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// There is no session.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No connection.
    #[error("cannot connect: {0}")]
    Dial(#[source] io::Error),
    /// It broke before the session began.
    #[error("the connection broke: {0}")]
    Io(#[source] io::Error),
    /// The two sides do not come together.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The server says nothing.
    #[error("the server does not answer")]
    TimedOut,
}

/// Connects and begins a session. `dial` is kept and used again after a cut.
///
/// # Errors
/// [`ConnectError`].
pub async fn connect<D: Dial>(dial: D, config: ClientConfig) -> Result<Link, ConnectError> {
    let _ = (dial, config);
    unimplemented!()
}
