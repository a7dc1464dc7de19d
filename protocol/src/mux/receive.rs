//! What the other side's frames do.

use super::farewell::Farewell;
use super::frame::Frame;
use super::life::Life;
use super::{Channel, Event, Kind, Mux, MuxError, Role, Slot};
use alloc::boxed::Box;

impl Mux {
    /// A frame of the other side.
    ///
    /// # Errors
    /// What breaks the session.
    pub fn received(&mut self, frame: &[u8]) -> Result<(), MuxError> {
        let (channel, frame) = Frame::parse(frame)?;
        match frame {
            Frame::Open { kind, label } => self.offer(channel, kind, label)?,
            Frame::Refuse { .. } | Frame::Reset { .. } => self.turned_away(channel, &frame)?,
            _ => self.carried(channel, &frame)?,
        }
        self.settle(channel);
        Ok(())
    }

    /// The client opens a channel.
    fn offer(&mut self, channel: Channel, kind: Kind, label: &str) -> Result<(), MuxError> {
        let slot = &mut self.slots[channel.index()];
        if self.role == Role::Client || !matches!(slot, Slot::Free) {
            return Err(MuxError::Open(channel.number()));
        }
        *slot = Slot::Live(Box::new(Life::offered(kind, label.into())));
        Ok(())
    }

    /// The other side ends a channel, one way or the other.
    fn turned_away(&mut self, channel: Channel, frame: &Frame<'_>) -> Result<(), MuxError> {
        let life = match &mut self.slots[channel.index()] {
            Slot::Live(life) if !life.is_unsent() && !life.is_closed() => life,
            Slot::Ended(farewell) => return farewell.received(channel, frame, self.role),
            Slot::Live(_) | Slot::Free => return Err(MuxError::NotOpen(channel.number())),
        };
        let event = match *frame {
            Frame::Refuse { code, text } if life.is_asked() => Event::Refused { channel, code, text: text.into() },
            Frame::Reset { code, text } if channel != Channel::CONTROL => {
                Event::Reset { channel, code, text: text.into() }
            }
            _ => return Err(MuxError::OutOfTurn { channel: channel.number(), frame: frame.name() }),
        };
        // A channel that the caller never heard of ends without a word.
        let event = life.is_told().then_some(event);
        self.end(channel, Farewell::answer(event));
        Ok(())
    }

    /// Anything else.
    fn carried(&mut self, channel: Channel, frame: &Frame<'_>) -> Result<(), MuxError> {
        let Self { slots, pool, role, .. } = self;
        match &mut slots[channel.index()] {
            Slot::Live(life) if life.is_unsent() => Err(MuxError::NotOpen(channel.number())),
            Slot::Live(_) if channel == Channel::CONTROL && matches!(frame, Frame::Finish) => {
                Err(MuxError::OutOfTurn { channel: 0, frame: frame.name() })
            }
            Slot::Live(life) => life.received(channel, frame, pool),
            Slot::Ended(farewell) => farewell.received(channel, frame, *role),
            Slot::Free => Err(MuxError::NotOpen(channel.number())),
        }
    }
}
