//! What was received, and how much of it the peer knows.

use crate::limits::{ACK_BYTES, ACK_DELAY, ACK_MESSAGES};
use core::time::Duration;

/// The messages that were received.
#[derive(Debug, Default)]
pub(super) struct Receipt {
    /// Since the session began.
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

impl Receipt {
    /// Takes note of a message. False where it is here already.
    pub(super) const fn receive(&mut self, length: usize, now: Duration) -> bool {
        if !self.is_owed() {
            self.since = now;
        }
        self.bytes += length;
        if self.repeated > 0 {
            self.repeated -= 1;
            return false;
        }
        self.messages += 1;
        true
    }

    /// The peer is told of all that was received; the number to be told.
    pub(super) const fn tell(&mut self) -> u64 {
        self.told = self.seen();
        self.bytes = 0;
        self.told
    }

    /// A new connection, in whose handshake the peer was told of `told` messages.
    pub(super) const fn reconnect(&mut self, told: u64) {
        self.repeated = self.messages - told;
        self.told = told;
        self.bytes = 0;
    }

    /// Messages received since the session began.
    pub(super) const fn messages(&self) -> u64 {
        self.messages
    }

    /// Whether so much was received that the peer has to be told at once.
    pub(super) const fn is_due(&self) -> bool {
        self.seen() - self.told >= ACK_MESSAGES || self.bytes >= ACK_BYTES
    }

    /// Whether it is worth telling the peer along with a message.
    pub(super) const fn is_worth_telling(&self) -> bool {
        self.seen() - self.told >= ACK_MESSAGES / 2 || self.bytes >= ACK_BYTES / 2
    }

    /// When the peer has to be told at the latest.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.is_owed().then(|| self.since + ACK_DELAY)
    }

    const fn is_owed(&self) -> bool {
        self.seen() > self.told
    }

    /// What the peer knows to have sent: it can't be told of messages that this connection has not brought yet.
    const fn seen(&self) -> u64 {
        self.messages - self.repeated
    }
}
