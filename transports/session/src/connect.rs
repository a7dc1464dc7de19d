//! The client's side.

use crate::driver::{Return, start};
use crate::limits::{FIRST_PAUSE, HANDSHAKE_LIMIT, LONGEST_PAUSE};
use crate::shake::{Failure, shake};
use crate::shared::Shared;
use crate::{Link, SystemRandom};
use dbgsrv_protocol::mux::Role;
use dbgsrv_protocol::session::{ClientConfig, Handshake, HandshakeError, Rejected};
use std::future::Future;
use std::io;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{sleep, timeout};

/// Makes connections to the server: the first, and another after each cut.
pub trait Dial: Send + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Connects.
    fn dial(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// What ties a handshake to the TLS connection that `stream` is inside of; `None` where there is none. It takes the
    /// place of [`ClientConfig::channel_binding`], which is another one after each cut.
    fn channel_binding(&self, _stream: &Self::Stream) -> Option<[u8; 32]> {
        None
    }
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

impl From<Failure> for ConnectError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Io(error) => Self::Io(error),
            Failure::Handshake(error) => Self::Handshake(error),
            Failure::TimedOut => Self::TimedOut,
        }
    }
}

/// Connects and begins a session. `dial` is kept and used again after a cut.
///
/// The first dialling takes as long as `dial` lets it.
///
/// # Errors
/// [`ConnectError`].
pub async fn connect<D: Dial>(mut dial: D, config: ClientConfig) -> Result<Link, ConnectError> {
    let mut stream = dial.dial().await.map_err(ConnectError::Dial)?;
    let of_connection = ClientConfig { channel_binding: dial.channel_binding(&stream), ..config.clone() };
    let mut handshake = Handshake::client(of_connection, &mut SystemRandom);
    let established = shake(&mut stream, &mut handshake, &mut ()).await?;
    let (link, _) = start(*established, Role::Client, Box::new(stream), |_| Redial { dial, config });
    Ok(link)
}

/// The client dials again.
struct Redial<D> {
    dial: D,
    config: ClientConfig,
}

/// How an attempt to come back fails.
enum Attempt {
    /// The next one may do better.
    Again(String),
    /// The session is over.
    Over(String),
}

impl<D: Dial> Return for Redial<D> {
    async fn wait(&mut self, shared: &Shared) -> Result<(), String> {
        let linger = shared.with(|state| state.session.linger());
        tokio::select! {
            returned = self.come_back(shared, linger) => returned,
            () = shared.settled() => Ok(()),
        }
    }
}

impl<D: Dial> Redial<D> {
    /// Dials until the session is resumed, the server knows it no more or has no reason to.
    async fn come_back(&mut self, shared: &Shared, linger: Duration) -> Result<(), String> {
        let mut last = String::from("no attempt came to an end");
        let attempts = async {
            let mut pause = FIRST_PAUSE;
            loop {
                let attempt = timeout(HANDSHAKE_LIMIT, self.attempt(shared)).await;
                match attempt.unwrap_or_else(|_| Err(Attempt::Again(ConnectError::TimedOut.to_string()))) {
                    Ok(()) => return Ok(()),
                    Err(Attempt::Over(text)) => return Err(text),
                    Err(Attempt::Again(text)) => last = text,
                }
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        match timeout(linger, attempts).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("the connection was cut for {} seconds: {last}", linger.as_secs())),
        }
    }

    async fn attempt(&mut self, shared: &Shared) -> Result<(), Attempt> {
        let again = |error: ConnectError| Attempt::Again(error.to_string());
        let mut stream = self.dial.dial().await.map_err(|error| again(ConnectError::Dial(error)))?;
        let config = ClientConfig { channel_binding: self.dial.channel_binding(&stream), ..self.config.clone() };
        let mut handshake = shared.with(|state| Handshake::resume(config, &state.session, &mut SystemRandom));
        let established = match shake(&mut stream, &mut handshake, &mut ()).await {
            Ok(established) => established,
            Err(Failure::Handshake(error @ HandshakeError::Rejected { reason, .. })) if reason != Rejected::Busy => {
                return Err(Attempt::Over(error.to_string()));
            }
            Err(failure) => return Err(again(failure.into())),
        };
        // Where the two sides do not agree, the session has closed itself.
        shared
            .with(|state| state.resume(*established, Box::new(stream)))
            .map_err(|error| Attempt::Again(error.to_string()))
    }
}
