//! One life of one end of a channel: from its opening until it is over.

use super::event::{Event, Violation};
use super::frame::{Ack, Data, Hello, OVERHEAD, Stream};
use super::incarnation::{Incarnation, seed};
use super::incoming::Incoming;
use super::line::Line;
use super::offset;
use super::outgoing::Outgoing;
use crate::limits::{LINE_KEEP_ALIVE, MAX_LINE_RANGES};
use crate::options::Channel;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

/// The most data, in bytes, with which an acknowledgement of losses goes along.
const MAX_RIDE: usize = 256;

/// How a channel's end begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Opening {
    /// It calls the other side until that is there.
    Call,
    /// It keeps silent until it is called, for somebody else may use the line.
    Answer,
}

/// What is to be told about a call that found nobody.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Nobody {
    Unknown,
    Untold,
    Told,
}

/// An open end of a channel.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) mine: Incarnation,
    /// The other end, as far as it has shown itself.
    pub(super) peer: Option<Incarnation>,
    /// The one before it, of which nothing is believed any more.
    pub(super) before: Option<Incarnation>,
    opening: Opening,
    /// The other end knows this one.
    pub(super) is_met: bool,
    pub(super) incoming: Incoming,
    pub(super) outgoing: Outgoing,
    /// A hello is to be sent; whether it is to be answered.
    hello: Option<bool>,
    /// How often something was sent since there was an answer, and none came in time.
    attempts: u32,
    /// How often it was asked for credit.
    pleas: u32,
    /// When the last frame left that is to be answered, or the last news came of those before.
    asked_at: Duration,
    heard_at: Duration,
    /// How much of the line it has had, in bytes, beginning with what the others had when it began.
    pub(super) share: u64,
    nobody: Nobody,
    /// The caller is to be told that the other side is there.
    welcome: bool,
    /// The caller is to be told of new data.
    news: bool,
}

impl Life {
    pub(super) fn new(opening: Opening, mine: Incarnation, before: Option<Incarnation>, line: &Line) -> Self {
        Self {
            mine,
            peer: None,
            before,
            opening,
            is_met: false,
            incoming: Incoming::new(line.window()),
            outgoing: Outgoing::new(2 * line.window()),
            hello: (opening == Opening::Call).then_some(true),
            attempts: 0,
            pleas: 0,
            asked_at: Duration::ZERO,
            heard_at: Duration::ZERO,
            share: 0,
            nobody: Nobody::Unknown,
            welcome: false,
            news: false,
        }
    }

    /// A hello of the other end, which is not another one than it was.
    pub(super) fn greeted(&mut self, hello: &Hello, now: Duration) {
        if !self.is_met {
            self.peer = Some(hello.mine);
            self.outgoing.begin(offset::near(0, hello.window).unwrap_or(0));
        }
        if hello.yours == Some(self.mine) {
            self.heard(now);
        }
        if hello.want {
            self.hello = Some(!self.is_met);
            if self.is_met {
                self.incoming.want_ack();
            }
        }
    }

    /// A frame that only the other end can have sent, to this one.
    fn heard(&mut self, now: Duration) {
        if !self.is_met {
            self.is_met = true;
            self.welcome = true;
            // No need to go on calling.
            self.hello = None;
        }
        self.heard_at = now;
        // There was silence, and now it is over.
        if mem::take(&mut self.attempts) > 1 {
            self.outgoing.give_up_first();
        }
    }

    /// There is nobody, and the end that had answered is no more.
    pub(super) fn unanswered(&mut self) {
        self.peer = None;
        if self.nobody == Nobody::Unknown {
            self.nobody = Nobody::Untold;
        }
    }

    /// Takes what the other end says.
    pub(super) fn received(&mut self, stream: &Stream<'_>, line: &mut Line, now: Duration) -> Result<(), Violation> {
        self.heard(now);
        if let Some(ack) = &stream.ack {
            self.acknowledged(ack, line, now)?;
        }
        if let Some(data) = &stream.data {
            self.news |= self.incoming.data(data)?;
        }
        if stream.want {
            self.incoming.want_ack();
        }
        Ok(())
    }

    fn acknowledged(&mut self, ack: &Ack, line: &mut Line, now: Duration) -> Result<(), Violation> {
        let reference = self.outgoing.reference();
        let position = |low| offset::near(reference, low).ok_or(Violation::Unsent);
        let (next, limit) = (position(ack.next)?, position(ack.limit)?);
        let mut end = next;
        let ranges = ack.ranges.iter().map(|&(gap, length)| {
            let start = end + gap;
            end = start + length;
            start..end
        });
        let ranges: Vec<_> = ranges.collect();
        let is_cut = ranges.len() == MAX_LINE_RANGES;
        let learned = self.outgoing.acknowledged(next, &ranges, is_cut, limit)?;
        line.quality.observe(learned.bytes, learned.losses);
        if let Some(left_at) = learned.left_at {
            line.measured(now.saturating_sub(left_at));
        }
        if learned.is_progress {
            self.asked_at = self.asked_at.max(now);
            self.pleas = 0;
        }
        Ok(())
    }

    /// Whether a hello is to be sent.
    pub(super) fn is_hello_due(&self) -> bool {
        self.hello.is_some()
    }

    /// Writes the hello that is due.
    pub(super) fn write_hello(&mut self, channel: Channel, line: &Line, now: Duration, out: &mut Vec<u8>) {
        let Some(want) = self.hello.take() else { return };
        Hello { mine: self.mine, yours: self.peer, window: line.window_bytes(), want }.emit(channel, out);
        if want {
            self.asked_at = line.leaves(now, out.len());
        }
    }

    /// Whether there is data that may be sent.
    pub(super) fn has_data(&self) -> bool {
        self.is_met && self.outgoing.is_ready()
    }

    /// Whether there is an acknowledgement to be sent.
    pub(super) fn is_ack_due(&self) -> bool {
        self.is_met && self.incoming.is_ack_due()
    }

    /// Whether an acknowledgement may go along with data. One that tells of losses is not put into a long frame: on such a line
    /// that is likely lost, and without the news the other side goes on with frames as long.
    pub(super) fn can_ack_ride(&self, line: &Line) -> bool {
        !self.incoming.is_lacking() || line.payload() <= MAX_RIDE
    }

    /// Writes an acknowledgement.
    pub(super) fn write_ack(&mut self, channel: Channel, out: &mut Vec<u8>) {
        let Some(peer) = self.peer else { return };
        let stream = Stream { ack: Some(self.incoming.take_ack()), ..Stream::default() };
        stream.emit(channel, seed(self.mine, peer), out);
    }

    /// Writes the next piece of data.
    pub(super) fn write_data(&mut self, channel: Channel, line: &mut Line, now: Duration, out: &mut Vec<u8>) {
        let (Some(peer), Some(next)) = (self.peer, self.outgoing.next(line.payload())) else { return };
        let mut bytes = Vec::new();
        self.outgoing.copy(&next, &mut bytes);
        let data = Data { offset: offset::low(next.offset()), bytes: &bytes, is_last: next.is_last() };
        let left_at = line.leaves(now, bytes.len() + OVERHEAD);
        self.outgoing.sent(next, line.next_order(), left_at);
        self.asked_at = left_at;
        self.share += (bytes.len() + OVERHEAD) as u64;
        let is_ack_welcome = self.incoming.is_ack_welcome() && self.can_ack_ride(line);
        let ack = is_ack_welcome.then(|| self.incoming.take_ack());
        // Where nothing follows, nothing would show that this one was lost.
        let want = !self.outgoing.is_ready();
        Stream { ack, data: Some(data), want }.emit(channel, seed(self.mine, peer), out);
    }

    /// When [`Self::handle_timeout`] is due, unless something is to be sent before.
    pub(super) fn deadline(&self, line: &Line) -> Option<Duration> {
        if self.hello.is_some() || self.has_data() {
            return None;
        }
        if !self.is_met {
            return (self.opening == Opening::Call).then(|| self.asked_at + line.retry(self.attempts));
        }
        let is_waiting = self.attempts > 0 || self.outgoing.is_under_way();
        if is_waiting || self.outgoing.is_blocked() {
            return Some(self.asked_at + line.retry(self.attempts.max(self.pleas)));
        }
        // One of the two is enough.
        let patience = if self.opening == Opening::Call { LINE_KEEP_ALIVE } else { 2 * LINE_KEEP_ALIVE };
        Some(self.heard_at.max(self.asked_at) + patience)
    }

    /// No answer came in time. The first time the first piece under way is sent again; after that the question is whether anybody
    /// is there, for the other side may be another process, which could not read a stream frame.
    pub(super) fn handle_timeout(&mut self, line: &mut Line) {
        let is_repeated = self.is_met && self.attempts == 0 && self.outgoing.give_up_first();
        if is_repeated {
            line.quality.observe(0, 1);
        } else {
            self.hello = Some(true);
            self.pleas += u32::from(self.outgoing.is_blocked());
        }
        self.attempts = self.attempts.saturating_add(1);
    }

    /// What the caller is to be told next.
    pub(super) fn take_event(&mut self, channel: Channel) -> Option<Event> {
        if mem::take(&mut self.welcome) {
            self.nobody = Nobody::Told;
            return Some(Event::Connected(channel));
        }
        if self.nobody == Nobody::Untold {
            self.nobody = Nobody::Told;
            return Some(Event::Nobody(channel));
        }
        if mem::take(&mut self.news) && !self.incoming.readable().is_empty() {
            return Some(Event::Readable(channel));
        }
        if self.outgoing.is_writable_due() {
            self.outgoing.writable_told();
            return Some(Event::Writable(channel));
        }
        if self.incoming.is_finish_due() {
            self.incoming.finish_told();
            return Some(Event::Finished(channel));
        }
        None
    }

    /// Whether the caller knows of the end of both streams.
    pub(super) fn is_forgotten(&self) -> bool {
        self.incoming.is_over() && self.outgoing.is_finishing()
    }

    /// Whether both streams have come to their ends, and all who have to know do.
    pub(super) fn is_over(&self) -> bool {
        self.incoming.is_over() && self.outgoing.is_over() && !self.incoming.is_ack_due()
    }
}
