//! One end of one channel of a line that processes share; the other half is the [`Switch`](super::Switch) of whoever has the port.
//!
//! ```text
//!   bytes of the switch  ──> receive_buffer(), received(n) ──> poll_event(), readable()/consumed(n)
//!   bytes for the switch <── transmit(), transmitted(n)    <── send(), finish(), leave()
//! ```
//! The connection to the switch may end at any time ([`Member::detached`]), and there may be another later ([`Member::attached`]): the
//! channel's streams go on as if nothing had happened.

mod talk;

use super::deframe::Deframer;
use super::local::{Join, Refusal, ToMember, ToSwitch};
use super::{Event, InUse, Link, Opening, Reason};
use crate::limits::{MAX_MEMBER_FRAMES, SMALL_BUFFER};
use crate::options::{Baud, Channel};
use crate::session::Random;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;
use talk::Plain;

/// What happened to a member.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MemberEvent {
    /// The switch takes it.
    Joined,
    /// The switch does not take it, and its connection is of no use.
    Refused(Refusal),
    /// The other side is there, or a plain debugger is. Whatever was before is over.
    Begun,
    /// There is a switch at the other side, and nobody who has this channel. Told once in each life.
    Nobody,
    /// There is something new to [`Member::readable`].
    Readable,
    /// [`Member::send`] takes bytes again.
    Writable,
    /// The other side sends nothing more; told after all data was taken.
    Finished,
    /// It is over before it was finished: why, where it was no plain debugger's.
    Over(Option<Reason>),
}

/// Where the connection to the switch stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Detached,
    Joining,
    Joined,
}

/// One end of a channel. Times are since any fixed moment.
#[derive(Debug)]
pub struct Member {
    link: Link,
    channel: Channel,
    baud: Baud,
    opening: Opening,
    stage: Stage,
    input: Box<[u8]>,
    deframer: Deframer,
    /// What is to be sent to the switch.
    output: Vec<u8>,
    /// Frames that the switch has and the line has not.
    waiting: usize,
    plain: Option<Plain>,
    /// In this life the other side has been there.
    has_met: bool,
    /// The user is done with the channel; until when what is left is sent.
    left_until: Option<Duration>,
    events: VecDeque<MemberEvent>,
    now: Duration,
}

impl Member {
    /// One end of `channel`, not [open](Self::open) yet and without a switch. One that answers serves plain debuggers as well.
    #[must_use]
    pub fn new(channel: Channel, baud: Baud, opening: Opening, now: Duration) -> Self {
        Self {
            link: Link::new(baud, now),
            channel,
            baud,
            opening,
            stage: Stage::Detached,
            input: vec![0; SMALL_BUFFER].into(),
            deframer: Deframer::default(),
            output: Vec::new(),
            waiting: 0,
            plain: None,
            has_met: false,
            left_until: None,
            events: VecDeque::new(),
            now,
        }
    }

    /// Begins a life.
    ///
    /// # Errors
    /// [`InUse`]: the last one is not over.
    pub fn open(&mut self, random: &mut dyn Random) -> Result<(), InUse> {
        self.link.open(self.channel, self.opening, random)?;
        (self.left_until, self.has_met) = (None, false);
        Ok(())
    }

    /// Whether there is a life that is not over.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.link.is_open(self.channel)
    }

    /// There is a connection to a switch.
    pub fn attached(&mut self, now: Duration) {
        self.detached();
        self.now = self.now.max(now);
        self.stage = Stage::Joining;
        self.tell(ToSwitch::Join(Some(Join {
            channel: self.channel,
            baud: self.baud,
            serves: self.opening == Opening::Answer,
            is_plain: self.plain.is_some(),
        })));
    }

    /// The connection is gone. What was under way is sent again in time.
    pub fn detached(&mut self) {
        self.stage = Stage::Detached;
        self.deframer = Deframer::default();
        self.output.clear();
        self.waiting = 0;
    }

    fn tell(&mut self, what: ToSwitch<'_>) {
        what.emit(&mut self.output);
    }

    /// Where to put bytes of the switch; never empty.
    pub fn receive_buffer(&mut self) -> &mut [u8] {
        &mut self.input
    }

    /// The first `count` bytes of [`Self::receive_buffer`] came from the switch.
    ///
    /// # Panics
    /// If `count` is more than the buffer has.
    pub fn received(&mut self, count: usize, now: Duration) {
        self.now = self.now.max(now);
        // The link passes over what is not the line's.
        self.link.receive_buffer()[..count].copy_from_slice(&self.input[..count]);
        self.link.received(count, now);
        let (input, mut deframer) = (mem::take(&mut self.input), mem::take(&mut self.deframer));
        for &byte in &input[..count] {
            if let Some(said) = deframer.push(byte).and_then(ToMember::parse) {
                self.told(said);
            }
        }
        (self.input, self.deframer) = (input, deframer);
        self.gather();
    }

    fn told(&mut self, said: ToMember<'_>) {
        match said {
            ToMember::Joined => {
                self.stage = Stage::Joined;
                self.events.push_back(MemberEvent::Joined);
            }
            ToMember::Refused(refusal) => self.events.push_back(MemberEvent::Refused(refusal)),
            ToMember::Taken => self.waiting = self.waiting.saturating_sub(1),
            ToMember::PlainBegins => self.begin_plain(),
            ToMember::Plain(bytes) => self.plain_said(bytes),
            ToMember::PlainEnds => self.end_plain(),
        }
    }

    /// Collects what the link has to tell.
    fn gather(&mut self) {
        while let Some(event) = self.link.poll_event() {
            self.events.push_back(match event {
                Event::Connected(_) => {
                    self.has_met = true;
                    MemberEvent::Begun
                }
                Event::Nobody(_) => MemberEvent::Nobody,
                Event::Readable(_) => MemberEvent::Readable,
                Event::Writable(_) => MemberEvent::Writable,
                Event::Finished(_) => MemberEvent::Finished,
                Event::Reset { reason, .. } => MemberEvent::Over(Some(reason)),
            });
            if self.left_until.is_some() {
                self.discard();
            }
        }
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<MemberEvent> {
        self.gather();
        self.events.pop_front()
    }

    /// Bytes for the switch. Empty where there are none, where it has enough of this member's, or where there is no switch.
    pub fn transmit(&mut self, now: Duration) -> &[u8] {
        self.now = self.now.max(now);
        if self.output.is_empty() && self.may_send() {
            self.fill();
        }
        &self.output
    }

    /// The first `count` bytes of [`Self::transmit`] were sent.
    ///
    /// # Panics
    /// If there were fewer.
    pub fn transmitted(&mut self, count: usize) {
        self.output.drain(..count);
    }

    fn may_send(&self) -> bool {
        self.stage == Stage::Joined && self.waiting < MAX_MEMBER_FRAMES
    }

    /// Takes the next frame out of the link, or what there is for a debugger.
    fn fill(&mut self) {
        if let Some(plain) = &mut self.plain {
            if let Some(bytes) = plain.take() {
                self.events.extend(plain.is_writable_due().then_some(MemberEvent::Writable));
                self.tell(ToSwitch::Say(&bytes));
                self.waiting += 1;
            }
            return;
        }
        let frame = self.link.transmit(self.now);
        let count = frame.len();
        if count > 0 {
            self.output.extend_from_slice(frame);
            self.link.transmitted(count, self.now);
            self.waiting += 1;
        }
    }

    /// When [`Self::transmit`] or [`Self::handle_timeout`] is to be called next, if nothing else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        // A line that takes nothing answers nothing.
        let is_running = self.output.is_empty() && self.may_send() && self.plain.is_none();
        let link = if is_running { self.link.deadline() } else { None };
        link.into_iter().chain(self.left_until).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.now = self.now.max(now);
        if self.left_until.is_some_and(|until| until <= self.now) {
            self.left_until = None;
            self.link.reset(self.channel);
        }
        if self.may_send() && self.plain.is_none() {
            self.link.handle_timeout(now);
        }
        self.gather();
    }
}
