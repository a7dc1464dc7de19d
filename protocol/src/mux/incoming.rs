//! One channel's way in: what came, and what the other side may send.

use super::buffer::Buffer;
use crate::limits::{INITIAL_WINDOW, MAX_WINDOW};

/// How far the other side's data has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// More may come.
    Open,
    /// The last has come.
    Finished,
    /// The caller knows.
    Told,
}

/// Received bytes and the credit for more: credit, bytes that wait and bytes to be credited again add up to the window.
#[derive(Debug)]
pub(super) struct Incoming {
    buffer: Buffer,
    window: usize,
    credit: usize,
    /// Consumed, and not yet credited again.
    consumed: usize,
    /// The other side had to wait for credit since the window was widened last.
    held_up: bool,
    stage: Stage,
}

impl Incoming {
    pub(super) fn new() -> Self {
        Self {
            buffer: Buffer::default(),
            window: INITIAL_WINDOW,
            credit: INITIAL_WINDOW,
            consumed: 0,
            held_up: false,
            stage: Stage::Open,
        }
    }

    pub(super) fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// Takes data, false where it is more than there was credit for.
    pub(super) fn data(&mut self, bytes: &[u8]) -> bool {
        let Some(credit) = self.credit.checked_sub(bytes.len()) else {
            return false;
        };
        self.credit = credit;
        self.buffer.push(bytes);
        true
    }

    /// The other side waits for credit.
    pub(super) fn blocked(&mut self, pool: &mut usize) {
        self.held_up = true;
        self.widen(pool);
    }

    /// The caller is done with the first `count` bytes.
    pub(super) fn consume(&mut self, count: usize, pool: &mut usize) {
        self.buffer.pop(count);
        self.consumed += count;
        self.widen(pool);
    }

    /// Doubles the window where the other side waits for credit and there is nothing to read here: then it is too
    /// small for the time that credit is under way. What it grows by comes out of `pool`.
    fn widen(&mut self, pool: &mut usize) {
        if !self.held_up || !self.buffer.is_empty() || self.is_finished() {
            return;
        }
        self.held_up = false;
        if 2 * self.window <= MAX_WINDOW && self.window <= *pool {
            *pool -= self.window;
            self.consumed += self.window;
            self.window *= 2;
        }
    }

    /// What came out of the pool.
    pub(super) fn growth(&self) -> usize {
        self.window - INITIAL_WINDOW
    }

    /// Whether so much was consumed that it is worth a frame.
    pub(super) fn is_credit_due(&self) -> bool {
        self.consumed >= self.window / 2 && !self.is_finished()
    }

    /// Gives new credit.
    pub(super) fn take_credit(&mut self) -> u32 {
        let credit = self.consumed;
        self.consumed = 0;
        self.credit += credit;
        credit as u32
    }

    pub(super) fn finish(&mut self) {
        self.stage = Stage::Finished;
    }

    /// Whether no more comes.
    pub(super) fn is_finished(&self) -> bool {
        self.stage != Stage::Open
    }

    /// Whether the caller is to be told that nothing more comes.
    pub(super) fn is_finish_due(&self) -> bool {
        self.stage == Stage::Finished && self.buffer.is_empty()
    }

    /// It has been told.
    pub(super) fn finish_told(&mut self) {
        self.stage = Stage::Told;
    }

    /// Whether it has been told.
    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Told
    }
}
