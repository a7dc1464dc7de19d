//! A session under tokio.

use crate::{Channel, OpenError};
use dbgsrv_protocol::mux::Kind;
use dbgsrv_protocol::session::{CloseCode, Facts, Protection, SessionId};

/// How a session ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Closed {
    /// By this side.
    pub here: bool,
    /// Why.
    pub code: CloseCode,
    /// In words.
    pub text: String,
}

/// A session: a handle that may be cloned. It is closed when the last handle and the last channel are dropped.
#[derive(Clone, Debug)]
pub struct Link {}

impl Link {
    /// Client: opens a channel.
    ///
    /// # Errors
    /// Where the server refuses, all channels are in use or the session is over.
    pub async fn open(&self, kind: Kind, label: &str) -> Result<Channel, OpenError> {
        let _ = (kind, label);
        unimplemented!()
    }

    /// The control channel; the first who asks gets it.
    #[must_use]
    pub fn control(&self) -> Option<Channel> {
        unimplemented!()
    }

    /// The other side.
    #[must_use]
    pub fn peer(&self) -> Facts {
        unimplemented!()
    }

    /// The session's name.
    #[must_use]
    pub fn id(&self) -> SessionId {
        unimplemented!()
    }

    /// What protects it.
    #[must_use]
    pub fn protection(&self) -> Protection {
        unimplemented!()
    }

    /// Whether its connection is cut at the moment.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        unimplemented!()
    }

    /// Closes it: what was sent before still goes out.
    pub fn close(&self, code: CloseCode, text: &str) {
        let _ = (code, text);
        unimplemented!()
    }

    /// Waits for its end. Cancel safe.
    pub async fn closed(&self) -> Closed {
        unimplemented!()
    }
}
