//! The end of a channel's life, until both sides have sent their last frame.
//!
//! Each side sends one last frame, refuse, reset or close, and nothing more until the number is opened again; until the other
//! side's has come, whatever comes was under way and is dropped. A number is free for a side that has sent its last
//! frame and got the other's. As frames are never reordered, nothing of a life can so reach the next.

use super::frame::Frame;
use super::{Channel, Code, Event, MuxError, Role};
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

/// This side's last frame.
#[derive(Debug)]
enum Last {
    /// A close, when the caller was told how the life has ended. Not before: else a peer that opens and resets without end
    /// would pile up events.
    Untold(Event),
    /// Close.
    Close,
    /// Refuse.
    Refuse { code: Code, text: String },
    /// Reset.
    Reset { code: Code, text: String },
    /// It is sent.
    Sent,
}

/// A channel whose life has ended for one side at least.
#[derive(Debug)]
pub(super) struct Farewell {
    last: Last,
    /// The other side's last frame has come.
    heard: bool,
}

impl Farewell {
    /// Both sides have finished; `heard` where the other side's close has come.
    pub(super) fn close(heard: bool) -> Self {
        Self { last: Last::Close, heard }
    }

    /// The other side refused or reset. The caller is told with `event`.
    pub(super) fn answer(event: Option<Event>) -> Self {
        Self { last: event.map_or(Last::Close, Last::Untold), heard: true }
    }

    /// This side refuses.
    pub(super) fn refuse(code: Code, text: String) -> Self {
        Self { last: Last::Refuse { code, text }, heard: false }
    }

    /// This side resets; `heard` as for [`Self::close`].
    pub(super) fn reset(code: Code, text: String, heard: bool) -> Self {
        Self { last: Last::Reset { code, text }, heard }
    }

    /// The caller wants to know nothing more of it.
    pub(super) fn forget(&mut self) {
        if let Last::Untold(_) = self.last {
            self.last = Last::Close;
        }
    }

    /// Whether there is something for [`Self::take_event`].
    pub(super) fn has_event(&self) -> bool {
        matches!(self.last, Last::Untold(_))
    }

    /// What the caller is to be told.
    pub(super) fn take_event(&mut self) -> Option<Event> {
        if !self.has_event() {
            return None;
        }
        match mem::replace(&mut self.last, Last::Close) {
            Last::Untold(event) => Some(event),
            _ => None,
        }
    }

    /// Whether there is something for [`Self::write`].
    pub(super) fn is_due(&self) -> bool {
        !matches!(self.last, Last::Untold(_) | Last::Sent)
    }

    /// Writes this side's last frame, false where it is not due.
    pub(super) fn write(&mut self, channel: Channel, out: &mut Vec<u8>) -> bool {
        match &self.last {
            Last::Untold(_) | Last::Sent => return false,
            Last::Close => Frame::Close.emit(channel, out),
            Last::Refuse { code, text } => Frame::Refuse { code: *code, text }.emit(channel, out),
            Last::Reset { code, text } => Frame::Reset { code: *code, text }.emit(channel, out),
        }
        self.last = Last::Sent;
        true
    }

    /// Drops what was under way.
    pub(super) fn received(&mut self, channel: Channel, frame: &Frame<'_>, role: Role) -> Result<(), MuxError> {
        let channel = channel.number();
        if self.heard {
            return Err(MuxError::NotOpen(channel));
        }
        match frame {
            Frame::Accept | Frame::Refuse { .. } if role == Role::Server => {
                return Err(MuxError::OutOfTurn { channel, frame: frame.name() });
            }
            Frame::Refuse { .. } | Frame::Reset { .. } | Frame::Close => self.heard = true,
            _ => {}
        }
        Ok(())
    }

    /// Whether the number may be used again.
    pub(super) fn is_over(&self) -> bool {
        self.heard && matches!(self.last, Last::Sent)
    }
}
