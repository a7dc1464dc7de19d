//! What a mux tells.

use super::{Channel, Code, Kind};
use alloc::string::String;

/// What happened to a channel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// Server: the client opens it; answer with [`Mux::accept`] or [`Mux::refuse`]. Nothing but a reset is told of it before.
    ///
    /// [`Mux::accept`]: super::Mux::accept
    /// [`Mux::refuse`]: super::Mux::refuse
    Opened {
        /// Which.
        channel: Channel,
        /// What for.
        kind: Kind,
        /// The client's name for it, for people: any characters, at most [`crate::limits::MAX_CHANNEL_TEXT`] bytes.
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
    /// There is something new to [`Mux::readable`](super::Mux::readable).
    Readable(Channel),
    /// [`Mux::send`](super::Mux::send) takes bytes again after it took fewer than it was given.
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
