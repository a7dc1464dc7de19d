//! Records as they go out.

use super::record::Control;
use crate::limits::SMALL_BUFFER;
use crate::rsp::buffer::Quiet;
use crate::session::crypto::Seal;
use alloc::vec::Vec;

/// The transmit buffer of one connection.
#[derive(Debug)]
pub(super) struct Output {
    bytes: Vec<u8>,
    sent: usize,
    /// Where records are put together that are not messages.
    scratch: Vec<u8>,
    quiet: Quiet,
}

impl Output {
    /// Begins with what the handshake left.
    pub(super) fn new(unsent: Vec<u8>) -> Self {
        Self { bytes: unsent, sent: 0, scratch: Vec::new(), quiet: Quiet::default() }
    }

    /// A record, given with its length in front.
    pub(super) fn record(&mut self, record: &[u8], seal: Option<&mut Seal>) {
        append(&mut self.bytes, record, seal);
    }

    pub(super) fn control(&mut self, control: &Control, seal: Option<&mut Seal>) {
        self.scratch.clear();
        self.scratch.extend_from_slice(&[0, 0]);
        control.write(&mut self.scratch);
        let [high, low] = ((self.scratch.len() - 2) as u16).to_be_bytes();
        self.scratch[..2].copy_from_slice(&[high, low]);
        append(&mut self.bytes, &self.scratch, seal);
    }

    pub(super) fn pending(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    pub(super) fn sent(&mut self, count: usize) {
        assert!(count <= self.bytes.len() - self.sent, "more was sent than there was");
        self.sent += count;
        if self.sent == self.bytes.len() {
            if self.quiet.observe(self.sent, self.bytes.capacity()) {
                self.bytes.shrink_to(SMALL_BUFFER);
            }
            self.bytes.clear();
            self.sent = 0;
        } else if self.sent >= self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }
}

fn append(out: &mut Vec<u8>, record: &[u8], seal: Option<&mut Seal>) {
    let Some(seal) = seal else {
        out.extend_from_slice(record);
        return;
    };
    let plain = &record[2..];
    let length = plain.len() + Seal::TAG;
    out.extend_from_slice(&(length as u16).to_be_bytes());
    let at = out.len();
    out.resize(at + length, 0);
    seal.seal(plain, &mut out[at..]);
}
