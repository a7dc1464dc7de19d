//! One direction of a line.

use super::Dice;
use crate::options::Baud;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

/// Bytes that a port hands on at once.
const CHUNK: usize = 16;

/// What a line does to bytes, in cases per million.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::serial) struct Faults {
    /// Bits that arrive as their opposite.
    pub(in crate::serial) flipped_bits: u32,
    pub(in crate::serial) dropped_bytes: u32,
    pub(in crate::serial) doubled_bytes: u32,
    /// Bytes after which up to 64 arrive that nobody has sent.
    pub(in crate::serial) bursts: u32,
}

#[derive(Debug)]
pub(super) struct Wire {
    baud: Baud,
    latency: Duration,
    pub(super) faults: Faults,
    pub(super) is_cut: bool,
    dice: Dice,
    free_at: Duration,
    chunks: VecDeque<(Duration, Vec<u8>)>,
    /// How many bytes were sent.
    pub(super) count: u64,
}

impl Wire {
    pub(super) fn new(baud: Baud, latency: Duration, dice: Dice) -> Self {
        Self {
            baud,
            latency,
            faults: Faults::default(),
            is_cut: false,
            dice,
            free_at: Duration::ZERO,
            chunks: VecDeque::new(),
            count: 0,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8], now: Duration) {
        self.count += bytes.len() as u64;
        self.free_at = self.free_at.max(now);
        for chunk in bytes.chunks(CHUNK) {
            self.free_at += Duration::from_nanos(chunk.len() as u64 * 10_000_000_000 / u64::from(self.baud.get()));
            let mut arriving = Vec::new();
            for &byte in chunk {
                self.spoil(byte, &mut arriving);
            }
            if !self.is_cut && !arriving.is_empty() {
                self.chunks.push_back((self.free_at + self.latency, arriving));
            }
        }
    }

    fn spoil(&mut self, byte: u8, out: &mut Vec<u8>) {
        let Self { faults, dice, .. } = self;
        if !dice.hits(faults.dropped_bytes) {
            let flips = (0..8).filter(|_| dice.hits(faults.flipped_bits)).fold(0, |flips, _| flips << 1 | 1);
            out.push(byte ^ flips);
        }
        if dice.hits(faults.doubled_bytes) {
            out.push(byte);
        }
        if dice.hits(faults.bursts) {
            let length = dice.roll() % 64;
            out.extend((0..length).map(|_| dice.roll() as u8));
        }
    }

    /// When the next bytes arrive.
    pub(super) fn next(&self) -> Option<Duration> {
        self.chunks.front().map(|(at, _)| *at)
    }

    /// The bytes that have arrived.
    pub(super) fn pop(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.chunks.pop_front_if(|(at, _)| *at <= now).map(|(_, bytes)| bytes)
    }

    /// What is under way is lost.
    pub(super) fn clear(&mut self) {
        self.chunks.clear();
    }
}
