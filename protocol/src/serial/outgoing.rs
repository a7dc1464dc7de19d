//! One channel's way out: what waits, what is under way, and what of it was lost.
//!
//! A line does not reorder. So when a piece is acknowledged, everything sent before it that is not was lost, and is sent again at
//! once, in shorter pieces where the line has become worse. Timers are for the last pieces only.

use super::event::Violation;
use crate::limits::{MAX_LINE_PIECES, MAX_LINE_WINDOW, SMALL_BUFFER};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

/// Bytes that were sent in one frame and are not acknowledged. The end of the stream counts as one more byte.
#[derive(Clone, Debug)]
struct Piece {
    range: Range<u64>,
    /// How many pieces of the line were sent before it.
    order: u64,
    left_at: Duration,
    /// It was sent more than once: an acknowledgement may be for either.
    is_repeated: bool,
    is_lost: bool,
}

/// What is to be sent in the next frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Next {
    range: Range<u64>,
    data_end: u64,
}

impl Next {
    pub(super) fn offset(&self) -> u64 {
        self.range.start
    }

    /// Whether the stream ends behind it.
    pub(super) fn is_last(&self) -> bool {
        self.range.end > self.data_end
    }
}

/// What an acknowledgement tells of the line.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// When the latest of the acknowledged pieces left, if it was sent once only.
    pub(super) left_at: Option<Duration>,
    /// Bytes of which the fate is known now.
    pub(super) bytes: u64,
    /// How many pieces were lost.
    pub(super) losses: u64,
    /// Something was acknowledged, or there is new credit.
    pub(super) is_progress: bool,
}

/// Bytes to be sent, or sent and not acknowledged.
#[derive(Debug)]
pub(super) struct Outgoing {
    buffer: VecDeque<u8>,
    capacity: usize,
    /// The position of the buffer's first byte.
    base: u64,
    /// What was never sent starts here.
    next: u64,
    limit: u64,
    /// By position.
    pieces: VecDeque<Piece>,
    lost: usize,
    is_finishing: bool,
    /// The caller was left with bytes that found no room.
    starved: bool,
}

impl Outgoing {
    /// Takes up to `capacity` bytes.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            buffer: VecDeque::new(),
            capacity,
            base: 0,
            next: 0,
            limit: 0,
            pieces: VecDeque::new(),
            lost: 0,
            is_finishing: false,
            starved: false,
        }
    }

    /// How many bytes are taken.
    pub(super) fn room(&self) -> usize {
        if self.is_finishing { 0 } else { self.capacity - self.buffer.len() }
    }

    /// Takes what there is room for.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room());
        self.buffer.extend(&bytes[..count]);
        self.starved = count < bytes.len();
        count
    }

    /// Whether the caller is to be told that there is room again: enough of it to be worth the trouble.
    pub(super) fn is_writable_due(&self) -> bool {
        self.starved && self.room() >= self.capacity / 2
    }

    /// It has been told.
    pub(super) fn writable_told(&mut self) {
        self.starved = false;
    }

    /// Takes nothing more.
    pub(super) fn finish(&mut self) {
        self.is_finishing = true;
    }

    /// Whether nothing more will be taken.
    pub(super) fn is_finishing(&self) -> bool {
        self.is_finishing
    }

    /// Whether everything that was taken has arrived.
    pub(super) fn is_drained(&self) -> bool {
        self.buffer.is_empty() && self.pieces.is_empty() && (!self.is_finishing || self.next > self.data_end())
    }

    /// Whether the stream's end has arrived.
    pub(super) fn is_over(&self) -> bool {
        self.is_finishing && self.is_drained()
    }

    /// The other side is known to have got all of it.
    pub(super) fn all_arrived(&mut self) {
        self.base = self.data_end();
        self.next = self.base + 1;
        self.buffer.clear();
        self.pieces.clear();
        self.lost = 0;
    }

    /// How much the other side takes at first.
    pub(super) fn begin(&mut self, window: u64) {
        self.limit = window.min(MAX_LINE_WINDOW as u64);
    }

    /// Where the taken bytes end.
    fn data_end(&self) -> u64 {
        self.base + self.buffer.len() as u64
    }

    /// The position that acknowledgements are near to.
    pub(super) fn reference(&self) -> u64 {
        self.base
    }

    /// Whether there is something for [`Self::next`].
    pub(super) fn is_ready(&self) -> bool {
        self.next(1).is_some()
    }

    /// Whether an acknowledgement of something is to come.
    pub(super) fn is_under_way(&self) -> bool {
        self.pieces.len() > self.lost
    }

    /// Whether only new credit helps.
    pub(super) fn is_blocked(&self) -> bool {
        self.pieces.is_empty() && self.next < self.data_end() && self.next >= self.limit
    }

    /// What is to be sent next, at most `most` bytes of data: what was lost first.
    pub(super) fn next(&self, most: usize) -> Option<Next> {
        let (data_end, most) = (self.data_end(), most as u64);
        let range = if self.lost > 0 {
            let piece = self.pieces.iter().find(|piece| piece.is_lost)?;
            let fits = piece.range.end.min(data_end) <= piece.range.start + most;
            piece.range.start..if fits { piece.range.end } else { piece.range.start + most }
        } else {
            if self.pieces.len() >= MAX_LINE_PIECES {
                return None;
            }
            let end = data_end.min(self.limit.max(self.next)).min(self.next + most);
            // Its end is sent only once.
            let ends = self.is_finishing && end == data_end && self.next <= data_end;
            self.next..end.max(self.next) + u64::from(ends)
        };
        (!range.is_empty()).then_some(Next { range, data_end })
    }

    /// Appends the bytes of `next` to `out`.
    pub(super) fn copy(&self, next: &Next, out: &mut Vec<u8>) {
        let position = |at: u64| (at.min(next.data_end) - self.base) as usize;
        out.extend(self.buffer.range(position(next.range.start)..position(next.range.end)));
    }

    /// `next` is sent.
    pub(super) fn sent(&mut self, next: Next, order: u64, left_at: Duration) {
        let Next { range, .. } = next;
        if range.start >= self.next {
            self.next = range.end;
            self.pieces.push_back(Piece { range, order, left_at, is_repeated: false, is_lost: false });
            return;
        }
        let Some(index) = self.pieces.iter().position(|piece| piece.is_lost) else { return };
        let piece = &mut self.pieces[index];
        let rest = Piece { range: range.end..piece.range.end, ..piece.clone() };
        *piece = Piece { range, order, left_at, is_repeated: true, is_lost: false };
        if rest.range.is_empty() {
            self.lost -= 1;
        } else {
            self.pieces.insert(index + 1, rest);
        }
    }

    /// Everything before `next` and what is in `ranges`, in order, has arrived; a list that `is_cut` says nothing of what
    /// follows. Up to `limit` may be sent.
    pub(super) fn acknowledged(
        &mut self,
        next: u64,
        ranges: &[Range<u64>],
        is_cut: bool,
        limit: u64,
    ) -> Result<Learned, Violation> {
        let last = ranges.last().map_or(next, |range| range.end);
        if last.max(next) > self.next {
            return Err(Violation::Unsent);
        }
        if limit > self.next + 2 * MAX_LINE_WINDOW as u64 {
            return Err(Violation::Credit);
        }
        let mut learned = Learned { is_progress: limit > self.limit, ..Learned::default() };
        self.limit = self.limit.max(limit);
        let newest = self.remove(next, ranges, &mut learned);
        if let Some(newest) = newest {
            learned.is_progress = true;
            learned.left_at = (!newest.is_repeated).then_some(newest.left_at);
            self.give_up(newest.order, if is_cut { last } else { u64::MAX }, &mut learned);
        }
        Ok(learned)
    }

    /// Removes the pieces that have arrived, and returns the one that was sent last.
    fn remove(&mut self, next: u64, ranges: &[Range<u64>], learned: &mut Learned) -> Option<Piece> {
        let mut newest: Option<Piece> = None;
        let mut ranges = ranges.iter().peekable();
        self.pieces.retain(|piece| {
            while ranges.next_if(|range| range.end < piece.range.end).is_some() {}
            let is_there =
                piece.range.end <= next || ranges.peek().is_some_and(|range| range.start <= piece.range.start);
            if is_there {
                self.lost -= usize::from(piece.is_lost);
                learned.bytes += piece.range.end - piece.range.start;
                if newest.as_ref().is_none_or(|newest| newest.order < piece.order) {
                    newest = Some(piece.clone());
                }
            }
            !is_there
        });
        let base = self.pieces.front().map_or(self.next, |piece| piece.range.start).min(self.data_end());
        self.buffer.drain(..(base - self.base) as usize);
        self.base = base;
        if self.buffer.is_empty() {
            self.buffer.shrink_to(SMALL_BUFFER);
        }
        newest
    }

    /// What was sent before `order` and starts before `horizon` is lost.
    fn give_up(&mut self, order: u64, horizon: u64, learned: &mut Learned) {
        for piece in self.pieces.iter_mut().filter(|piece| piece.range.start < horizon) {
            if !piece.is_lost && piece.order < order {
                piece.is_lost = true;
                self.lost += 1;
                learned.bytes += piece.range.end - piece.range.start;
                learned.losses += 1;
            }
        }
    }

    /// Has the first piece sent again, if something is under way: its acknowledgement tells what became of the others.
    pub(super) fn give_up_first(&mut self) -> bool {
        let piece = self.pieces.iter_mut().find(|piece| !piece.is_lost);
        if let Some(piece) = piece {
            piece.is_lost = true;
            self.lost += 1;
            return true;
        }
        false
    }

    /// The memory that it takes for bytes.
    #[cfg(any(test, fuzzing))]
    pub(super) fn allocated(&self) -> usize {
        self.buffer.capacity()
    }
}
