//! What a member's user says and hears: over a link, or to a plain debugger, which has none.

use super::{Member, MemberEvent, ToSwitch};
use crate::limits::{LINE_FAREWELL, MAX_LINE_DATA, MAX_PLAIN_INPUT, MAX_PLAIN_OUTPUT};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// A plain debugger.
#[derive(Debug, Default)]
pub(super) struct Plain {
    incoming: VecDeque<u8>,
    outgoing: VecDeque<u8>,
    /// Its user is done with it: what it says is not heard.
    is_left: bool,
    /// The user was left with bytes that found no room.
    starved: bool,
}

impl Plain {
    /// What is to be sent next.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        let count = self.outgoing.len().min(MAX_LINE_DATA);
        (count > 0).then(|| self.outgoing.drain(..count).collect())
    }

    /// Whether the user is to be told that there is room again.
    pub(super) fn is_writable_due(&mut self) -> bool {
        let is_due = self.starved && self.outgoing.len() <= MAX_PLAIN_OUTPUT / 2;
        self.starved &= !is_due;
        is_due
    }
}

impl Member {
    pub(super) fn begin_plain(&mut self) {
        // Whoever was there before is not there now: there is one line. The life after this is for who calls.
        self.link.reset(self.channel);
        self.left_until = None;
        self.plain = Some(Plain::default());
        self.events.push_back(MemberEvent::Begun);
    }

    pub(super) fn plain_said(&mut self, bytes: &[u8]) {
        let Some(plain) = self.plain.as_mut().filter(|plain| !plain.is_left) else { return };
        let room = MAX_PLAIN_INPUT - plain.incoming.len();
        plain.incoming.extend(&bytes[..bytes.len().min(room)]);
        self.events.push_back(MemberEvent::Readable);
    }

    pub(super) fn end_plain(&mut self) {
        if self.plain.take().is_some_and(|plain| !plain.is_left) {
            self.events.push_back(MemberEvent::Over(None));
        }
    }

    /// Whether it is a plain debugger that is there.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.plain.is_some()
    }

    /// Takes as many of `bytes` as there is room for, and returns how many; [`MemberEvent::Writable`] follows where it was not all.
    pub fn send(&mut self, bytes: &[u8]) -> usize {
        let Some(plain) = &mut self.plain else { return self.link.send(self.channel, bytes) };
        let count = bytes.len().min(MAX_PLAIN_OUTPUT - plain.outgoing.len());
        plain.outgoing.extend(&bytes[..count]);
        plain.starved = count < bytes.len();
        count
    }

    /// Sends nothing more, once all is sent that was taken.
    pub fn finish(&mut self) {
        if self.plain.is_none() {
            self.link.finish(self.channel);
        }
    }

    /// Whether all that was sent has arrived; a plain debugger's when it has left.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        match &self.plain {
            Some(plain) => plain.outgoing.is_empty() && self.waiting == 0,
            None => self.link.is_drained(self.channel),
        }
    }

    /// Received bytes, as many as lie in one piece: some where there are any.
    #[must_use]
    pub fn readable(&self) -> &[u8] {
        match &self.plain {
            Some(plain) => plain.incoming.as_slices().0,
            None => self.link.readable(self.channel),
        }
    }

    /// Takes note that the first `count` bytes of [`Self::readable`] are done with.
    ///
    /// # Panics
    /// If there were fewer.
    pub fn consumed(&mut self, count: usize) {
        match &mut self.plain {
            Some(plain) => drop(plain.incoming.drain(..count)),
            None => self.link.consumed(self.channel, count),
        }
    }

    /// The user is done: what it has sent still arrives, where that takes no more than [`LINE_FAREWELL`]; what comes is dropped. The
    /// member may be [opened](Self::open) again when it [is not open](Self::is_open) any more.
    pub fn leave(&mut self) {
        if let Some(plain) = &mut self.plain {
            plain.is_left = true;
            plain.incoming.clear();
            return;
        }
        if !self.has_met {
            return self.link.reset(self.channel);
        }
        self.link.finish(self.channel);
        self.left_until = Some(self.now + LINE_FAREWELL);
        self.discard();
    }

    /// As [`Self::leave`], and nobody else will come: there is no new life, nor another debugger.
    pub fn close(&mut self) {
        if self.plain.is_some() {
            self.leave();
            self.link.reset(self.channel);
        } else if self.is_open() {
            self.leave();
        }
    }

    /// Whether the switch and the line have all that there was for them.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let is_said = self.plain.as_ref().is_none_or(|plain| plain.outgoing.is_empty());
        self.output.is_empty() && self.waiting == 0 && is_said
    }

    /// The process has nothing more to say, to the switch either.
    pub fn say_goodbye(&mut self) {
        self.tell(ToSwitch::Leave);
    }

    pub(super) fn discard(&mut self) {
        while !self.link.readable(self.channel).is_empty() {
            self.link.consumed(self.channel, self.link.readable(self.channel).len());
        }
    }
}
