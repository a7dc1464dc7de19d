//! Takes a handshake over a byte stream.

use crate::limits::{HANDSHAKE_LIMIT, TELL_LIMIT};
use dbgsrv_protocol::session::{Established, Handshake, HandshakeError, Progress, Rejected, SessionId};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Why there is no session on a connection.
#[derive(Debug)]
pub(crate) enum Failure {
    Io(io::Error),
    Handshake(HandshakeError),
    TimedOut,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<HandshakeError> for Failure {
    fn from(error: HandshakeError) -> Self {
        Self::Handshake(error)
    }
}

/// What a server says to its client's wishes.
pub(crate) trait Judge {
    /// Answers a client that wants to continue a session.
    fn resumes(&mut self, handshake: &mut Handshake, id: SessionId);

    /// The client offers its proof of the password.
    ///
    /// # Errors
    /// Why it is not looked at.
    fn guesses(&mut self) -> Result<(), String>;

    /// The handshake has come to an end: whoever offered a proof offered the right one.
    fn established(&mut self);
}

/// A client's: it is not asked.
impl Judge for () {
    fn resumes(&mut self, _: &mut Handshake, _: SessionId) {}

    fn guesses(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn established(&mut self) {}
}

/// Shakes hands within [`HANDSHAKE_LIMIT`].
///
/// # Errors
/// [`Failure`]; the peer has been told.
pub(crate) async fn shake<S>(
    stream: &mut S,
    handshake: &mut Handshake,
    judge: &mut impl Judge,
) -> Result<Box<Established>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failure = match timeout(HANDSHAKE_LIMIT, establish(stream, handshake, judge)).await {
        Ok(Ok(established)) => return Ok(established),
        Ok(Err(failure)) => failure,
        Err(_) => {
            handshake.reject(Rejected::Protocol, "the handshake takes too long");
            Failure::TimedOut
        }
    };
    tell(stream, handshake).await;
    Err(failure)
}

async fn establish<S>(
    stream: &mut S,
    handshake: &mut Handshake,
    judge: &mut impl Judge,
) -> Result<Box<Established>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let progress = handshake.poll()?;
        // Before anything is waited for: meanwhile others might guess.
        if let Progress::Established(_) = progress {
            judge.established();
        }
        send(stream, handshake).await?;
        match progress {
            Progress::Established(established) => return Ok(established),
            Progress::Resumes(id) => judge.resumes(handshake, id),
            Progress::Guesses => {
                if let Err(text) = judge.guesses() {
                    handshake.reject(Rejected::Busy, &text);
                }
            }
            Progress::Pending => {
                let count = stream.read(handshake.receive_buffer()).await?;
                if count == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                }
                handshake.received(count);
            }
        }
    }
}

/// Cancel safe: what was sent is noted at once.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, handshake: &mut Handshake) -> io::Result<()> {
    while !handshake.transmit().is_empty() {
        let count = stream.write(handshake.transmit()).await?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        handshake.transmitted(count);
    }
    stream.flush().await
}

/// Sends a peer that is turned away the reason, and leaves it the time to read it.
async fn tell<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, handshake: &mut Handshake) {
    if handshake.transmit().is_empty() {
        return;
    }
    let told = async {
        send(stream, handshake).await?;
        hang_up(stream).await
    };
    // The connection is given up whether that works or not.
    let _ = timeout(TELL_LIMIT, told).await;
}

/// Ends the sending and waits for the other side to do so too: closing a socket that has unread bytes may destroy what was
/// sent on it before the peer has read it.
pub(crate) async fn hang_up<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<()> {
    stream.shutdown().await?;
    let mut scratch = [0; 1024];
    while stream.read(&mut scratch).await? > 0 {}
    Ok(())
}
