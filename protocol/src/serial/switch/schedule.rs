//! Whose frame is next on the line.

use super::super::local::ToMember;
use super::place::Piece;
use super::{MemberId, Switch};
use core::time::Duration;

impl Switch {
    /// Bytes for the line: the next frame, or what is left of it. Empty where there is none, or where as much was sent as
    /// the line carries for now; see [`Self::deadline`].
    pub fn transmit(&mut self, now: Duration) -> &[u8] {
        self.now = self.now.max(now);
        if self.sent == self.output.len() {
            self.output.clear();
            self.sent = 0;
            if self.line.next_turn() <= self.now {
                self.write_piece();
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
        if self.sent == self.output.len()
            && let Some(place) = self.sender.take().and_then(|id| self.places.get_mut(&id))
        {
            place.tell(ToMember::Taken);
        }
    }

    /// When [`Self::transmit`] is to be called next, if nothing else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let is_waiting = self.sent == self.output.len() && (!self.notices.is_empty() || self.next_member().is_some());
        is_waiting.then(|| self.line.next_turn().max(self.now))
    }

    /// The one with a frame that has had the least. Whoever was silent has no claim from that time.
    fn next_member(&self) -> Option<MemberId> {
        let ready = self.places.iter().filter(|(_, place)| place.has_piece());
        ready.min_by_key(|(id, place)| (place.share.max(self.share), place.share, **id)).map(|(id, _)| *id)
    }

    fn write_piece(&mut self) {
        let is_idle = self.line.is_idle(self.now);
        let Self { output, notices, .. } = self;
        if self.plain.is_none()
            && let Some((channel, gone)) = notices.pop_front()
        {
            if is_idle {
                output.push(0);
            }
            return gone.emit(channel, output);
        }
        // A debugger has no use for them.
        notices.clear();
        let Some(id) = self.next_member() else { return };
        let Some(place) = self.places.get_mut(&id) else { return };
        let Some(Piece { bytes, is_plain }) = place.take_piece() else { return };
        if is_idle && !is_plain {
            // Ends whatever the line has invented in the meantime.
            self.output.push(0);
        }
        self.share = place.share.max(self.share);
        place.share = self.share + bytes.len() as u64;
        self.output.extend(bytes);
        self.sender = Some(id);
    }
}
