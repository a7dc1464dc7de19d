//! What goes wrong.

use thiserror::Error;

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
    /// A frame that its sender may not send as the channel stands, such as data after the end of data.
    #[error("a frame out of turn on channel {channel}: {frame}")]
    OutOfTurn {
        /// On which channel.
        channel: u8,
        /// The frame's kind.
        frame: &'static str,
    },
    /// A frame of unknown kind or wrong length.
    #[error("malformed frame: {0}")]
    Malformed(&'static str),
}

/// All channels are in use.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("all 254 channels are in use")]
pub struct NoChannel;
