//! Channels 0 to 254 within one session, each a byte stream both ways with a credit of its own.
//!
//! Frames go out and come in as the session's messages. The client opens channels, the server accepts or refuses them;
//! channel 0 is there from the beginning and carries the control protocol.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use thiserror::Error;

/// A channel's number: 0 to 254.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Channel(u8);

impl Channel {
    /// The control protocol's.
    pub const CONTROL: Self = Self(0);

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a channel carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The control protocol: channel 0 alone.
    Control,
    /// One RSP conversation.
    Debug,
    /// Something that this release does not know; to be refused.
    Unknown(u8),
}

/// Which side this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Opens channels.
    Client,
    /// Accepts them.
    Server,
}

/// Why a channel is refused or reset.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Code {
    /// No longer wanted.
    Cancelled,
    /// Kind not known here.
    UnknownKind,
    /// No room for more sessions.
    Busy,
    /// The server ends.
    ServerEnds,
    /// Something failed; the text says what.
    Failed,
    /// A code of a later release.
    Other(u8),
}

/// What a peer did that no session goes on after.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum MuxError {
    /// A frame for a channel that is not open.
    #[error("a frame for channel {0}, which is not open")]
    NotOpen(u8),
    /// More data than there was credit for.
    #[error("more data than credit on channel {0}")]
    Overrun(u8),
    /// Credit beyond the largest window.
    #[error("too much credit for channel {0}")]
    Credit(u8),
    /// A channel is opened that is open already, or by the wrong side.
    #[error("channel {0} cannot be opened")]
    Open(u8),
    /// A frame of unknown kind or wrong length.
    #[error("malformed frame: {0}")]
    Malformed(&'static str),
}

/// All channels are in use.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("all 254 channels are in use")]
pub struct NoChannel;

/// What happened to a channel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// Server: the client opens it; answer with [`Mux::accept`] or [`Mux::refuse`].
    Opened {
        /// Which.
        channel: Channel,
        /// What for.
        kind: Kind,
        /// The client's name for it, for people.
        label: String,
    },
    /// Client: the server accepted it.
    Accepted(Channel),
    /// Client: the server refused it, and its number is free again.
    Refused {
        /// Which.
        channel: Channel,
        /// Why.
        code: Code,
        /// In words.
        text: String,
    },
    /// There is something to [`Mux::readable`].
    Readable(Channel),
    /// [`Mux::send`] takes bytes again after it took fewer than it was given.
    Writable(Channel),
    /// The other side sends nothing more; told after all data was taken.
    Finished(Channel),
    /// The other side reset it; what was not read is lost, and its number is free again.
    Reset {
        /// Which.
        channel: Channel,
        /// Why.
        code: Code,
        /// In words.
        text: String,
    },
}

/// The channels of one session, one side.
#[derive(Debug)]
pub struct Mux {}

impl Mux {
    /// No channel but [`Channel::CONTROL`].
    #[must_use]
    pub fn new(role: Role) -> Self {
        let _ = role;
        unimplemented!()
    }

    /// Client: opens a channel. Data may be sent at once.
    ///
    /// # Errors
    /// [`NoChannel`] where all are open.
    pub fn open(&mut self, kind: Kind, label: &str) -> Result<Channel, NoChannel> {
        let _ = (kind, label);
        unimplemented!()
    }

    /// Server: accepts a channel.
    pub fn accept(&mut self, channel: Channel) {
        let _ = channel;
        unimplemented!()
    }

    /// Server: refuses a channel.
    pub fn refuse(&mut self, channel: Channel, code: Code, text: &str) {
        let _ = (channel, code, text);
        unimplemented!()
    }

    /// Takes as many of `bytes` as there is room for, and returns how many.
    pub fn send(&mut self, channel: Channel, bytes: &[u8]) -> usize {
        let _ = (channel, bytes);
        unimplemented!()
    }

    /// Sends nothing more on a channel, once all is sent that was taken.
    pub fn finish(&mut self, channel: Channel) {
        let _ = channel;
        unimplemented!()
    }

    /// Gives a channel up, both ways and at once.
    pub fn reset(&mut self, channel: Channel, code: Code, text: &str) {
        let _ = (channel, code, text);
        unimplemented!()
    }

    /// Received bytes of a channel, as many as lie in one piece.
    #[must_use]
    pub fn readable(&self, channel: Channel) -> &[u8] {
        let _ = channel;
        unimplemented!()
    }

    /// Takes note that the first `count` bytes of [`Self::readable`] are done with, and gives the peer new credit.
    pub fn consumed(&mut self, channel: Channel, count: usize) {
        let _ = (channel, count);
        unimplemented!()
    }

    /// A frame of the other side.
    ///
    /// # Errors
    /// What breaks the session.
    pub fn received(&mut self, frame: &[u8]) -> Result<(), MuxError> {
        let _ = frame;
        unimplemented!()
    }

    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        unimplemented!()
    }

    /// Appends the next frame to `out`, false where there is none. Channels take turns.
    pub fn write_frame(&mut self, out: &mut Vec<u8>) -> bool {
        let _ = out;
        unimplemented!()
    }
}
