//! Channels 0 to 254 within one session, each a byte stream both ways with a credit of its own.
//!
//! Frames go out and come in as the session's messages. The client opens channels, the server accepts or refuses them;
//! channel 0 is there from the beginning and carries the control protocol.
//!
//! ```text
//!   frames in  ──> received(frame) ──> poll_event(), readable()/consumed(n)
//!   frames out <── write_frame(out) <── open(), accept(), refuse(), send(), finish(), reset()
//! ```
//! After any call there may be events, and frames to write. What a channel may hold is bounded whatever the other side
//! does: [`MAX_WINDOW`] received bytes ([`MAX_WINDOWS`] over all channels) and [`MAX_SEND_BUFFER`] bytes to be sent.
//!
//! A channel is over, and the caller forgets it, after [`Event::Refused`], [`Event::Reset`], [`Mux::refuse`] or
//! [`Mux::reset`], or after both [`Event::Finished`] and [`Mux::finish`]. What is called on a channel that is not there does
//! nothing. Its number comes back with the next [`Event::Opened`] or [`Mux::open`] at the earliest: whoever hands channels
//! on to others must not let an old one's calls through to the new.
//!
//! [`MAX_WINDOW`]: crate::limits::MAX_WINDOW
//! [`MAX_WINDOWS`]: crate::limits::MAX_WINDOWS
//! [`MAX_SEND_BUFFER`]: crate::limits::MAX_SEND_BUFFER

mod buffer;
mod channel;
mod error;
mod event;
mod farewell;
mod frame;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod incoming;
mod life;
mod outgoing;
mod receive;
mod schedule;
#[cfg(test)]
mod tests;

pub use channel::{Channel, Code, Kind, Role};
pub use error::{MuxError, NoChannel};
pub use event::Event;

use crate::limits::{INITIAL_WINDOW, MAX_WINDOWS};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;
use farewell::Farewell;
use frame::cut;
use life::Life;
use schedule::Queue;

/// What windows may grow by in all, in bytes: what is left when every channel is open.
const POOL: usize = MAX_WINDOWS - Channel::COUNT * INITIAL_WINDOW;

/// What a channel's number stands for.
#[derive(Debug)]
enum Slot {
    /// Nothing.
    Free,
    /// A channel.
    Live(Box<Life>),
    /// A channel that is over, of which frames may still be under way.
    Ended(Farewell),
}

/// The channels of one session, one side.
#[derive(Debug)]
pub struct Mux {
    role: Role,
    slots: Box<[Slot]>,
    /// What windows may still grow by.
    pool: usize,
    /// The channel opened last.
    latest: Channel,
    /// Channels with an event.
    events: Queue,
    /// Channels with a frame other than data: these are small, and go first.
    notices: Queue,
    /// Channels with data and credit for it: one frame each, in turn.
    data: Queue,
}

impl Mux {
    /// No channel but [`Channel::CONTROL`].
    #[must_use]
    pub fn new(role: Role) -> Self {
        let mut slots: Box<[Slot]> = (0..Channel::COUNT).map(|_| Slot::Free).collect();
        slots[Channel::CONTROL.index()] = Slot::Live(Box::new(Life::control()));
        Self {
            role,
            slots,
            pool: POOL,
            latest: Channel::CONTROL,
            events: Queue::new(),
            notices: Queue::new(),
            data: Queue::new(),
        }
    }

    /// Client: opens a channel. Data may be sent at once. Of `label` no more is sent than
    /// [`MAX_CHANNEL_TEXT`](crate::limits::MAX_CHANNEL_TEXT) bytes.
    ///
    /// # Errors
    /// [`NoChannel`] where all are open, and on a server.
    pub fn open(&mut self, kind: Kind, label: &str) -> Result<Channel, NoChannel> {
        if self.role == Role::Server {
            return Err(NoChannel);
        }
        // Round and round, so that a number is not seen again soon in anybody's log.
        let mut channel = self.latest.next();
        for _ in 1..Channel::COUNT {
            if matches!(self.slots[channel.index()], Slot::Free) {
                self.latest = channel;
                self.slots[channel.index()] = Slot::Live(Box::new(Life::opening(kind, cut(label).into())));
                self.settle(channel);
                return Ok(channel);
            }
            channel = channel.next();
        }
        Err(NoChannel)
    }

    /// Server: accepts a channel. What the client has sent already is told of next.
    pub fn accept(&mut self, channel: Channel) {
        if let Some(life) = self.live_mut(channel).filter(|life| life.is_undecided()) {
            life.accept();
            self.settle(channel);
        }
    }

    /// Server: refuses a channel. Of `text` as much is sent as of the label in [`Self::open`].
    pub fn refuse(&mut self, channel: Channel, code: Code, text: &str) {
        if self.live(channel).is_some_and(Life::is_undecided) {
            self.end(channel, Farewell::refuse(code, cut(text).into()));
        }
    }

    /// Takes as many of `bytes` as there is room for, and returns how many; [`Event::Writable`] follows where it was not all.
    pub fn send(&mut self, channel: Channel, bytes: &[u8]) -> usize {
        let Some(life) = self.live_mut(channel) else {
            return 0;
        };
        if life.is_undecided() {
            return 0;
        }
        let count = life.outgoing.take(bytes);
        self.settle(channel);
        count
    }

    /// How many bytes [`Self::send`] would take.
    #[must_use]
    pub fn writable(&self, channel: Channel) -> usize {
        self.live(channel).filter(|life| !life.is_undecided()).map_or(0, |life| life.outgoing.room())
    }

    /// Sends nothing more on a channel, once all is sent that was taken. Nothing on [`Channel::CONTROL`], which lasts as long
    /// as the session, nor on a channel that is not accepted.
    pub fn finish(&mut self, channel: Channel) {
        if channel == Channel::CONTROL {
            return;
        }
        if let Some(life) = self.live_mut(channel).filter(|life| !life.is_undecided()) {
            life.outgoing.finish();
            self.settle(channel);
        }
    }

    /// Gives a channel up, both ways and at once: nothing more is told of it. Not [`Channel::CONTROL`]. Of `text` as much is
    /// sent as of the label in [`Self::open`].
    pub fn reset(&mut self, channel: Channel, code: Code, text: &str) {
        if channel == Channel::CONTROL {
            return;
        }
        match &mut self.slots[channel.index()] {
            Slot::Live(life) if life.is_unsent() => self.slots[channel.index()] = Slot::Free,
            Slot::Live(life) => {
                let farewell = Farewell::reset(code, cut(text).into(), life.is_closed());
                self.end(channel, farewell);
            }
            Slot::Ended(farewell) => {
                farewell.forget();
                self.settle(channel);
            }
            Slot::Free => {}
        }
    }

    /// Whether a channel is there and not over.
    #[must_use]
    pub fn is_open(&self, channel: Channel) -> bool {
        self.live(channel).is_some()
    }

    /// Received bytes of a channel, as many as lie in one piece: some where there are any.
    #[must_use]
    pub fn readable(&self, channel: Channel) -> &[u8] {
        self.live(channel).filter(|life| !life.is_undecided()).map_or(&[], |life| life.incoming.buffer().pieces().0)
    }

    /// Takes note that the first `count` bytes of [`Self::readable`] are done with, and gives the peer new credit when it is
    /// worth a frame.
    ///
    /// # Panics
    /// If there were fewer, on a channel that is open.
    pub fn consumed(&mut self, channel: Channel, count: usize) {
        let Self { slots, pool, .. } = self;
        if let Slot::Live(life) = &mut slots[channel.index()] {
            life.incoming.consume(count, pool);
            self.settle(channel);
        }
    }

    /// What happened, oldest first; of one channel in the order that is told in [`Event`].
    pub fn poll_event(&mut self) -> Option<Event> {
        while let Some(channel) = self.events.pop() {
            let event = match &mut self.slots[channel.index()] {
                Slot::Live(life) => life.take_event(channel),
                Slot::Ended(farewell) => farewell.take_event(),
                Slot::Free => None,
            };
            self.settle(channel);
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Appends the next frame to `out`, at most [`MAX_MESSAGE`](crate::limits::MAX_MESSAGE) bytes; false where there is none.
    ///
    /// Channels take turns, a frame each; one without credit is passed over. Frames without data go first.
    pub fn write_frame(&mut self, out: &mut Vec<u8>) -> bool {
        while let Some(channel) = self.notices.pop() {
            let written = match &mut self.slots[channel.index()] {
                Slot::Live(life) => life.write_notice(channel, out),
                Slot::Ended(farewell) => farewell.write(channel, out),
                Slot::Free => false,
            };
            self.settle(channel);
            if written {
                return true;
            }
        }
        while let Some(channel) = self.data.pop() {
            let written = self.live_mut(channel).is_some_and(|life| life.outgoing.write_data(channel, out));
            self.settle(channel);
            if written {
                return true;
            }
        }
        false
    }

    /// Whether [`Self::write_frame`] is worth a call.
    #[must_use]
    pub fn has_frame(&self) -> bool {
        !(self.notices.is_empty() && self.data.is_empty())
    }

    /// Whether all that [`Self::send`] took has been written: nothing waits for its turn or for credit.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        let waits = |slot: &Slot| matches!(slot, Slot::Live(life) if !life.outgoing.buffer().is_empty());
        !self.has_frame() && !self.slots.iter().any(waits)
    }

    /// The memory that its channels' bytes take.
    #[cfg(any(test, fuzzing))]
    fn allocated(&self) -> usize {
        let lives = self.slots.iter().filter_map(|slot| if let Slot::Live(life) = slot { Some(life) } else { None });
        lives.map(|life| life.incoming.buffer().capacity() + life.outgoing.buffer().capacity()).sum()
    }

    /// Whether nothing is left of channels other than the control channel.
    #[cfg(any(test, fuzzing))]
    fn is_idle(&self) -> bool {
        let free = self.slots.iter().filter(|slot| matches!(slot, Slot::Free)).count();
        let growth = self.live(Channel::CONTROL).map_or(0, |life| life.incoming.growth());
        free == Channel::COUNT - 1 && self.pool + growth == POOL
    }

    fn live(&self, channel: Channel) -> Option<&Life> {
        match &self.slots[channel.index()] {
            Slot::Live(life) => Some(life),
            Slot::Ended(_) | Slot::Free => None,
        }
    }

    fn live_mut(&mut self, channel: Channel) -> Option<&mut Life> {
        match &mut self.slots[channel.index()] {
            Slot::Live(life) => Some(life),
            Slot::Ended(_) | Slot::Free => None,
        }
    }

    /// Ends a life.
    fn end(&mut self, channel: Channel, farewell: Farewell) {
        let before = mem::replace(&mut self.slots[channel.index()], Slot::Ended(farewell));
        if let Slot::Live(life) = before {
            self.pool += life.incoming.growth();
        }
        self.settle(channel);
    }

    /// Puts a channel where it belongs after anything happened to it.
    fn settle(&mut self, channel: Channel) {
        match &self.slots[channel.index()] {
            Slot::Live(life) if life.is_over() => {
                let farewell = Farewell::close(life.is_closed());
                self.end(channel, farewell);
            }
            Slot::Live(life) => {
                if life.has_notice() {
                    self.notices.push(channel);
                }
                if life.outgoing.is_ready() {
                    self.data.push(channel);
                }
                if life.has_event() {
                    self.events.push(channel);
                }
            }
            Slot::Ended(farewell) if farewell.is_over() => self.slots[channel.index()] = Slot::Free,
            Slot::Ended(farewell) => {
                if farewell.is_due() {
                    self.notices.push(channel);
                }
                if farewell.has_event() {
                    self.events.push(channel);
                }
            }
            Slot::Free => {}
        }
    }
}
