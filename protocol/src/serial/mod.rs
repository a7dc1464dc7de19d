//! A serial line shared by channels 0 to 254, each a reliable byte stream both ways.
//!
//! The line may lose, damage, double and invent bytes; it does not reorder them. Frames with a checksum carry the streams'
//! bytes, what does not arrive is sent again, and each channel has a credit of its own, so that none waits for another's reader.
//! Both sides are alike, except that one of a channel's ends should [`Call`](Opening::Call).
//!
//! ```text
//!   bytes in  ──> receive_buffer(), received(n) ──> poll_event(), readable()/consumed(n)
//!   bytes out <── transmit(), transmitted(n)    <── open(), send(), finish(), reset()
//!   time      ──> deadline(), handle_timeout()
//! ```
//! After any call there may be events and bytes to send. [`Link::transmit`] gives a frame at a time, and no more than the
//! line carries in the next milliseconds, so that the frames of a channel that wakes up don't stand behind those of the others.
//!
//! A channel is over, and the caller forgets it, after [`Event::Reset`] or [`Link::reset`], or after both [`Event::Finished`]
//! and [`Link::finish`]; what was sent still arrives then, and [`Link::is_drained`] tells when. What is called on a channel
//! that is not open does nothing. Each opening draws a random number, by which a new life of either end is told from the one before:
//! the end that lives on is [reset](Event::Reset).
//!
//! A line can be shared by processes as well: links know nothing of each other's channels, and frames can be handed on from one to
//! another by their channel alone. Each process has a [`Member`] for each of its channels, and one of them has the port, with a
//! [`Switch`] at it.
//!
//! `docs/serial.md` has every byte, and `docs/vectors/serial.txt` examples, which the tests here read.

mod cobs;
mod crc;
mod deframe;
mod event;
mod frame;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod incarnation;
mod incoming;
mod life;
mod line;
mod local;
mod member;
mod offset;
mod outgoing;
mod plain;
mod quality;
mod receive;
mod slot;
mod switch;
#[cfg(any(test, fuzzing))]
mod testing;
#[cfg(test)]
mod tests;
mod transmit;

pub use event::{Event, InUse, Reason, Violation};
pub use life::Opening;
pub use local::Refusal;
pub use member::{Member, MemberEvent};
pub use switch::{MemberId, Misuse, Switch};

use crate::limits::SMALL_BUFFER;
use crate::options::{Baud, Channel};
use crate::session::Random;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;
use deframe::Deframer;
use incarnation::Incarnation;
use life::Life;
use line::Line;
use slot::{Closed, Slot};

/// How many channels there are.
const CHANNELS: u8 = 255;

/// One side of a line. Times are since any fixed moment.
#[derive(Debug)]
pub struct Link {
    line: Line,
    slots: Box<[Slot]>,
    input: Box<[u8]>,
    deframer: Deframer,
    /// One frame, or what is left of it to be sent.
    output: Vec<u8>,
    sent: usize,
    /// The channel whose event was told last.
    told: u8,
    /// The share of the line at which the last data was sent; see [`Life::share`].
    share: u64,
    now: Duration,
}

impl Link {
    /// A line of this rate, and no channel open.
    #[must_use]
    pub fn new(baud: Baud, now: Duration) -> Self {
        Self {
            line: Line::new(baud),
            slots: (0..CHANNELS).map(|_| Slot::Closed(Closed::default())).collect(),
            input: vec![0; SMALL_BUFFER].into(),
            deframer: Deframer::default(),
            output: Vec::new(),
            sent: 0,
            told: 0,
            share: 0,
            now,
        }
    }

    /// Opens this side's end of a channel. Data may be sent at once; it waits until the other side is there.
    ///
    /// # Errors
    /// [`InUse`] where it [is open](Self::is_open), or its reset has not been told by [`Self::poll_event`].
    pub fn open(&mut self, channel: Channel, opening: Opening, random: &mut dyn Random) -> Result<(), InUse> {
        let Self { slots, line, now, .. } = self;
        let slot = &mut slots[index(channel)];
        let Slot::Closed(closed @ Closed { untold: None, .. }) = slot else {
            return Err(InUse(channel));
        };
        let mut life = Life::new(opening, Incarnation::draw(random), closed.peer(), line);
        if let Some(hello) = closed.knock {
            life.greeted(&hello, *now);
        }
        *slot = Slot::Open(Box::new(life));
        Ok(())
    }

    /// Takes as many of `bytes` as there is room for, and returns how many; [`Event::Writable`] follows where it was not all.
    pub fn send(&mut self, channel: Channel, bytes: &[u8]) -> usize {
        self.life_mut(channel).map_or(0, |life| life.outgoing.take(bytes))
    }

    /// How many bytes [`Self::send`] would take.
    #[must_use]
    pub fn writable(&self, channel: Channel) -> usize {
        self.life(channel).map_or(0, |life| life.outgoing.room())
    }

    /// Sends nothing more on a channel, once all is sent that was taken.
    pub fn finish(&mut self, channel: Channel) {
        if let Some(life) = self.life_mut(channel) {
            life.outgoing.finish();
        }
    }

    /// Gives a channel up, both ways and at once: nothing more is told of it, and it may be opened again.
    pub fn reset(&mut self, channel: Channel) {
        match &mut self.slots[index(channel)] {
            Slot::Open(_) => self.end(channel, None, false),
            Slot::Closed(closed) => closed.untold = None,
        }
    }

    /// Whether a channel is open, or over but not [drained](Self::is_drained).
    #[must_use]
    pub fn is_open(&self, channel: Channel) -> bool {
        self.life(channel).is_some()
    }

    /// Whether all that was sent on a channel has arrived, its end too where it was finished.
    #[must_use]
    pub fn is_drained(&self, channel: Channel) -> bool {
        self.life(channel).is_none_or(|life| life.outgoing.is_drained())
    }

    /// Received bytes of a channel, as many as lie in one piece: some where there are any.
    #[must_use]
    pub fn readable(&self, channel: Channel) -> &[u8] {
        self.life(channel).map_or(&[], |life| life.incoming.readable())
    }

    /// Takes note that the first `count` bytes of [`Self::readable`] are done with.
    ///
    /// # Panics
    /// If there were fewer, on a channel that is open.
    pub fn consumed(&mut self, channel: Channel, count: usize) {
        if let Some(life) = self.life_mut(channel) {
            life.incoming.consume(count);
        }
    }

    /// What happened. Channels take turns; of one channel in the order that is told in [`Event`].
    pub fn poll_event(&mut self) -> Option<Event> {
        for step in 1..=CHANNELS {
            let number = (u16::from(self.told) + u16::from(step)) % u16::from(CHANNELS);
            let Some(channel) = Channel::new(number as u8) else { continue };
            let event = match &mut self.slots[index(channel)] {
                Slot::Open(life) => life.take_event(channel),
                Slot::Closed(closed) => closed.untold.take().map(|reason| Event::Reset { channel, reason }),
            };
            if event.is_some() {
                self.told = channel.get();
                self.settle(channel);
                return event;
            }
        }
        None
    }

    /// When [`Self::transmit`] or [`Self::handle_timeout`] is to be called next, if nothing else happens before. `None` while
    /// [`Self::transmit`] gives bytes: a line that takes none answers none.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        if self.sent < self.output.len() {
            return None;
        }
        let frame = self.has_frame().then(|| self.line.next_turn());
        self.timeouts().map(|(_, deadline)| deadline).chain(frame).min().map(|deadline| deadline.max(self.now))
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.now = self.now.max(now);
        if self.sent < self.output.len() {
            return;
        }
        let due: Vec<u8> =
            self.timeouts().filter(|(_, deadline)| *deadline <= self.now).map(|(number, _)| number).collect();
        for number in due {
            if let Slot::Open(life) = &mut self.slots[usize::from(number)] {
                life.handle_timeout(&mut self.line);
            }
        }
    }

    /// The channels that wait for something, and how long.
    fn timeouts(&self) -> impl Iterator<Item = (u8, Duration)> {
        (0..CHANNELS).zip(&self.slots).filter_map(|(number, slot)| match slot {
            Slot::Open(life) => life.deadline(&self.line).map(|deadline| (number, deadline)),
            Slot::Closed(_) => None,
        })
    }

    fn life(&self, channel: Channel) -> Option<&Life> {
        match &self.slots[index(channel)] {
            Slot::Open(life) => Some(life),
            Slot::Closed(_) => None,
        }
    }

    fn life_mut(&mut self, channel: Channel) -> Option<&mut Life> {
        match &mut self.slots[index(channel)] {
            Slot::Open(life) => Some(life),
            Slot::Closed(_) => None,
        }
    }

    /// Ends a life.
    fn end(&mut self, channel: Channel, untold: Option<Reason>, clean: bool) {
        let slot = &mut self.slots[index(channel)];
        if let Slot::Open(life) = slot {
            *slot = Slot::Closed(Closed::after(life, untold, clean));
        }
    }

    /// Ends a life that has come to its end.
    fn settle(&mut self, channel: Channel) {
        if self.life(channel).is_some_and(Life::is_over) {
            self.end(channel, None, true);
        }
    }

    /// The memory that its channels' bytes take.
    #[cfg(any(test, fuzzing))]
    fn allocated(&self) -> usize {
        let lives = self.slots.iter().filter_map(|slot| if let Slot::Open(life) = slot { Some(life) } else { None });
        lives.map(|life| life.incoming.allocated() + life.outgoing.allocated()).sum()
    }
}

fn index(channel: Channel) -> usize {
    usize::from(channel.get())
}
