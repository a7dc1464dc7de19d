//! Whose turn it is.

use super::Channel;
use alloc::collections::VecDeque;

/// Channels that wait for their turn, each once.
#[derive(Debug)]
pub(super) struct Queue {
    order: VecDeque<Channel>,
    waits: [bool; Channel::COUNT],
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { order: VecDeque::new(), waits: [false; Channel::COUNT] }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Appends a channel that is not in it.
    pub(super) fn push(&mut self, channel: Channel) {
        if !self.waits[channel.index()] {
            self.waits[channel.index()] = true;
            self.order.push_back(channel);
        }
    }

    /// Removes the first.
    pub(super) fn pop(&mut self) -> Option<Channel> {
        let channel = self.order.pop_front()?;
        self.waits[channel.index()] = false;
        Some(channel)
    }
}
