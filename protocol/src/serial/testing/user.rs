//! Who uses a channel: sends a stream that says whose it is and what comes where, and checks the other's.

use super::super::Link;
use crate::options::Channel;
use alloc::vec::Vec;

/// How a stream begins: with its tag.
const TAG: usize = 8;

/// The byte at a position of the stream with this tag.
fn byte(tag: u64, position: usize) -> u8 {
    match tag.to_be_bytes().get(position) {
        Some(&byte) => byte,
        None => ((tag.wrapping_mul(31).wrapping_add(position as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8,
    }
}

/// One end of a channel.
#[derive(Debug)]
pub(super) struct User {
    channel: Channel,
    tag: u64,
    /// How much is to be sent in all, and was.
    pub(super) to_send: usize,
    pub(super) sent: usize,
    pub(super) finishes: bool,
    pub(super) is_reading: bool,
    /// Which stream comes in, and how much of it has come.
    their_tag: [u8; TAG],
    pub(super) got: usize,
    pub(super) is_finished: bool,
}

impl User {
    pub(super) fn new(channel: Channel, tag: u64, is_reading: bool) -> Self {
        Self {
            channel,
            tag,
            to_send: 0,
            sent: 0,
            finishes: false,
            is_reading,
            their_tag: [0; TAG],
            got: 0,
            is_finished: false,
        }
    }

    pub(super) fn tag(&self) -> u64 {
        self.tag
    }

    /// The tag of the stream that comes in, once it is known.
    pub(super) fn their_tag(&self) -> Option<u64> {
        (self.got >= TAG).then(|| u64::from_be_bytes(self.their_tag))
    }

    pub(super) fn write(&mut self, link: &mut Link) {
        while self.sent < self.to_send {
            let end = self.to_send.min(self.sent + 4096);
            let bytes: Vec<u8> = (self.sent..end).map(|position| byte(self.tag, position)).collect();
            let count = link.send(self.channel, &bytes);
            self.sent += count;
            if count < bytes.len() {
                return;
            }
        }
        if self.finishes {
            link.finish(self.channel);
        }
    }

    pub(super) fn read(&mut self, link: &mut Link) {
        while self.is_reading && !link.readable(self.channel).is_empty() {
            let count = link.readable(self.channel).len();
            for &came in link.readable(self.channel) {
                if let Some(slot) = self.their_tag.get_mut(self.got) {
                    *slot = came;
                } else {
                    assert_eq!(came, byte(u64::from_be_bytes(self.their_tag), self.got), "position {}", self.got);
                }
                self.got += 1;
            }
            link.consumed(self.channel, count);
        }
    }
}
