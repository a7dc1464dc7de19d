//! A channel that waits for the server's word.

use crate::Channel;
use dbgsrv_protocol::mux;

/// Server: a channel that the client wants to open. Dropped, it is refused.
#[derive(Debug)]
pub struct Incoming {
    /// What for.
    pub kind: mux::Kind,
    /// The client's name for it.
    pub label: String,
    /// Not accepted yet; dropped so, it refuses itself.
    channel: Channel,
}

impl Incoming {
    pub(crate) const fn new(kind: mux::Kind, label: String, channel: Channel) -> Self {
        Self { kind, label, channel }
    }

    /// Accepts it. Where the client has given it up meanwhile, the first use of the channel tells.
    #[must_use]
    pub fn accept(self) -> Channel {
        self.channel.accept();
        self.channel
    }

    /// Refuses it.
    pub fn refuse(self, code: mux::Code, text: &str) {
        self.channel.refuse(code, text);
    }
}
