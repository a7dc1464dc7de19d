//! The frames, in bounded memory.

use super::frame::Frame;
use crate::engine::error::{Error, Result};
use std::collections::VecDeque;

/// What a buffer holds where the client does not say, in bytes: as much as gdbserver's.
const USUAL_SIZE: usize = 5 << 20;
/// Most that a client may ask for, in bytes.
const MAX_SIZE: usize = 256 << 20;

#[derive(Debug)]
pub(super) struct Buffer {
    /// The oldest first.
    frames: VecDeque<Frame>,
    used: usize,
    pub(super) size: usize,
    pub(super) circular: bool,
    /// Frames that were made since tracing started.
    pub(super) created: u64,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { frames: VecDeque::new(), used: 0, size: USUAL_SIZE, circular: false, created: 0 }
    }
}

impl Buffer {
    pub(super) fn resize(&mut self, size: Option<u64>) -> Result<()> {
        let size = size.map_or(Ok(USUAL_SIZE), usize::try_from).ok().filter(|size| *size <= MAX_SIZE);
        self.size = size.ok_or(Error::TooMany("than 256 MiB of trace frames"))?;
        self.clear();
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.frames = VecDeque::new();
        (self.used, self.created) = (0, 0);
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Frame> {
        self.frames.get(index)
    }

    pub(super) fn free(&self) -> usize {
        self.size - self.used
    }

    /// Adds a frame; the number of older ones that made way. `None`: there is no room.
    pub(super) fn push(&mut self, frame: Frame) -> Option<usize> {
        let size = frame.size();
        let mut gone = 0;
        while self.free() < size {
            let oldest = if self.circular { self.frames.pop_front() } else { None }?;
            self.used -= oldest.size();
            gone += 1;
        }
        self.used += size;
        self.created += 1;
        self.frames.push_back(frame);
        Some(gone)
    }

    /// Bytes that the frames of one tracepoint take up.
    pub(super) fn bytes_of(&self, tracepoint: u32) -> u64 {
        self.frames.iter().filter(|frame| frame.tracepoint == tracepoint).map(|frame| frame.size() as u64).sum()
    }

    /// Up to `length` bytes from `offset` on of all frames as trace files have them.
    pub(super) fn raw(&self, offset: u64, length: usize) -> Vec<u8> {
        let mut skip = usize::try_from(offset).unwrap_or(usize::MAX);
        let mut out = Vec::new();
        for frame in &self.frames {
            if skip >= frame.size() {
                skip -= frame.size();
                continue;
            }
            let (head, blocks) = frame.raw();
            for part in [&head[..], blocks] {
                let rest = part.get(skip..).unwrap_or_default();
                skip = skip.saturating_sub(part.len());
                out.extend_from_slice(&rest[..rest.len().min(length - out.len())]);
            }
            if out.len() == length {
                break;
            }
        }
        out
    }
}
