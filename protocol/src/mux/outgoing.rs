//! One channel's way out: what waits, and what may be sent of it.

use super::Channel;
use super::buffer::Buffer;
use super::frame::{Frame, MAX_DATA};
use crate::limits::{INITIAL_WINDOW, MAX_SEND_BUFFER, MAX_WINDOW};
use alloc::vec::Vec;

/// How far this side's data has gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// More may come.
    Open,
    /// What waits is the last.
    Finishing,
    /// The other side was told that all was sent.
    Finished,
}

/// Bytes to be sent and the credit for them.
#[derive(Debug)]
pub(super) struct Outgoing {
    buffer: Buffer,
    credit: usize,
    stage: Stage,
    /// The caller was left with bytes that found no room.
    starved: bool,
    /// The other side knows that credit ran out.
    blocked: bool,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self { buffer: Buffer::default(), credit: INITIAL_WINDOW, stage: Stage::Open, starved: false, blocked: false }
    }

    pub(super) fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// How many bytes are taken.
    pub(super) fn room(&self) -> usize {
        if self.stage == Stage::Open { MAX_SEND_BUFFER - self.buffer.len() } else { 0 }
    }

    /// Takes what there is room for.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room());
        self.buffer.push(&bytes[..count]);
        self.starved = count < bytes.len();
        count
    }

    /// Whether the caller is to be told that there is room again: enough of it to be worth the trouble.
    pub(super) fn is_writable_due(&self) -> bool {
        self.starved && self.room() >= MAX_SEND_BUFFER / 2
    }

    /// It has been told.
    pub(super) fn writable_told(&mut self) {
        self.starved = false;
    }

    /// Adds credit, false where it is too much.
    pub(super) fn grant(&mut self, credit: u32) -> bool {
        let credit = self.credit.saturating_add(credit as usize);
        if credit > MAX_WINDOW {
            return false;
        }
        self.credit = credit;
        self.blocked = false;
        true
    }

    /// Whether there is data that may be sent.
    pub(super) fn is_ready(&self) -> bool {
        !self.buffer.is_empty() && self.credit > 0
    }

    /// Writes one frame of data, false where there is none to be sent.
    pub(super) fn write_data(&mut self, channel: Channel, out: &mut Vec<u8>) -> bool {
        if !self.is_ready() {
            return false;
        }
        let count = self.buffer.len().min(self.credit).min(MAX_DATA);
        let (first, second) = self.buffer.pieces();
        let in_first = count.min(first.len());
        Frame::Data(&first[..in_first]).emit(channel, out);
        out.extend_from_slice(&second[..count - in_first]);
        self.buffer.pop(count);
        self.credit -= count;
        true
    }

    /// Whether the other side is to be told that credit ran out.
    pub(super) fn is_blocked_due(&self) -> bool {
        !self.blocked && self.credit == 0 && !self.buffer.is_empty()
    }

    /// It has been told.
    pub(super) fn blocked_told(&mut self) {
        self.blocked = true;
    }

    /// Takes nothing more.
    pub(super) fn finish(&mut self) {
        if self.stage == Stage::Open {
            self.stage = Stage::Finishing;
        }
    }

    /// Whether the other side is to be told that all was sent.
    pub(super) fn is_finish_due(&self) -> bool {
        self.stage == Stage::Finishing && self.buffer.is_empty()
    }

    /// It has been told.
    pub(super) fn finish_told(&mut self) {
        self.stage = Stage::Finished;
    }

    /// Whether it has been told.
    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Finished
    }
}
