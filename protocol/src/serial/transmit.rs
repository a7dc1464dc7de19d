//! Whose turn it is.

use super::slot::Slot;
use super::{CHANNELS, Link, index};
use crate::options::Channel;
use core::time::Duration;

/// What may be sent of a channel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    Gone,
    Hello,
    Ack,
    Data,
}

impl Link {
    /// Bytes for the line: the next frame, or what is left of it. Empty where there is none, or where as much was sent as
    /// the line carries for now; see [`Self::deadline`].
    pub fn transmit(&mut self, now: Duration) -> &[u8] {
        self.now = self.now.max(now);
        if self.sent == self.output.len() {
            self.output.clear();
            self.sent = 0;
            if self.line.next_turn() <= self.now {
                self.write_frame();
            }
        }
        &self.output[self.sent..]
    }

    /// The first `count` bytes of [`Self::transmit`] were handed to the driver.
    ///
    /// # Panics
    /// If there were fewer.
    pub fn transmitted(&mut self, count: usize, now: Duration) {
        assert!(count <= self.output.len() - self.sent, "more is transmitted than there was");
        self.now = self.now.max(now);
        self.sent += count;
        self.line.occupy(self.now, count);
    }

    /// Whether [`Self::transmit`] will give bytes when the line is free.
    pub(super) fn has_frame(&self) -> bool {
        self.slots.iter().any(|slot| match slot {
            Slot::Closed(closed) => closed.gone.is_some(),
            Slot::Open(life) => life.is_hello_due() || life.is_ack_due() || life.has_data(),
        })
    }

    /// Channels take turns by how many bytes they have sent. Frames without data go first; an acknowledgement does not if
    /// its channel's data is next, with which it can ride.
    fn next_turn(&self) -> Option<(Channel, Turn)> {
        let data = self.next_data();
        let notices = (0..CHANNELS).filter_map(Channel::new).filter_map(|channel| {
            let turn = match &self.slots[index(channel)] {
                Slot::Closed(closed) => closed.gone.map(|_| Turn::Gone),
                Slot::Open(life) if life.is_hello_due() => Some(Turn::Hello),
                Slot::Open(life) => {
                    let rides = data == Some(channel) && life.can_ack_ride(&self.line);
                    (life.is_ack_due() && !rides).then_some(Turn::Ack)
                }
            };
            turn.map(|turn| (channel, turn))
        });
        notices.min_by_key(|(_, turn)| *turn as u8).or_else(|| data.map(|channel| (channel, Turn::Data)))
    }

    /// The channel with data that has had the least. Whoever was silent has no claim from that time: it counts as if it had as much
    /// as the one served last, and goes before those that have as much indeed.
    fn next_data(&self) -> Option<Channel> {
        let ready = (0..CHANNELS).filter_map(Channel::new).filter_map(|channel| match &self.slots[index(channel)] {
            Slot::Open(life) if life.has_data() => Some((life.share.max(self.share), life.share, channel)),
            _ => None,
        });
        ready.min_by_key(|(share, own, channel)| (*share, *own, channel.get())).map(|(.., channel)| channel)
    }

    fn write_frame(&mut self) {
        let Some((channel, turn)) = self.next_turn() else { return };
        if self.line.is_idle(self.now) {
            // Ends whatever the line has invented in the meantime.
            self.output.push(0);
        }
        let Self { line, output, now, slots, share, .. } = self;
        match (turn, &mut slots[index(channel)]) {
            (_, Slot::Closed(closed)) => {
                if let Some(gone) = closed.gone.take() {
                    gone.emit(channel, output);
                }
            }
            (Turn::Hello, Slot::Open(life)) => life.write_hello(channel, line, *now, output),
            (Turn::Ack, Slot::Open(life)) => life.write_ack(channel, output),
            (_, Slot::Open(life)) => {
                *share = life.share.max(*share);
                life.share = *share;
                life.write_data(channel, line, *now, output);
            }
        }
        self.settle(channel);
    }
}
