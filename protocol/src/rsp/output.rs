//! What is on its way to the other side: packets, acknowledgements, and the last packet in case it got lost.

use alloc::vec::Vec;
use core::mem;

use super::buffer::Quiet;
use super::packet;
use crate::limits::{MAX_RETRANSMISSIONS, SMALL_BUFFER};

/// The transmit buffer, and the acknowledgements of the peers.
#[derive(Debug, Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    /// So many of them have been sent.
    sent: usize,
    quiet: Quiet,
    no_ack: bool,
    /// The last packet, while acknowledgements are on and none has come for it.
    unacknowledged: Vec<u8>,
    retransmissions: u8,
}

impl Output {
    /// Appends a packet: what `write` appends becomes its body.
    pub(crate) fn packet(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        packet::emit(&mut self.bytes, write);
        self.keep(start);
    }

    /// Keeps the packet that begins at `start` until it is acknowledged.
    fn keep(&mut self, start: usize) {
        self.unacknowledged.clear();
        self.retransmissions = 0;
        if !self.no_ack {
            self.unacknowledged.extend_from_slice(&self.bytes[start..]);
        }
    }

    /// Appends a packet as [`Output::packet`] does, unless its body would have more than `limit`
    /// bytes.
    ///
    /// # Errors
    /// The length that it would have.
    pub(crate) fn packet_within(&mut self, limit: usize, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), usize> {
        let mut length = 0;
        let start = self.bytes.len();
        packet::emit(&mut self.bytes, |out| {
            let body = out.len();
            write(out);
            length = out.len() - body;
        });
        if length > limit {
            self.bytes.truncate(start);
            return Err(length);
        }
        self.keep(start);
        Ok(())
    }

    /// Appends the byte that interrupts (`Ctrl-C`), which is no packet.
    pub(crate) fn interrupt(&mut self) {
        self.bytes.push(packet::INTERRUPT);
    }

    /// Appends a notification, which nobody acknowledges.
    pub(crate) fn notification(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        packet::emit_notification(&mut self.bytes, write);
    }

    /// Acknowledges a packet that came, if that is done at all; whether it is to be processed.
    pub(crate) fn accept(&mut self, body: &[u8], checksum: [u8; 2]) -> bool {
        if self.no_ack {
            return true;
        }
        let intact = packet::is_intact(body, checksum);
        self.bytes.push(if intact { b'+' } else { b'-' });
        intact
    }

    /// Acknowledges a packet of which nothing is left but that it came.
    pub(crate) fn accept_unread(&mut self) {
        if !self.no_ack {
            self.bytes.push(b'+');
        }
    }

    /// The other side has got the last packet.
    pub(crate) fn acknowledged(&mut self) {
        self.unacknowledged = Vec::new();
        self.retransmissions = 0;
    }

    /// The other side has got it damaged: once more. `false` if that has been tried too often.
    pub(crate) fn retransmit(&mut self) -> bool {
        if self.unacknowledged.is_empty() {
            return true;
        }
        self.retransmissions += 1;
        self.bytes.extend_from_slice(&self.unacknowledged);
        self.retransmissions <= MAX_RETRANSMISSIONS
    }

    /// From the next packet on there are no acknowledgements.
    pub(crate) fn stop_acknowledging(&mut self) {
        self.no_ack = true;
    }

    pub(crate) fn is_no_ack(&self) -> bool {
        self.no_ack
    }

    /// What is to be sent.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// The first `count` bytes of [`Output::pending`] have been sent.
    pub(crate) fn sent(&mut self, count: usize) {
        assert!(count <= self.pending().len(), "more bytes sent than there were");
        self.sent += count;
        if self.sent < self.bytes.len() {
            return;
        }
        let used = mem::take(&mut self.sent);
        self.bytes.clear();
        if self.quiet.observe(used, self.bytes.capacity()) {
            self.bytes.shrink_to(SMALL_BUFFER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::QUIET_USES;

    #[test]
    fn a_lost_packet_is_sent_again_but_not_for_ever() {
        let mut output = Output::default();
        output.packet(|body| body.extend_from_slice(b"OK"));
        for _ in 0..MAX_RETRANSMISSIONS {
            assert!(output.retransmit());
        }
        assert_eq!(output.pending(), b"$OK#9a".repeat(1 + usize::from(MAX_RETRANSMISSIONS)));
        assert!(!output.retransmit());
    }

    #[test]
    fn an_acknowledged_packet_is_not_sent_again() {
        let mut output = Output::default();
        output.packet(|body| body.extend_from_slice(b"OK"));
        output.acknowledged();
        assert!(output.retransmit());
        assert_eq!(output.pending(), b"$OK#9a");
    }

    #[test]
    fn the_buffer_is_small_again_some_replies_after_a_large_one() {
        let mut output = Output::default();
        output.stop_acknowledging();
        output.packet(|body| body.resize(100_000, b'0'));
        output.sent(output.pending().len());
        assert!(output.bytes.capacity() >= 100_000);
        for _ in 0..=QUIET_USES {
            output.packet(|body| body.extend_from_slice(b"OK"));
            output.sent(2);
            output.sent(4);
        }
        assert!(output.bytes.capacity() <= SMALL_BUFFER);
    }
}
