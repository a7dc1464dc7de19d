//! Records as they come in.

use super::SessionError;
use crate::limits::{BULK_BUFFER, MAX_RECORD, SMALL_BUFFER};
use crate::rsp::buffer::Quiet;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// The receive buffer of one connection. Small while little comes, and large enough for reads of 64 KiB while much does.
#[derive(Debug)]
pub(super) struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the last read filled all that there was.
    was_filled: bool,
    quiet: Quiet,
}

impl Input {
    /// Begins with what has been received already.
    pub(super) fn new(received: &[u8]) -> Self {
        let mut bytes = vec![0; SMALL_BUFFER.max(received.len())];
        bytes[..received.len()].copy_from_slice(received);
        Self { bytes, start: 0, end: received.len(), was_filled: false, quiet: Quiet::default() }
    }

    /// Room behind what is there, after which the next record fits if there is nothing more to be taken out.
    pub(super) fn receive_buffer(&mut self) -> &mut [u8] {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let record = self.record().unwrap_or(0);
        if self.was_filled && self.bytes.len() < BULK_BUFFER {
            self.bytes.resize(BULK_BUFFER, 0);
        } else if record > self.bytes.len() {
            // What follows it may come with its end.
            self.bytes.resize(record + SMALL_BUFFER, 0);
        }
        &mut self.bytes[self.end..]
    }

    pub(super) fn received(&mut self, count: usize) {
        assert!(count <= self.bytes.len() - self.end, "more was received than there was room for");
        self.end += count;
        self.was_filled = self.end == self.bytes.len();
        if self.quiet.observe(self.end, self.bytes.len()) {
            self.bytes.truncate(SMALL_BUFFER);
            self.bytes.shrink_to_fit();
        }
    }

    /// Takes the next record out, `None` where more bytes have to come. It stays where it is until the next
    /// [`Self::receive_buffer`].
    pub(super) fn next_record(&mut self) -> Result<Option<Range<usize>>, SessionError> {
        let Some(length) = self.record() else { return Ok(None) };
        if length == 2 {
            return Err(SessionError::Malformed("a record is empty"));
        }
        if length > 2 + MAX_RECORD {
            return Err(SessionError::Malformed("a record is longer than it may be"));
        }
        if self.end - self.start < length {
            return Ok(None);
        }
        let record = self.start + 2..self.start + length;
        self.start = record.end;
        Ok(Some(record))
    }

    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    /// The length of the record that begins, with its length field.
    fn record(&self) -> Option<usize> {
        let length = self.bytes[self.start..self.end].first_chunk()?;
        Some(usize::from(u16::from_be_bytes(*length)) + 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(input: &mut Input, bytes: &[u8]) {
        input.receive_buffer()[..bytes.len()].copy_from_slice(bytes);
        input.received(bytes.len());
    }

    #[test]
    fn a_record_in_pieces_comes_out_whole() {
        let mut input = Input::new(b"\0");
        assert_eq!(input.next_record(), Ok(None));
        receive(&mut input, b"\x02a");
        assert_eq!(input.next_record(), Ok(None));
        receive(&mut input, b"b\0");
        let record = input.next_record().unwrap().unwrap();
        assert_eq!(input.bytes(record), b"ab");
        assert_eq!(input.next_record(), Ok(None));
    }

    #[test]
    fn the_largest_record_fits_and_a_larger_one_is_refused() {
        let mut input = Input::new(&(MAX_RECORD as u16).to_be_bytes());
        let mut left = MAX_RECORD;
        while left > 0 {
            let room = input.receive_buffer().len().min(left);
            assert_ne!(room, 0);
            input.received(room);
            left -= room;
        }
        assert_eq!(input.next_record().unwrap().unwrap().len(), MAX_RECORD);
        let mut input = Input::new(&(MAX_RECORD as u16 + 1).to_be_bytes());
        assert!(input.next_record().is_err());
        assert!(Input::new(b"\0\0").next_record().is_err());
    }

    #[test]
    fn the_buffer_grows_for_bulk_and_shrinks_again() {
        let mut input = Input::new(b"");
        let small = input.receive_buffer().len();
        let fill = |input: &mut Input, count: usize| {
            let buffer = input.receive_buffer();
            let count = count.min(buffer.len());
            // Records of two bytes.
            buffer[..count].fill(0);
            for length in buffer[..count].chunks_exact_mut(4) {
                length[1] = 2;
            }
            input.received(count);
            while input.next_record().unwrap().is_some() {}
        };
        fill(&mut input, small);
        assert!(input.receive_buffer().len() >= 0x1_0000);
        for _ in 0..20 {
            fill(&mut input, 40);
        }
        assert_eq!(input.bytes.len(), SMALL_BUFFER);
    }
}
