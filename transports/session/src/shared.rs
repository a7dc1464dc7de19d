//! What a session's driver and its handles share.

use crate::link::Closed;
use crate::state::State;
use crate::wire::Stream;
use dbgsrv_protocol::mux::Role;
use dbgsrv_protocol::session::{Established, State as SessionState};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, Waker};
use tokio::sync::watch;

/// The state behind its lock, which is never held across an await.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Set once the driver is done.
    pub(crate) ended: watch::Sender<Option<Closed>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(established: Established, role: Role, stream: Box<dyn Stream>) -> Self {
        Self { state: Mutex::new(State::new(established, role, stream)), ended: watch::Sender::new(None) }
    }

    /// Works on the state. Who is to be woken is woken after the lock is free, so that nobody wakes up to wait for it.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = work(&mut state);
        let woken = state.take_woken();
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        result
    }

    /// Waits for the end of the driver.
    pub(crate) async fn ended(&self) -> Closed {
        let mut ended = self.ended.subscribe();
        let closed = ended.wait_for(Option::is_some).await.expect("the sender is part of self").clone();
        closed.expect("it was waited for")
    }

    /// Driver: waits until the session is no longer cut: connected again, or closed.
    pub(crate) async fn settled(&self) {
        poll_fn(|cx| {
            self.with(|state| {
                state.attend(cx);
                if *state.session.state() == SessionState::Cut { Poll::Pending } else { Poll::Ready(()) }
            })
        })
        .await;
    }
}
