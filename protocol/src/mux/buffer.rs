//! Bytes of a channel that wait, either way.

use crate::limits::SMALL_BUFFER;
use crate::rsp::buffer::Quiet;
use alloc::collections::VecDeque;

/// A ring of bytes. It takes no memory before it is used, and gives it back after a row of small uses.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: VecDeque<u8>,
    quiet: Quiet,
    /// The most that was in it since it was empty.
    peak: usize,
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its bytes: those that lie in one piece from the first on, and the others.
    pub(super) fn pieces(&self) -> (&[u8], &[u8]) {
        self.bytes.as_slices()
    }

    /// Appends `bytes`.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let length = self.bytes.len() + bytes.len();
        if length > self.bytes.capacity() {
            // Windows are powers of two: the buffer never grows beyond what it is allowed to hold.
            let capacity = length.next_power_of_two().max(SMALL_BUFFER);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend(bytes);
        self.peak = self.peak.max(length);
    }

    /// Removes the first `count` bytes.
    ///
    /// # Panics
    /// If there are fewer.
    pub(super) fn pop(&mut self, count: usize) {
        self.bytes.drain(..count);
        if !self.bytes.is_empty() {
            return;
        }
        // From the start again, so that what comes next lies in one piece.
        self.bytes.clear();
        if self.quiet.observe(self.peak, self.bytes.capacity()) {
            self.bytes.shrink_to(SMALL_BUFFER);
        }
        self.peak = 0;
    }

    /// The memory it takes, in bytes.
    #[cfg(any(test, fuzzing))]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}
