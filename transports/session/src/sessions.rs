//! The sessions of one server.

use crate::Closed;
use crate::shared::Shared;
use dbgsrv_protocol::session::{CloseCode, SessionId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The sessions of one server, by their ids: a connection may continue one. Clones are the same set.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    by_id: Arc<Mutex<HashMap<SessionId, Arc<Shared>>>>,
}

impl Sessions {
    /// Closes all sessions, cut ones too, and waits until their clients have been told or are out of reach. Ones that begin
    /// meanwhile are not closed.
    pub async fn close_all(&self, code: CloseCode, text: &str) {
        let all: Vec<_> = self.lock().values().cloned().collect();
        for shared in &all {
            shared.with(|state| state.close(code, text));
        }
        for shared in all {
            let Closed { .. } = shared.ended().await;
        }
    }

    /// How many there are, cut ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(crate) fn find(&self, id: SessionId) -> Option<Arc<Shared>> {
        self.lock().get(&id).cloned()
    }

    /// Takes a session in until what is returned is dropped.
    pub(crate) fn register(&self, id: SessionId, shared: &Arc<Shared>) -> Registration {
        self.lock().insert(id, Arc::clone(shared));
        Registration { id, sessions: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Shared>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's place among the others.
#[derive(Debug)]
pub(crate) struct Registration {
    id: SessionId,
    sessions: Sessions,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.sessions.lock().remove(&self.id);
    }
}
