//! Messages over one connection after another: records, acknowledgements, keep-alive, close, resume.

use super::{Established, Facts, Protection, SessionId};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use thiserror::Error;

/// Why a session is closed, for the other side's program; the text beside it is for people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CloseCode {
    /// The side that closes is done.
    Done,
    /// The server ends.
    ServerEnds,
    /// Somebody ended this session through the server.
    Ended,
    /// The other side broke the protocol.
    Protocol,
    /// The connection was cut for longer than the session lingers.
    Lost,
}

/// What ends a session at once.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum SessionError {
    /// A record that was changed, replayed or left out on the way.
    #[error("a record is damaged, repeated or missing")]
    Seal,
    /// A record longer than it may be, of unknown kind or malformed.
    #[error("malformed record: {0}")]
    Malformed(&'static str),
    /// The other side acknowledges what was never sent, or can't be given what it lacks.
    #[error("the two sides do not agree on what was received")]
    Sequence,
}

/// How a session stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// There is a connection.
    Connected,
    /// There is none; the client may come back.
    Cut,
    /// Over: by which side, and why.
    Closed {
        /// By this side.
        here: bool,
        /// Why.
        code: CloseCode,
        /// In words.
        text: String,
    },
}

/// One session, either side. `now` is the time since any fixed moment.
#[derive(Debug)]
pub struct Session {}

impl Session {
    /// Begins a session.
    pub fn new(established: Established, now: Duration) -> Self {
        let _ = (established, now);
        unimplemented!()
    }

    /// Continues on a new connection; one that is still there is given up.
    ///
    /// # Errors
    /// [`SessionError::Sequence`] where the other side lacks what is no longer there.
    pub fn resume(&mut self, established: Established, now: Duration) -> Result<(), SessionError> {
        let _ = (established, now);
        unimplemented!()
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> SessionId {
        unimplemented!()
    }

    /// The other side.
    #[must_use]
    pub fn peer(&self) -> &Facts {
        unimplemented!()
    }

    /// What protects its messages.
    #[must_use]
    pub fn protection(&self) -> Protection {
        unimplemented!()
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> &State {
        unimplemented!()
    }

    /// Where the connection's next bytes are to be received. Never empty while connected, once
    /// [`Self::poll_message`] has given `None`.
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        unimplemented!()
    }

    /// Takes note that the first `count` bytes of [`Self::receive_buffer`] have been filled.
    pub fn received(&mut self, count: usize, now: Duration) {
        let _ = (count, now);
        unimplemented!()
    }

    /// The next message, `None` where more bytes have to come. Its bytes are valid until the next call.
    ///
    /// # Errors
    /// What breaks the session; it is closed then and [`Self::transmit`] tells the peer.
    pub fn poll_message(&mut self) -> Result<Option<&[u8]>, SessionError> {
        unimplemented!()
    }

    /// Whether there is room for one more message: not where too much waits to be sent or acknowledged, or the session is
    /// closed.
    #[must_use]
    pub fn can_send(&self) -> bool {
        unimplemented!()
    }

    /// Sends what `write` appends to the buffer as one message, nothing where it returns false. Of use only where
    /// [`Self::can_send`]; at most [`crate::limits::MAX_MESSAGE`] bytes.
    pub fn send(&mut self, write: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
        let _ = write(&mut Vec::new());
        unimplemented!()
    }

    /// Bytes to send on the connection.
    #[must_use]
    pub fn transmit(&self) -> &[u8] {
        unimplemented!()
    }

    /// Takes note that the first `count` bytes of [`Self::transmit`] have been sent.
    pub fn transmitted(&mut self, count: usize, now: Duration) {
        let _ = (count, now);
        unimplemented!()
    }

    /// The connection is gone.
    pub fn cut(&mut self) {
        unimplemented!()
    }

    /// Closes the session; [`Self::transmit`] tells the peer.
    pub fn close(&mut self, code: CloseCode, text: &str) {
        let _ = (code, text);
        unimplemented!()
    }

    /// When [`Self::handle_timeout`] is to be called next.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        unimplemented!()
    }

    /// Sends a sign of life, or gives up a connection on which nothing came for too long (the state is [`State::Cut`] then).
    pub fn handle_timeout(&mut self, now: Duration) {
        let _ = now;
        unimplemented!()
    }
}
