//! Messages over one connection after another: records, acknowledgements, keep-alive, close, resume.

mod connection;
mod input;
mod output;
mod receipt;
mod record;
mod retained;
mod state;

pub use record::CloseCode;
pub use state::{SessionError, State};

use self::connection::{Connection, Ending};
use self::receipt::Receipt;
use self::record::{Control, MESSAGE};
use self::retained::Retained;
use super::established::{Role, Tokens};
use super::text::cut;
use super::{Established, Facts, Protection, SessionId};
use crate::limits::{DEAD_AFTER, MAX_CLOSE_TEXT, MAX_MESSAGE, MAX_UNACKNOWLEDGED};
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

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
        self.receipt.reconnect(resumption.told);
        let mut connection = Connection::new(seal, &received, unsent, now);
        // Shows the server that the new token has arrived.
        connection.due.ack = self.role == Role::Client;
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
    /// If it appends more than [`MAX_MESSAGE`] bytes.
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
            connection.spoke(count, now);
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
            connection.ending = Ending::Due(Control::Close(code, text.clone()));
        }
        self.state = State::Closed { here: true, code, text };
        self.pump();
    }

    /// Sends signs of life, or gives up a connection on which nothing came for too long (the state is [`State::Cut`] then).
    pub fn handle_timeout(&mut self, now: Duration) {
        self.now = now;
        let (State::Connected, Some(connection)) = (&self.state, &mut self.connection) else { return };
        if now >= connection.last_heard + DEAD_AFTER {
            self.cut();
            return;
        }
        connection.give_signs(now);
        if self.receipt.deadline().is_some_and(|deadline| now >= deadline) {
            connection.due.ack = true;
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
        let alive = connection.next_ping.min(connection.next_sign).min(connection.last_heard + DEAD_AFTER);
        // An acknowledgement that is due waits for the transmit buffer, not for the clock.
        let ack = self.receipt.deadline().filter(|_| !connection.due.ack);
        Some(ack.map_or(alive, |ack| alive.min(ack)))
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
        self.receipt.messages()
    }

    /// Whether the peer has acknowledged all messages.
    #[cfg(test)]
    pub(super) const fn is_acknowledged(&self) -> bool {
        self.retained.len() == 0
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
                continue;
            }
            if payload.len() > MAX_MESSAGE {
                return Err(SessionError::Malformed("a message is longer than it may be"));
            }
            let is_new = self.receipt.receive(payload.len(), self.now);
            if self.receipt.is_due() {
                connection.due.ack = true;
                self.pump();
            }
            if is_new {
                return Ok(true);
            }
        }
        Ok(false)
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
                    connection.due.pong = true;
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
            connection.end(&Control::Close(CloseCode::Protocol, text.clone()));
        }
        self.state = State::Closed { here: true, code: CloseCode::Protocol, text };
        error
    }

    /// Puts into the transmit buffer what is due, as far as there is room.
    fn pump(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        while connection.has_room() {
            if core::mem::take(&mut connection.due.pong) {
                connection.put(&Control::Pong);
            } else if core::mem::take(&mut connection.due.ping) {
                connection.put(&Control::Ping);
            } else if core::mem::take(&mut connection.due.ack) {
                connection.put(&Control::Ack(self.receipt.tell()));
            } else if let Some(record) = self.retained.next_record() {
                connection.put_record(record);
                // It goes along with the message: no packet of its own.
                connection.due.ack = self.receipt.is_worth_telling();
            } else if let Ending::Due(close) = &connection.ending {
                let close = close.clone();
                connection.end(&close);
            } else {
                break;
            }
        }
    }
}
