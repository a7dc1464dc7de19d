//! Bytes of the line become frames.

use super::cobs;
use crate::limits::MAX_LINE_FRAME;
use alloc::vec::Vec;

/// Collects what stands between two zeros.
#[derive(Debug, Default)]
pub(super) struct Deframer {
    stuffed: Vec<u8>,
    body: Vec<u8>,
    /// More came than a frame may have: garbage up to the next zero.
    is_overlong: bool,
}

impl Deframer {
    /// Takes one byte. Where it ends a frame, the frame's content, unchecked.
    pub(super) fn push(&mut self, byte: u8) -> Option<&[u8]> {
        if byte != 0 {
            // Stuffing makes it longer by one byte in 254.
            self.is_overlong |= self.stuffed.len() > MAX_LINE_FRAME + MAX_LINE_FRAME / 128;
            if !self.is_overlong {
                self.stuffed.push(byte);
            }
            return None;
        }
        let is_frame = !self.is_overlong && !self.stuffed.is_empty() && cobs::decode(&self.stuffed, &mut self.body);
        self.stuffed.clear();
        self.is_overlong = false;
        (is_frame && self.body.len() <= MAX_LINE_FRAME).then_some(&self.body)
    }
}
