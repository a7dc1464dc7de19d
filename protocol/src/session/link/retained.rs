//! Messages sent, until the other side has them.

use super::record::MESSAGE;
use crate::limits::{MAX_MESSAGE, SMALL_BUFFER};
use crate::rsp::buffer::Quiet;
use alloc::vec::Vec;

/// Bytes before a message: the record's length and kind, so that it need not be moved to be sent unsealed.
const HEADER: usize = 3;

/// Messages in the order in which they are sent, each as its record without a seal.
#[derive(Debug, Default)]
pub(super) struct Retained {
    bytes: Vec<u8>,
    /// Where the oldest message begins that is not acknowledged.
    head: usize,
    /// Where the next message begins that this connection has not seen.
    next: usize,
    /// How many messages were acknowledged since the session began.
    acknowledged: u64,
    /// How many messages this connection has seen, or the peer had before it.
    written: u64,
    /// How many messages any connection has seen.
    sent: u64,
    quiet: Quiet,
}

impl Retained {
    /// Appends what `write` appends as a message.
    ///
    /// # Panics
    /// If that is more than [`MAX_MESSAGE`] bytes.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0, 0, MESSAGE]);
        if !write(&mut self.bytes) {
            self.bytes.truncate(at);
            return false;
        }
        let length = self.bytes.len() - at - HEADER;
        assert!(length <= MAX_MESSAGE, "a message of {length} bytes");
        self.bytes[at..at + 2].copy_from_slice(&((length + 1) as u16).to_be_bytes());
        true
    }

    /// The next record that this connection has not seen, with its length in front.
    pub(super) fn next_record(&mut self) -> Option<&[u8]> {
        let at = self.next;
        self.next += self.record_length(at)?;
        self.written += 1;
        self.sent = self.sent.max(self.written);
        Some(&self.bytes[at..self.next])
    }

    /// Whether there is a [`Self::next_record`].
    pub(super) const fn has_next(&self) -> bool {
        self.next < self.bytes.len()
    }

    /// Forgets the first messages, until `received` since the session's beginning. False where the peer can't have them on
    /// this connection, or had more before.
    #[must_use]
    pub(super) fn acknowledge(&mut self, received: u64) -> bool {
        if !(self.acknowledged..=self.written).contains(&received) {
            return false;
        }
        self.forget(received);
        self.compact();
        true
    }

    /// Begins anew on another connection whose peer has `received` messages. False where it lacks one that is no longer
    /// here, or has one that was never sent.
    #[must_use]
    pub(super) fn rewind(&mut self, received: u64) -> bool {
        if !(self.acknowledged..=self.sent).contains(&received) {
            return false;
        }
        self.forget(received);
        self.next = self.head;
        self.written = received;
        self.compact();
        true
    }

    /// Bytes of messages that the peer has not acknowledged.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len() - self.head
    }

    fn record_length(&self, at: usize) -> Option<usize> {
        let length: [u8; 2] = self.bytes.get(at..at + 2)?.try_into().ok()?;
        Some(usize::from(u16::from_be_bytes(length)) + 2)
    }

    fn forget(&mut self, received: u64) {
        while self.acknowledged < received {
            self.head += self.record_length(self.head).expect("what was sent is kept until it is acknowledged");
            self.acknowledged += 1;
        }
    }

    /// Frees the room of what is forgotten, where that is at least as much as is left: so each byte is moved once at most.
    fn compact(&mut self) {
        let left = self.len();
        if left > self.head || (left > 0 && self.head < SMALL_BUFFER) {
            return;
        }
        self.bytes.copy_within(self.head.., 0);
        self.bytes.truncate(left);
        // A rewind may have set it back to the head, never before.
        self.next = self.next.saturating_sub(self.head);
        let used = self.head + left;
        self.head = 0;
        if self.quiet.observe(used, self.bytes.capacity()) {
            self.bytes.shrink_to(SMALL_BUFFER.max(left));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(retained: &mut Retained, message: &[u8]) {
        assert!(retained.push(|out| {
            out.extend_from_slice(message);
            true
        }));
    }

    #[test]
    fn messages_stay_until_they_are_acknowledged() {
        let mut retained = Retained::default();
        for message in [&b"a"[..], b"bc", b""] {
            push(&mut retained, message);
        }
        assert_eq!(retained.next_record(), Some(&b"\0\x02\0a"[..]));
        assert_eq!(retained.next_record(), Some(&b"\0\x03\0bc"[..]));
        assert!(!retained.acknowledge(3), "the third was not sent");
        assert!(retained.acknowledge(1));
        assert!(!retained.acknowledge(0), "it had one");
        assert!(retained.rewind(1));
        assert_eq!(retained.next_record(), Some(&b"\0\x03\0bc"[..]));
        assert_eq!(retained.next_record(), Some(&b"\0\x01\0"[..]));
        assert_eq!(retained.next_record(), None);
        assert!(retained.acknowledge(3));
        assert_eq!(retained.len(), 0);
    }

    #[test]
    fn a_peer_cannot_lack_what_it_had_nor_have_what_was_never_sent() {
        let mut retained = Retained::default();
        push(&mut retained, b"a");
        push(&mut retained, b"b");
        retained.next_record();
        assert!(retained.acknowledge(1));
        assert!(!retained.rewind(0));
        assert!(!retained.rewind(2));
        assert!(retained.rewind(1));
    }

    #[test]
    fn what_is_not_written_is_no_message() {
        let mut retained = Retained::default();
        let written = retained.push(|out| {
            out.push(1);
            false
        });
        assert!(!written);
        assert_eq!(retained.next_record(), None);
        assert_eq!(retained.len(), 0);
    }

    #[test]
    fn memory_does_not_grow_while_the_peer_acknowledges() {
        let mut retained = Retained::default();
        for number in 0..10_000_u64 {
            push(&mut retained, &[7; 1000]);
            retained.next_record();
            assert!(retained.acknowledge(number.saturating_sub(20)));
        }
        assert!(retained.bytes.capacity() < 128 * 1024, "{}", retained.bytes.capacity());
    }
}
