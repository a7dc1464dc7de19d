//! What a session has of its connection.

use super::SessionError;
use super::input::Input;
use super::output::Output;
use super::record::Control;
use crate::limits::{MAX_RECORD, MAX_UNSENT, PING_AFTER};
use crate::session::crypto::Seal;
use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

/// One connection of a session.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) input: Input,
    pub(super) output: Output,
    seal: Option<Seal>,
    /// The last record, where it was sealed.
    opened: Vec<u8>,
    /// Where the last record is: in `opened`, or in the input where nothing is sealed.
    plain: Range<usize>,
    /// When bytes last came.
    pub(super) last_heard: Duration,
    pub(super) next_ping: Duration,
    /// When the peer is to hear something, unless it has until then.
    pub(super) next_sign: Duration,
    /// What is to be sent as soon as there is room.
    pub(super) due: Due,
    pub(super) ending: Ending,
}

/// Records that are to be sent once, however often there was reason to.
#[derive(Debug, Default)]
pub(super) struct Due {
    pub(super) ping: bool,
    pub(super) pong: bool,
    pub(super) ack: bool,
}

/// Whether anything is sent on.
#[derive(Debug)]
pub(super) enum Ending {
    Open,
    /// This record closes the session, once all messages are written.
    Due(Control),
    /// It was written; nothing follows it.
    Written,
}

impl Connection {
    pub(super) fn new(seal: Option<Seal>, received: &[u8], unsent: Vec<u8>, now: Duration) -> Self {
        Self {
            input: Input::new(received),
            output: Output::new(unsent),
            seal,
            opened: Vec::new(),
            plain: 0..0,
            last_heard: now,
            next_ping: now + PING_AFTER,
            next_sign: now + PING_AFTER,
            due: Due::default(),
            ending: Ending::Open,
        }
    }

    /// Bytes have come: the peer is alive.
    pub(super) fn heard(&mut self, now: Duration) {
        self.last_heard = now;
        self.next_ping = now + PING_AFTER;
    }

    /// So many bytes have gone. Where there were some, the peer knows that this side is alive.
    pub(super) fn spoke(&mut self, count: usize, now: Duration) {
        self.output.sent(count);
        if count > 0 {
            self.next_sign = now + PING_AFTER;
        }
    }

    /// Has a ping sent where nothing has come for long, and a pong unasked where nothing has gone: what comes may be one long
    /// record of a slow line, which gives no reason to say anything.
    pub(super) fn give_signs(&mut self, now: Duration) {
        if now >= self.next_ping {
            self.due.ping = true;
            (self.next_ping, self.next_sign) = (now + PING_AFTER, now + PING_AFTER);
        } else if now >= self.next_sign {
            self.due.pong = true;
            self.next_sign = now + PING_AFTER;
        }
    }

    /// Takes the next record, which [`Self::plain`] then is. False where more bytes have to come.
    pub(super) fn next_record(&mut self) -> Result<bool, SessionError> {
        let Some(record) = self.input.next_record()? else { return Ok(false) };
        let Some(seal) = &mut self.seal else {
            self.plain = record;
            return Ok(true);
        };
        let sealed = self.input.bytes(record);
        if self.opened.len() < sealed.len() {
            self.opened.resize(sealed.len().next_power_of_two().min(MAX_RECORD), 0);
        }
        self.plain = 0..seal.open(sealed, &mut self.opened).ok_or(SessionError::Seal)?;
        Ok(true)
    }

    /// The kind and the payload of the last record.
    pub(super) fn plain(&self) -> &[u8] {
        match self.seal {
            Some(_) => &self.opened[self.plain.clone()],
            None => self.input.bytes(self.plain.clone()),
        }
    }

    /// Whether another record may be written.
    pub(super) fn has_room(&self) -> bool {
        self.output.pending().len() < MAX_UNSENT && !matches!(self.ending, Ending::Written)
    }

    /// Writes the last record.
    pub(super) fn end(&mut self, close: &Control) {
        self.put(close);
        self.ending = Ending::Written;
    }

    pub(super) fn put(&mut self, control: &Control) {
        self.output.control(control, self.seal.as_mut());
    }

    /// A record with its length in front.
    pub(super) fn put_record(&mut self, record: &[u8]) {
        self.output.record(record, self.seal.as_mut());
    }
}
