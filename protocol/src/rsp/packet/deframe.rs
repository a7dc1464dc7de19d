//! Packets out of a stream of bytes.

use alloc::vec::Vec;
use core::mem;

use memchr::memchr2;

use super::super::buffer::Quiet;
use super::{FRAMING, INTERRUPT};
use crate::limits::SMALL_BUFFER;

/// Something that arrived, in the order in which it did.
#[derive(Debug, Eq, PartialEq)]
pub enum Frame<'a> {
    /// `+`.
    Ack,
    /// The byte 0x03.
    Interrupt,
    /// `-`.
    Nack,
    /// `%BODY#SUM`.
    Notification {
        /// What it carries, still escaped.
        body: &'a mut [u8],
    },
    /// A packet over the limit has been dropped.
    Oversized,
    /// `$BODY#SUM`.
    Packet {
        /// What it carries, still escaped.
        body: &'a mut [u8],
        /// The two characters after `#`, not checked: without acknowledgements nothing could be done about a wrong sum.
        checksum: [u8; 2],
    },
}

/// The receive buffer, and the packets in it.
///
/// Bytes are received into [`Deframer::receive_buffer`] and stay where they are: the frames borrow from it. The
/// buffer is small until a larger packet comes, and becomes small again when larger packets have not been seen for a
/// while. It never holds more than one packet of the largest size.
#[derive(Debug)]
pub struct Deframer {
    bytes: Vec<u8>,
    /// Bytes from here on are free.
    end: usize,
    position: Position,
    /// Largest body accepted.
    limit: usize,
    /// Most bytes in the buffer since it was empty.
    peak: usize,
    quiet: Quiet,
}

/// How far the bytes have been looked at.
#[derive(Debug, Default)]
struct Position {
    /// First byte that belongs to no finished frame.
    start: usize,
    /// So many bytes from `start` on are known to hold no end of the packet that begins there.
    scanned: usize,
    /// Within a packet over the limit, whose end has not come.
    discarding: bool,
}

impl Deframer {
    /// A buffer for packets whose body has at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), end: 0, position: Position::default(), limit, peak: 0, quiet: Quiet::default() }
    }

    /// Where the next bytes are to be received. Empty only if the buffer is full of frames that nobody has taken out.
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        if self.position.start == self.end {
            self.rewind();
        } else if self.position.start > 0 && self.bytes.len() - self.end < self.bytes.len() / 2 {
            self.bytes.copy_within(self.position.start..self.end, 0);
            self.end -= self.position.start;
            self.position.start = 0;
        }
        // What is in progress is as long as the room for it: likely a large packet.
        if self.bytes.len() - self.end <= self.end - self.position.start {
            let larger = (2 * self.bytes.len()).clamp(SMALL_BUFFER, self.most());
            self.bytes.reserve_exact(larger - self.bytes.len());
            self.bytes.resize(larger, 0);
        }
        &mut self.bytes[self.end..]
    }

    /// Starts at the beginning of the empty buffer again.
    fn rewind(&mut self) {
        self.end = 0;
        self.position.start = 0;
        let used = mem::take(&mut self.peak);
        if used > 0 && self.quiet.observe(used, self.bytes.len()) {
            self.bytes.truncate(SMALL_BUFFER);
            self.bytes.shrink_to_fit();
        }
    }

    /// Takes note that the first `count` bytes of [`Deframer::receive_buffer`] have been filled.
    ///
    /// # Panics
    /// If the buffer was shorter.
    pub fn received(&mut self, count: usize) {
        assert!(count <= self.bytes.len() - self.end, "more bytes received than there was room for");
        self.end += count;
        self.peak = self.peak.max(self.end);
    }

    /// The frames that are complete. Those taken are gone at the next [`Deframer::receive_buffer`].
    pub fn frames(&mut self) -> Frames<'_> {
        Frames { rest: &mut self.bytes[self.position.start..self.end], position: &mut self.position, limit: self.limit }
    }

    /// Whether the buffer has no room, and cannot have until frames are taken out.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.end - self.position.start == self.most()
    }

    /// The largest size of the buffer: that of the largest packet.
    fn most(&self) -> usize {
        self.limit.max(SMALL_BUFFER) + FRAMING
    }

    /// The bytes that the buffer occupies.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

/// The complete frames in a buffer; each is independent of the iterator and of the others.
#[derive(Debug)]
pub struct Frames<'a> {
    rest: &'a mut [u8],
    position: &'a mut Position,
    limit: usize,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        loop {
            let frame = match *self.rest.first()? {
                _ if self.position.discarding => match self.discard() {
                    Step::Complete(frame) => return Some(frame),
                    Step::Incomplete => return None,
                    Step::Restart => continue,
                },
                b'+' => Frame::Ack,
                b'-' => Frame::Nack,
                INTERRUPT => Frame::Interrupt,
                b'$' | b'%' => match self.packet() {
                    Step::Complete(frame) => return Some(frame),
                    Step::Incomplete => return None,
                    Step::Restart => continue,
                },
                _ => {
                    self.take(1);
                    continue;
                }
            };
            self.take(1);
            return Some(frame);
        }
    }
}

/// What became of the packet at the beginning of the bytes.
enum Step<'a> {
    Complete(Frame<'a>),
    Incomplete,
    /// Another one begins within it: its end was lost.
    Restart,
}

impl<'a> Frames<'a> {
    /// The packet that starts at the first byte.
    fn packet(&mut self) -> Step<'a> {
        let from = self.position.scanned.max(1);
        let Some(length) = memchr2(b'#', b'$', &self.rest[from..]).map(|at| from + at) else {
            if self.rest.len() > 1 + self.limit {
                self.take(self.rest.len());
                self.position.discarding = true;
            } else {
                self.position.scanned = self.rest.len();
            }
            return Step::Incomplete;
        };
        if self.rest[length] == b'$' {
            self.take(length);
            return Step::Restart;
        }
        if length - 1 > self.limit {
            return Step::Complete(self.drop_to(length));
        }
        if self.rest.len() < length + 3 {
            self.position.scanned = length;
            return Step::Incomplete;
        }
        let packet = self.take(length + 3);
        let (start, body) = packet.split_at_mut(1);
        let (body, end) = body.split_at_mut(length - 1);
        Step::Complete(match start {
            [b'%'] => Frame::Notification { body },
            _ => Frame::Packet { body, checksum: [end[1], end[2]] },
        })
    }

    /// Drops bytes up to the end of a packet over the limit, or to the beginning of the next one.
    fn discard(&mut self) -> Step<'a> {
        let Some(end) = memchr2(b'#', b'$', self.rest) else {
            self.take(self.rest.len());
            return Step::Incomplete;
        };
        self.position.discarding = false;
        if self.rest[end] == b'$' {
            self.take(end);
            return Step::Restart;
        }
        Step::Complete(self.drop_to(end))
    }

    /// Drops a packet over the limit up to its `#`. The checksum then goes the way of all bytes between packets.
    fn drop_to(&mut self, end: usize) -> Frame<'a> {
        self.take(end + 1);
        Frame::Oversized
    }

    fn take(&mut self, count: usize) -> &'a mut [u8] {
        let (taken, rest) = mem::take(&mut self.rest).split_at_mut(count);
        self.rest = rest;
        self.position.start += count;
        self.position.scanned = 0;
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::String;
    use std::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::limits::QUIET_USES;
    use crate::rsp::packet::{emit, escape};

    /// Receives `bytes` in pieces of `size`, and notes the frames.
    fn frames(deframer: &mut Deframer, bytes: &[u8], size: usize) -> Vec<String> {
        let mut seen = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let buffer = deframer.receive_buffer();
            let count = rest.len().min(size).min(buffer.len());
            assert!(count > 0, "no room for more");
            buffer[..count].copy_from_slice(&rest[..count]);
            deframer.received(count);
            rest = &rest[count..];
            seen.extend(deframer.frames().map(|frame| match frame {
                Frame::Packet { body, checksum } => {
                    format!("{}|{}", String::from_utf8_lossy(body), String::from_utf8_lossy(&checksum))
                }
                Frame::Notification { body } => format!("%{}", String::from_utf8_lossy(body)),
                other => format!("{other:?}"),
            }));
        }
        seen
    }

    #[test]
    fn frames_come_out_whatever_the_pieces_and_the_garbage_between_them() {
        let bytes = b"+garbage$qC#b4-\x03$#00\n$half$m0,4#fd%Stop:x#00 $wrong#zz+$rest";
        let expected = vec!["Ack", "qC|b4", "Nack", "Interrupt", "|00", "m0,4|fd", "%Stop:x", "wrong|zz", "Ack"];
        for size in 1..=bytes.len() {
            assert_eq!(frames(&mut Deframer::new(100), bytes, size), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_packet_of_the_largest_size_passes_and_one_more_byte_drops_it() {
        for size in [1, 7, 100_000] {
            let mut deframer = Deframer::new(5000);
            let mut bytes = Vec::new();
            emit(&mut bytes, |body| body.resize(body.len() + 5000, b'a'));
            emit(&mut bytes, |body| body.resize(body.len() + 5001, b'b'));
            emit(&mut bytes, |body| body.resize(body.len() + 50_000, b'c'));
            emit(&mut bytes, |body| body.push(b'?'));
            let seen = frames(&mut deframer, &bytes, size);
            assert_eq!(seen.len(), 4, "in pieces of {size}");
            assert!(seen[0].starts_with("aaaa"));
            assert_eq!(seen[1..], ["Oversized", "Oversized", "?|3f"]);
            assert!(deframer.capacity() <= 5000 + FRAMING);
        }
    }

    #[test]
    fn a_packet_over_the_limit_that_lost_its_end_takes_no_other_with_it() {
        let mut bytes = vec![b'a'; 5100];
        bytes[0] = b'$';
        bytes.extend_from_slice(b"$?#3f");
        for size in [1, 7, 100_000] {
            assert_eq!(frames(&mut Deframer::new(5000), &bytes, size), ["?|3f"], "in pieces of {size}");
        }
    }

    #[test]
    fn a_packet_that_never_ends_costs_no_more_than_the_buffer() {
        let mut deframer = Deframer::new(5000);
        assert!(frames(&mut deframer, b"$", 1).is_empty());
        assert!(frames(&mut deframer, &vec![b'a'; 100_000], 1000).is_empty());
        assert_eq!(frames(&mut deframer, b"#00$?#3f", 100), ["Oversized", "?|3f"]);
    }

    #[test]
    fn the_buffer_is_small_again_some_packets_after_a_large_one() {
        let mut deframer = Deframer::new(0x4_0000);
        assert_eq!(deframer.capacity(), 0);
        let mut large = Vec::new();
        emit(&mut large, |body| body.resize(body.len() + 100_000, b'a'));
        assert_eq!(frames(&mut deframer, &large, 1 << 20).len(), 1);
        assert!(deframer.capacity() > 100_000);
        for _ in 0..=QUIET_USES {
            frames(&mut deframer, b"$?#3f", 10);
        }
        deframer.receive_buffer();
        assert_eq!(deframer.capacity(), SMALL_BUFFER);
    }

    #[test]
    fn a_buffer_full_of_frames_that_nobody_takes_has_no_room() {
        let mut deframer = Deframer::new(1024);
        for _ in 0..100 {
            let buffer = deframer.receive_buffer();
            let count = buffer.len();
            buffer.fill(b'+');
            deframer.received(count);
        }
        assert!(deframer.receive_buffer().is_empty());
        assert_eq!(deframer.frames().next(), Some(Frame::Ack));
    }

    proptest! {
        #[test]
        fn any_data_comes_back_from_its_packet(data: Vec<u8>, size in 1usize..50) {
            let mut bytes = Vec::new();
            emit(&mut bytes, |body| escape::encode(body, &data));
            let mut deframer = Deframer::new(1000);
            let mut found = Vec::new();
            for piece in bytes.chunks(size) {
                deframer.receive_buffer()[..piece.len()].copy_from_slice(piece);
                deframer.received(piece.len());
                for frame in deframer.frames() {
                    let Frame::Packet { body, checksum } = frame else { panic!("{frame:?}") };
                    prop_assert!(super::super::is_intact(body, checksum));
                    found.push(escape::decode_in_place(body).unwrap().to_vec());
                }
            }
            prop_assert_eq!(found, [data]);
        }

        #[test]
        fn nothing_that_arrives_makes_it_panic_or_grow(pieces: Vec<Vec<u8>>) {
            let mut deframer = Deframer::new(100);
            for piece in pieces {
                frames(&mut deframer, &piece, 30);
                prop_assert!(deframer.capacity() <= SMALL_BUFFER + FRAMING);
            }
        }
    }
}
