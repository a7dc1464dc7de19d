//! One life of a channel's number, from its opening until one side's last frame.

use super::frame::Frame;
use super::incoming::Incoming;
use super::outgoing::Outgoing;
use super::{Channel, Event, Kind, MuxError};
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

/// How far the opening has come.
#[derive(Debug, Eq, PartialEq)]
enum Phase {
    /// Client: the other side does not know of it.
    Unsent { kind: Kind, label: String },
    /// Client: it waits for the answer.
    Asked,
    /// Server: the caller does not know of it.
    Offered { kind: Kind, label: String },
    /// Server: it waits for the caller's answer.
    Undecided,
    /// Server: the client does not know that it is accepted.
    Accepted,
    /// Open on both sides.
    Open,
}

/// A channel that can still carry something.
#[derive(Debug)]
pub(super) struct Life {
    phase: Phase,
    pub(super) incoming: Incoming,
    pub(super) outgoing: Outgoing,
    /// Client: the caller is to be told that it was accepted.
    welcome: bool,
    /// The caller is to be told of new data.
    news: bool,
    /// The other side's last frame has come, while there is still something to read here.
    closed: bool,
}

impl Life {
    fn new(phase: Phase) -> Self {
        Self { phase, incoming: Incoming::new(), outgoing: Outgoing::new(), welcome: false, news: false, closed: false }
    }

    /// The control channel's.
    pub(super) fn control() -> Self {
        Self::new(Phase::Open)
    }

    /// A channel that this side, the client, opens.
    pub(super) fn opening(kind: Kind, label: String) -> Self {
        Self::new(Phase::Unsent { kind, label })
    }

    /// A channel that the client has opened.
    pub(super) fn offered(kind: Kind, label: String) -> Self {
        Self::new(Phase::Offered { kind, label })
    }

    /// Whether the other side has not heard of it.
    pub(super) fn is_unsent(&self) -> bool {
        matches!(self.phase, Phase::Unsent { .. })
    }

    /// Whether it waits for the other side's answer.
    pub(super) fn is_asked(&self) -> bool {
        self.phase == Phase::Asked
    }

    /// Whether the caller knows of it.
    pub(super) fn is_told(&self) -> bool {
        !matches!(self.phase, Phase::Offered { .. })
    }

    /// Whether it waits for this side's answer.
    pub(super) fn is_undecided(&self) -> bool {
        matches!(self.phase, Phase::Offered { .. } | Phase::Undecided)
    }

    /// Accepts it.
    pub(super) fn accept(&mut self) {
        self.phase = Phase::Accepted;
    }

    /// Takes any frame but an opening and those that end a life at once.
    pub(super) fn received(&mut self, channel: Channel, frame: &Frame<'_>, pool: &mut usize) -> Result<(), MuxError> {
        let channel = channel.number();
        let in_turn = match frame {
            Frame::Accept => self.is_asked(),
            Frame::Close => self.incoming.is_finished() && self.outgoing.is_over() && !self.closed,
            Frame::Credit(_) => !self.is_asked() && !self.closed,
            _ => !self.is_asked() && !self.incoming.is_finished(),
        };
        if !in_turn {
            return Err(MuxError::OutOfTurn { channel, frame: frame.name() });
        }
        match frame {
            Frame::Accept => {
                self.phase = Phase::Open;
                self.welcome = true;
            }
            Frame::Data(bytes) if !self.incoming.data(bytes) => return Err(MuxError::Overrun(channel)),
            Frame::Data(_) => self.news = true,
            Frame::Credit(credit) if !self.outgoing.grant(*credit) => return Err(MuxError::Credit(channel)),
            Frame::Blocked => self.incoming.blocked(pool),
            Frame::Finish => self.incoming.finish(),
            Frame::Close => self.closed = true,
            Frame::Credit(_) | Frame::Open { .. } | Frame::Refuse { .. } | Frame::Reset { .. } => {}
        }
        Ok(())
    }

    /// Whether there is something for [`Self::write_notice`].
    pub(super) fn has_notice(&self) -> bool {
        matches!(self.phase, Phase::Unsent { .. } | Phase::Accepted)
            || self.incoming.is_credit_due()
            || self.outgoing.is_blocked_due()
            || self.outgoing.is_finish_due()
    }

    /// Writes one of the frames that are not data, false where none is due.
    pub(super) fn write_notice(&mut self, channel: Channel, out: &mut Vec<u8>) -> bool {
        if let Phase::Unsent { kind, label } = &self.phase {
            Frame::Open { kind: *kind, label }.emit(channel, out);
            self.phase = Phase::Asked;
            return true;
        }
        let frame = if self.phase == Phase::Accepted {
            self.phase = Phase::Open;
            Frame::Accept
        } else if self.incoming.is_credit_due() {
            Frame::Credit(self.incoming.take_credit())
        } else if self.outgoing.is_blocked_due() {
            self.outgoing.blocked_told();
            Frame::Blocked
        } else if self.outgoing.is_finish_due() {
            self.outgoing.finish_told();
            Frame::Finish
        } else {
            return false;
        };
        frame.emit(channel, out);
        true
    }

    /// Whether there is something for [`Self::take_event`].
    pub(super) fn has_event(&self) -> bool {
        match self.phase {
            Phase::Offered { .. } => true,
            Phase::Undecided => false,
            _ => self.welcome || self.news || self.outgoing.is_writable_due() || self.incoming.is_finish_due(),
        }
    }

    /// What the caller is to be told next.
    pub(super) fn take_event(&mut self, channel: Channel) -> Option<Event> {
        if self.is_undecided() {
            return match mem::replace(&mut self.phase, Phase::Undecided) {
                Phase::Offered { kind, label } => Some(Event::Opened { channel, kind, label }),
                _ => None,
            };
        }
        if mem::take(&mut self.welcome) {
            Some(Event::Accepted(channel))
        } else if mem::take(&mut self.news) && !self.incoming.buffer().is_empty() {
            Some(Event::Readable(channel))
        } else if self.outgoing.is_writable_due() {
            self.outgoing.writable_told();
            Some(Event::Writable(channel))
        } else if self.incoming.is_finish_due() {
            self.incoming.finish_told();
            Some(Event::Finished(channel))
        } else {
            None
        }
    }

    /// Whether both sides have finished, and both callers know.
    pub(super) fn is_over(&self) -> bool {
        self.incoming.is_over() && self.outgoing.is_over()
    }

    /// Whether the other side's last frame has come.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }
}
