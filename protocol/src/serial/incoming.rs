//! One channel's way in: what came, in whatever order, and what is to be acknowledged.

use super::event::Violation;
use super::frame::{Ack, Data};
use super::offset;
use crate::limits::{MAX_LINE_ISLANDS, MAX_LINE_RANGES, SMALL_BUFFER};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;

/// Frames after which an acknowledgement is sent where nobody asks for one and nothing is lacking.
const ACK_FRAMES: u32 = 8;

/// The same where something is lacking: it tells the other side what became of what it sent again.
const ACK_FRAMES_LACKING: u32 = 2;

/// How far the caller has been told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Open,
    /// It knows that nothing more comes.
    Told,
}

/// Received bytes.
#[derive(Debug)]
pub(super) struct Incoming {
    /// From the first byte that is not read to the last that came; what is lacking is zero.
    buffer: VecDeque<u8>,
    window: u64,
    /// The position of the buffer's first byte.
    read: u64,
    /// Everything before it has come; the stream's end counts as a byte.
    next: u64,
    /// What has come behind it.
    islands: Vec<Range<u64>>,
    /// The stream's end, where it is known.
    end: Option<u64>,
    /// The limit that the other side was told.
    limit: u64,
    /// Frames that were not acknowledged.
    frames: u32,
    is_ack_due: bool,
    stage: Stage,
}

impl Incoming {
    pub(super) fn new(window: usize) -> Self {
        let window = window as u64;
        Self {
            buffer: VecDeque::new(),
            window,
            read: 0,
            next: 0,
            islands: Vec::new(),
            end: None,
            limit: window,
            frames: 0,
            is_ack_due: false,
            stage: Stage::Open,
        }
    }

    /// Where what may be read ends.
    fn readable_end(&self) -> u64 {
        self.next.min(self.end.unwrap_or(u64::MAX))
    }

    /// What may be read, as much as lies in one piece.
    pub(super) fn readable(&self) -> &[u8] {
        let piece = self.buffer.as_slices().0;
        &piece[..piece.len().min((self.readable_end() - self.read) as usize)]
    }

    /// The caller is done with the first `count` bytes.
    ///
    /// # Panics
    /// If fewer may be read.
    pub(super) fn consume(&mut self, count: usize) {
        assert!(count as u64 <= self.readable_end() - self.read, "more is consumed than was readable");
        self.buffer.drain(..count);
        self.read += count as u64;
        if self.buffer.is_empty() {
            self.buffer.shrink_to(SMALL_BUFFER);
        }
        self.is_ack_due |= self.end.is_none() && self.read + self.window - self.limit >= self.window / 4;
    }

    /// Takes data. Whether there is something new to read.
    pub(super) fn data(&mut self, data: &Data<'_>) -> Result<bool, Violation> {
        // What lies before the stream's beginning can't be a piece of it.
        let start = offset::near(self.next, data.offset).ok_or(Violation::Overrun)?;
        let data_end = start + data.bytes.len() as u64;
        let came = start..data_end + u64::from(data.is_last);
        self.check(data_end, data.is_last)?;
        self.frames += 1;
        let is_new = came.end > self.next && !self.islands.iter().any(|island| covers(island, &came));
        let is_gap = came.start > self.islands.last().map_or(self.next, |island| island.end);
        let limit = if self.islands.is_empty() { ACK_FRAMES } else { ACK_FRAMES_LACKING };
        self.is_ack_due |= !is_new || is_gap || self.frames >= limit;
        if !is_new || !self.note(came) {
            return Ok(false);
        }
        if data.is_last {
            self.end = Some(data_end);
        }
        self.store(start, data.bytes);
        Ok(self.advance())
    }

    /// Whether data up to `data_end`, and the stream's end, may come there.
    fn check(&self, data_end: u64, is_last: bool) -> Result<(), Violation> {
        if data_end > self.limit {
            return Err(Violation::Overrun);
        }
        let has_come = self.islands.last().map_or(self.next, |island| island.end);
        let is_wrong = match self.end {
            Some(end) => data_end > end || is_last && data_end != end,
            None => is_last && has_come > data_end,
        };
        if is_wrong { Err(Violation::End) } else { Ok(()) }
    }

    /// Notes what came, false where there are too many islands already: it will be sent again.
    fn note(&mut self, mut came: Range<u64>) -> bool {
        let first = self.islands.partition_point(|island| island.end < came.start);
        let behind = self.islands.partition_point(|island| island.start <= came.end);
        if first == behind && came.start > self.next && self.islands.len() >= MAX_LINE_ISLANDS {
            return false;
        }
        for island in self.islands.drain(first..behind) {
            came = came.start.min(island.start)..came.end.max(island.end);
        }
        self.islands.insert(first, came);
        true
    }

    /// Puts bytes where they belong.
    fn store(&mut self, start: u64, bytes: &[u8]) {
        // What has come before is not written again.
        let known = (self.next.saturating_sub(start) as usize).min(bytes.len());
        let bytes = &bytes[known..];
        if bytes.is_empty() {
            return;
        }
        let at = (start + known as u64 - self.read) as usize;
        if self.buffer.len() < at + bytes.len() {
            self.buffer.resize(at + bytes.len(), 0);
        }
        self.buffer.range_mut(at..at + bytes.len()).zip(bytes).for_each(|(slot, byte)| *slot = *byte);
    }

    /// Moves on over the first island if nothing is lacking before it.
    fn advance(&mut self) -> bool {
        if self.islands.first().is_none_or(|island| island.start > self.next) {
            return false;
        }
        self.next = self.islands.remove(0).end;
        true
    }

    /// Whether something that came shows that something before it did not.
    pub(super) fn is_lacking(&self) -> bool {
        !self.islands.is_empty()
    }

    /// The other side wants to know.
    pub(super) fn want_ack(&mut self) {
        self.is_ack_due = true;
    }

    /// Whether the other side is to be told at once.
    pub(super) fn is_ack_due(&self) -> bool {
        self.is_ack_due
    }

    /// Whether there is so much to tell that it should go along with data.
    pub(super) fn is_ack_welcome(&self) -> bool {
        self.is_ack_due || self.frames >= ACK_FRAMES / 2
    }

    /// What to tell.
    pub(super) fn take_ack(&mut self) -> Ack {
        self.is_ack_due = false;
        self.frames = 0;
        self.limit = self.read + self.window;
        let mut before = self.next;
        let ranges = self.islands.iter().take(MAX_LINE_RANGES).map(|island| {
            let range = (island.start - before, island.end - island.start);
            before = island.end;
            range
        });
        Ack { ranges: ranges.collect(), next: offset::low(self.next), limit: offset::low(self.limit) }
    }

    /// Whether the stream has come to its end.
    fn is_complete(&self) -> bool {
        self.end.is_some_and(|end| self.next > end)
    }

    /// Whether the caller is to be told that nothing more comes.
    pub(super) fn is_finish_due(&self) -> bool {
        self.stage == Stage::Open && self.is_complete() && self.buffer.is_empty()
    }

    /// It has been told.
    pub(super) fn finish_told(&mut self) {
        self.stage = Stage::Told;
    }

    /// Whether it has been told.
    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Told
    }

    /// The memory that it takes for bytes.
    #[cfg(any(test, fuzzing))]
    pub(super) fn allocated(&self) -> usize {
        self.buffer.capacity()
    }
}

fn covers(island: &Range<u64>, range: &Range<u64>) -> bool {
    island.start <= range.start && range.end <= island.end
}
