//! What the other side's frames do.

use super::frame::{self, Frame, Gone, Hello, Sealed};
use super::incarnation::seed;
use super::line::Line;
use super::slot::Slot;
use super::{Link, Reason, index};
use crate::options::Channel;
use core::time::Duration;

impl Link {
    /// Where to put received bytes; never empty.
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        &mut self.input
    }

    /// The first `count` bytes of [`Self::receive_buffer`] came from the line. Whatever they are: what is no frame is passed over.
    ///
    /// # Panics
    /// If `count` is more than the buffer has.
    pub fn received(&mut self, count: usize, now: Duration) {
        self.now = self.now.max(now);
        for position in 0..count {
            let byte = self.input[position];
            let Self { deframer, slots, line, now, .. } = self;
            let Some((channel, frame)) = deframer.push(byte).and_then(frame::parse) else { continue };
            let slot = &mut slots[index(channel)];
            let end = match frame {
                Frame::Hello(hello) => greeted(slot, &hello, *now),
                Frame::Gone(gone) => left(slot, gone),
                Frame::Stream(sealed) => carried(slot, &sealed, line, *now),
            };
            if let Some(end) = end {
                self.end(channel, Some(end.reason), false);
                self.knocked(channel, end.knock);
            }
            self.settle(channel);
        }
    }

    /// Remembers who is there, for the next life.
    fn knocked(&mut self, channel: Channel, knock: Option<Hello>) {
        if let Slot::Closed(closed) = &mut self.slots[index(channel)] {
            closed.knock = knock;
        }
    }
}

/// A frame that ends a life.
struct End {
    reason: Reason,
    /// The hello that ended it.
    knock: Option<Hello>,
}

impl From<Reason> for End {
    fn from(reason: Reason) -> Self {
        Self { reason, knock: None }
    }
}

/// Somebody has opened the other end, or asks whether anybody is here.
fn greeted(slot: &mut Slot, hello: &Hello, now: Duration) -> Option<End> {
    match slot {
        // The caller may open it again as soon as it knows.
        Slot::Closed(closed) if closed.untold.is_some() => closed.knock = Some(*hello),
        Slot::Closed(closed) => closed.asked(hello),
        // An echo of what is past.
        Slot::Open(life) if life.is_met && life.before == Some(hello.mine) => {}
        Slot::Open(life) if life.is_met && life.peer != Some(hello.mine) => {
            return Some(End { reason: Reason::Restarted, knock: Some(*hello) });
        }
        Slot::Open(life) => life.greeted(hello, now),
    }
    None
}

/// Nobody uses the other end, or nobody any more.
fn left(slot: &mut Slot, gone: Gone) -> Option<End> {
    let Slot::Open(life) = slot else { return None };
    if gone.to != life.mine {
        return None;
    }
    if !life.is_met {
        life.unanswered();
    } else if gone.about == life.peer {
        if !gone.clean || !life.outgoing.is_finishing() {
            return Some(Reason::Gone.into());
        }
        // Only the acknowledgement was lost.
        life.outgoing.all_arrived();
    }
    None
}

/// The other end says something.
fn carried(slot: &mut Slot, content: &Sealed<'_>, line: &mut Line, now: Duration) -> Option<End> {
    let Slot::Open(channel) = slot else { return None };
    if !content.fits(seed(channel.peer?, channel.mine)) {
        return None;
    }
    let result = content.open().and_then(|said| channel.received(&said, line, now));
    result.err().map(|violation| Reason::Broken(violation).into())
}
