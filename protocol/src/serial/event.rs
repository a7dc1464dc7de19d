//! What a link tells, and what goes wrong.

use crate::options::Channel;
use thiserror::Error;

/// What happened to a channel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// The other side is there.
    Connected(Channel),
    /// There is a link at the other side, and nobody who uses this channel. What was sent waits; told once.
    Nobody(Channel),
    /// There is something new to [`Link::readable`](super::Link::readable).
    Readable(Channel),
    /// [`Link::send`](super::Link::send) takes bytes again after it took fewer than it was given.
    Writable(Channel),
    /// The other side sends nothing more; told after all data was taken.
    Finished(Channel),
    /// The channel is over. What was not read is lost, and so may be what was sent.
    Reset {
        /// Which.
        channel: Channel,
        /// Why.
        reason: Reason,
    },
}

/// Why a channel was reset.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// The other side is a new process, or opened the channel again.
    #[error("the other side has started anew")]
    Restarted,
    /// The other side has given the channel up, or has ended.
    #[error("the other side is gone")]
    Gone,
    /// The other side sent what it must not.
    #[error("the other side broke the protocol: {0}")]
    Broken(#[from] Violation),
}

/// What a frame with a correct checksum can still have wrong.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Violation {
    /// A frame that can't be taken apart.
    #[error("malformed frame")]
    Malformed,
    /// Data beyond the limit that was given.
    #[error("more data than credit")]
    Overrun,
    /// Data beyond the stream's end, or a second end.
    #[error("data beyond the end")]
    End,
    /// What was not sent is acknowledged.
    #[error("acknowledgement of what was not sent")]
    Unsent,
    /// A limit too far from what was sent.
    #[error("too much credit")]
    Credit,
}

/// The channel is open, or its reset has not been told.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("channel {0} of the line is in use")]
pub struct InUse(pub Channel);
