//! A session under tokio.

use crate::channel::opened;
use crate::shared::Shared;
use crate::slots::Phase;
use crate::state::State;
use crate::{Channel, OpenError};
use dbgsrv_protocol::mux::Kind;
use dbgsrv_protocol::session::{CloseCode, Facts, Protection, SessionId};
use std::sync::Arc;
use tokio::time::Instant;

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

/// What handles of all kinds have in common: the last one closes the session.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.with(|state| state.close(CloseCode::Done, ""));
    }
}

/// A session: a handle that may be cloned. It is closed when the last handle and the last channel are dropped.
#[derive(Clone, Debug)]
pub struct Link {
    handle: Arc<Handle>,
}

impl Link {
    pub(crate) const fn new(handle: Arc<Handle>) -> Self {
        Self { handle }
    }

    /// Client: opens a channel. Cancel safe: a channel that nobody waits for any more is given up.
    ///
    /// # Errors
    /// Where the server refuses, all channels are in use or the session is over.
    pub async fn open(&self, kind: Kind, label: &str) -> Result<Channel, OpenError> {
        let (key, number) = self.handle.shared.with(|state| {
            if let Some(closed) = state.closed() {
                return Err(OpenError::Closed(closed));
            }
            let channel = state.mux.open(kind, label)?;
            state.wake_driver();
            Ok((state.slots.insert(channel, Phase::Asked), channel.number()))
        })?;
        opened(Channel::new(Arc::clone(&self.handle), key, number)).await
    }

    /// The control channel; the first who asks gets it. It lasts as long as the session: the other side does not learn of a
    /// shutdown, a reset or a drop.
    #[must_use]
    pub fn control(&self) -> Option<Channel> {
        let key = self.handle.shared.with(State::take_control)?;
        Some(Channel::new(Arc::clone(&self.handle), key, 0))
    }

    /// The other side.
    #[must_use]
    pub fn peer(&self) -> Facts {
        self.handle.shared.with(|state| state.session.peer().clone())
    }

    /// The session's name.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.handle.shared.with(|state| state.session.id())
    }

    /// What protects it.
    #[must_use]
    pub fn protection(&self) -> Protection {
        self.handle.shared.with(|state| state.session.protection())
    }

    /// Whether the other side has proved to know the password.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.handle.shared.with(|state| state.session.is_authenticated())
    }

    /// Whether its connection is cut at the moment.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut_since().is_some()
    }

    /// Since when its connection is cut, if it is.
    #[must_use]
    pub fn cut_since(&self) -> Option<Instant> {
        self.handle.shared.with(|state| state.cut_since())
    }

    /// Closes it. What was sent before still goes out, as long as there is a connection and the other side takes it within
    /// a few seconds; nothing more can be sent.
    pub fn close(&self, code: CloseCode, text: &str) {
        self.handle.shared.with(|state| state.close(code, text));
    }

    /// Waits for its end: the other side has been told then, or is out of reach. Cancel safe.
    pub async fn closed(&self) -> Closed {
        self.handle.shared.ended().await
    }
}
