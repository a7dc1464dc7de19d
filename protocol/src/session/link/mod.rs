//! Messages over one connection after another: records, acknowledgements, keep-alive, close, resume.

mod connection;
mod input;
mod output;
mod record;
mod retained;

pub use record::CloseCode;

use self::connection::Connection;
use self::record::{Control, MESSAGE};
use self::retained::Retained;
use super::established::{Role, Tokens};
use super::text::cut;
use super::{Established, Facts, Protection, SessionId};
use crate::limits::{ACK_BYTES, ACK_DELAY, ACK_MESSAGES, DEAD_AFTER, MAX_CLOSE_TEXT, MAX_UNACKNOWLEDGED, PING_AFTER};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use thiserror::Error;

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
    /// The session was continued on another connection while this one's handshake went on. It is not harmed.
    #[error("the session went on elsewhere meanwhile")]
    Overtaken,
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

/// What was received and not acknowledged yet.
#[derive(Debug, Default)]
struct Receipt {
    /// Messages since the session began.
    messages: u64,
    /// How many of those the peer was told of.
    told: u64,
    /// Bytes of the messages that the peer was not told of.
    bytes: usize,
    /// When the oldest of them came.
    since: Duration,
    /// Messages to come that are here already: they came while the handshake of this connection went on.
    repeated: u64,
}

/// One session, either side. `now` is the time since any fixed moment.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    peer: Facts,
    role: Role,
    protection: Protection,
    authenticated: bool,
    linger: Duration,
    tokens: Tokens,
    /// How often it was continued.
    epoch: u64,
    state: State,
    retained: Retained,
    receipt: Receipt,
    /// Kept after the end as long as there is something to send.
    connection: Option<Box<Connection>>,
    /// The last time of which the session was told.
    now: Duration,
}

impl Session {
    /// Begins a session.
    #[must_use]
    pub fn new(established: Established, now: Duration) -> Self {
        let Established { seal, received, unsent, .. } = established;
        Self {
            id: established.id,
            peer: established.peer,
            role: established.role,
            protection: established.protection,
            authenticated: established.authenticated,
            linger: established.linger,
            tokens: established.tokens,
            epoch: 0,
            state: State::Connected,
            retained: Retained::default(),
            receipt: Receipt::default(),
            connection: Some(Box::new(Connection::new(seal, &received, unsent, now))),
            now,
        }
    }

    /// Continues on a new connection; one that is still there is given up.
    ///
    /// # Errors
    /// [`SessionError::Sequence`] where the other side lacks what is no longer there, which ends the session;
    /// [`Self::transmit`] tells the peer. [`SessionError::Overtaken`] where this handshake looked at the session before it
    /// was continued otherwise, or was closed, or is another session's: only the new connection is to be closed.
    pub fn resume(&mut self, established: Established, now: Duration) -> Result<(), SessionError> {
        let Established { seal, received, unsent, resumption, .. } = established;
        let is_open = matches!(self.state, State::Connected | State::Cut);
        if !is_open || !established.resumed || self.id != established.id || self.epoch != resumption.epoch {
            return Err(SessionError::Overtaken);
        }
        self.epoch += 1;
        self.peer = established.peer;
        self.protection = established.protection;
        self.linger = established.linger;
        self.tokens = established.tokens;
        self.state = State::Connected;
        self.receipt.repeated = self.receipt.messages - resumption.told;
        self.receipt.told = self.receipt.messages;
        self.receipt.bytes = 0;
        let mut connection = Connection::new(seal, &received, unsent, now);
        // Shows the server that the new token has arrived.
        connection.ack_due = self.role == Role::Client;
        self.connection = Some(Box::new(connection));
        self.now = now;
        if !self.retained.rewind(resumption.peer_received) {
            return Err(self.fail(SessionError::Sequence));
        }
        self.pump();
        Ok(())
    }

    /// Where the connection's next bytes are to be received. Never empty while connected, once
    /// [`Self::poll_message`] has given `None`.
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        match (&self.state, &mut self.connection) {
            (State::Connected, Some(connection)) => connection.input.receive_buffer(),
            _ => &mut [],
        }
    }

    /// Takes note that the first `count` bytes of [`Self::receive_buffer`] have been filled.
    ///
    /// # Panics
    /// If the buffer was shorter.
    pub fn received(&mut self, count: usize, now: Duration) {
        self.now = now;
        if let (State::Connected, Some(connection)) = (&self.state, &mut self.connection) {
            connection.input.received(count);
            connection.heard(now);
        }
    }

    /// The next message, `None` where more bytes have to come. Its bytes are valid until the next call.
    ///
    /// # Errors
    /// What breaks the session; it is closed then and [`Self::transmit`] tells the peer.
    pub fn poll_message(&mut self) -> Result<Option<&[u8]>, SessionError> {
        match self.next_message() {
            Ok(true) => Ok(self.connection.as_ref().map(|connection| &connection.plain()[1..])),
            Ok(false) => Ok(None),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Whether there is room for one more message: not where too much waits to be sent or acknowledged, or the session is
    /// cut or closed.
    #[must_use]
    pub fn can_send(&self) -> bool {
        let has_room = self.connection.as_ref().is_some_and(|connection| connection.has_room());
        self.state == State::Connected
            && has_room
            && !self.retained.has_next()
            && self.retained.len() < MAX_UNACKNOWLEDGED
    }

    /// Sends what `write` appends to the buffer as one message, nothing where it returns false. Without
    /// [`Self::can_send`] it is not called.
    ///
    /// # Panics
    /// If it appends more than [`MAX_MESSAGE`](crate::limits::MAX_MESSAGE) bytes.
    pub fn send(&mut self, write: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
        if !self.can_send() || !self.retained.push(write) {
            return false;
        }
        self.pump();
        true
    }

    /// Takes note that the first `count` bytes of [`Self::transmit`] have been sent.
    ///
    /// # Panics
    /// If there were fewer.
    pub fn transmitted(&mut self, count: usize, now: Duration) {
        self.now = now;
        if let Some(connection) = &mut self.connection {
            connection.output.sent(count);
        }
        self.pump();
    }

    /// The connection is gone.
    pub fn cut(&mut self) {
        self.connection = None;
        if self.state == State::Connected {
            self.state = State::Cut;
        }
    }

    /// Closes the session; [`Self::transmit`] tells the peer, after the messages that were sent before. What comes from the
    /// peer is of no interest any more.
    pub fn close(&mut self, code: CloseCode, text: &str) {
        if matches!(self.state, State::Closed { .. }) {
            return;
        }
        let text = cut(text, MAX_CLOSE_TEXT).to_string();
        if let Some(connection) = &mut self.connection {
            connection.close = Some(Control::Close(code, text.clone()));
        }
        self.state = State::Closed { here: true, code, text };
        self.pump();
    }

    /// Sends a sign of life, or gives up a connection on which nothing came for too long (the state is [`State::Cut`] then).
    pub fn handle_timeout(&mut self, now: Duration) {
        self.now = now;
        let (State::Connected, Some(connection)) = (&self.state, &mut self.connection) else { return };
        if now >= connection.last_heard + DEAD_AFTER {
            self.cut();
            return;
        }
        if now >= connection.next_ping {
            connection.ping_due = true;
            connection.next_ping = now + PING_AFTER;
        }
        if self.receipt.messages > self.receipt.told && now >= self.receipt.since + ACK_DELAY {
            connection.ack_due = true;
        }
        self.pump();
    }

    /// Bytes to send on the connection.
    #[must_use]
    pub fn transmit(&self) -> &[u8] {
        self.connection.as_ref().map_or(&[], |connection| connection.output.pending())
    }

    /// When [`Self::handle_timeout`] is to be called next.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let (State::Connected, Some(connection)) = (&self.state, &self.connection) else { return None };
        let alive = connection.next_ping.min(connection.last_heard + DEAD_AFTER);
        // An acknowledgement that is due waits for the transmit buffer, not for the clock.
        let ack = self.receipt.messages > self.receipt.told && !connection.ack_due;
        Some(if ack { alive.min(self.receipt.since + ACK_DELAY) } else { alive })
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// The other side.
    #[must_use]
    pub const fn peer(&self) -> &Facts {
        &self.peer
    }

    /// What protects its messages.
    #[must_use]
    pub const fn protection(&self) -> Protection {
        self.protection
    }

    /// Whether the peer has proved to know the password when the session began.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// How long the server keeps the session while it is cut.
    #[must_use]
    pub const fn linger(&self) -> Duration {
        self.linger
    }

    /// How it stands.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    pub(super) const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(super) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Messages received since the session began.
    pub(super) const fn received_messages(&self) -> u64 {
        self.receipt.messages
    }

    /// Takes records until one is a message, which then is the connection's plain record.
    fn next_message(&mut self) -> Result<bool, SessionError> {
        while let (State::Connected, Some(connection)) = (&self.state, &mut self.connection) {
            if !connection.next_record()? {
                return Ok(false);
            }
            // Whatever it is, only who took part in the handshake can have sent it.
            self.tokens.confirm();
            let (kind, payload) =
                connection.plain().split_first().ok_or(SessionError::Malformed("a record is empty"))?;
            if *kind != MESSAGE {
                let control = Control::read(*kind, payload)?;
                self.handle_control(control)?;
            } else if self.receipt.repeated > 0 {
                self.receipt.repeated -= 1;
            } else {
                let length = payload.len();
                self.handle_message(length)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn handle_message(&mut self, length: usize) -> Result<(), SessionError> {
        if length > crate::limits::MAX_MESSAGE {
            return Err(SessionError::Malformed("a message is longer than it may be"));
        }
        let receipt = &mut self.receipt;
        if receipt.messages == receipt.told {
            receipt.since = self.now;
        }
        receipt.messages += 1;
        receipt.bytes += length;
        if (receipt.messages - receipt.told >= ACK_MESSAGES || receipt.bytes >= ACK_BYTES)
            && let Some(connection) = &mut self.connection
        {
            connection.ack_due = true;
            self.pump();
        }
        Ok(())
    }

    fn handle_control(&mut self, control: Control) -> Result<(), SessionError> {
        match control {
            Control::Ack(received) => {
                if !self.retained.acknowledge(received) {
                    return Err(SessionError::Sequence);
                }
            }
            Control::Ping => {
                if let Some(connection) = &mut self.connection {
                    connection.pong_due = true;
                }
                self.pump();
            }
            Control::Pong => {}
            Control::Close(code, text) => {
                self.connection = None;
                self.state = State::Closed { here: false, code, text };
            }
        }
        Ok(())
    }

    /// Ends the session, before anything else that waits to be sent.
    fn fail(&mut self, error: SessionError) -> SessionError {
        let text = error.to_string();
        if let Some(connection) = &mut self.connection {
            connection.put(&Control::Close(CloseCode::Protocol, text.clone()));
            connection.is_finished = true;
        }
        self.state = State::Closed { here: true, code: CloseCode::Protocol, text };
        error
    }

    /// Puts into the transmit buffer what is due, as far as there is room.
    fn pump(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        let receipt = &mut self.receipt;
        while connection.has_room() && !connection.is_finished {
            if core::mem::take(&mut connection.pong_due) {
                connection.put(&Control::Pong);
            } else if core::mem::take(&mut connection.ping_due) {
                connection.put(&Control::Ping);
            } else if core::mem::take(&mut connection.ack_due) {
                receipt.told = receipt.messages;
                receipt.bytes = 0;
                connection.put(&Control::Ack(receipt.messages));
            } else if let Some(record) = self.retained.next_record() {
                connection.put_record(record);
                // It goes along with the message: no packet of its own.
                connection.ack_due =
                    receipt.messages - receipt.told >= ACK_MESSAGES / 2 || receipt.bytes >= ACK_BYTES / 2;
            } else if let Some(close) = connection.close.take() {
                connection.put(&close);
                connection.is_finished = true;
            } else {
                break;
            }
        }
    }
}
