//! The task of a session: reads, writes, keeps alive, comes back after a cut, says farewell.

use crate::limits::{CLOSE_LIMIT, MAX_INCOMING, ROUNDS};
use crate::link::Handle;
use crate::shake::hang_up;
use crate::shared::Shared;
use crate::state::{Offer, Round, State};
use crate::timer::Timer;
use crate::wire::Stream;
use crate::{Channel, Incoming, Link};
use dbgsrv_protocol::mux::Role;
use dbgsrv_protocol::session::{Established, SessionId};
use std::future::{Future, poll_fn};
use std::io;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How a side gets a session's next connection. Dropped when the session is closed.
pub(crate) trait Return: Send + 'static {
    /// Waits until the session, which is cut, is connected again or closed.
    ///
    /// # Errors
    /// Why it is lost.
    fn wait(&mut self, shared: &Shared) -> impl Future<Output = Result<(), String>> + Send;
}

/// Begins a session and spawns its driver.
pub(crate) fn start<R: Return>(
    established: Established,
    role: Role,
    stream: Box<dyn Stream>,
    back: impl FnOnce(&Arc<Shared>) -> R,
) -> (Link, mpsc::Receiver<Incoming>) {
    let id = established.id;
    let shared = Arc::new(Shared::new(established, role, stream));
    let handle = Arc::new(Handle { shared: Arc::clone(&shared) });
    let (arrivals, incoming) = mpsc::channel(MAX_INCOMING);
    let back = back(&shared);
    let driver = Driver { id, handle: Arc::downgrade(&handle), arrivals, timer: Timer::new(), end: End(shared) };
    tokio::spawn(driver.run(back));
    (Link::new(handle), incoming)
}

struct Driver {
    id: SessionId,
    /// Of the handles, so that the driver does not keep its own session open.
    handle: Weak<Handle>,
    arrivals: mpsc::Sender<Incoming>,
    timer: Timer,
    end: End,
}

impl Driver {
    async fn run(mut self, mut back: impl Return) {
        loop {
            poll_fn(|cx| self.poll_rounds(cx)).await;
            let shared = &self.end.0;
            if shared.with(|state| state.is_closed()) {
                break;
            }
            tracing::debug!(session = %self.id, "waiting for the next connection");
            if let Err(text) = back.wait(shared).await {
                shared.with(|state| state.lose(&text));
            }
        }
        drop(back);
        let Self { id, arrivals, end, .. } = self;
        drop(arrivals);
        end.0.with(State::wake_all);
        // Where the peer does not listen, it can't be helped.
        let _ = timeout(CLOSE_LIMIT, farewell(&end.0)).await;
        tracing::debug!(session = %id, "closed");
    }

    /// Ready when the session is cut or closed.
    fn poll_rounds(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..ROUNDS {
            let (round, offers) = self.end.0.with(|state| {
                state.attend(cx);
                (state.round(cx), std::mem::take(&mut state.offers))
            });
            for offer in offers {
                self.pass_on(offer);
            }
            match round {
                Round::More => {}
                Round::Idle(deadline) if self.timer.poll(cx, deadline).is_ready() => {
                    self.end.0.with(State::handle_timeout);
                }
                Round::Idle(_) => return Poll::Pending,
                Round::Over => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// To the server's program. Where it takes no more channels, the offer is dropped, which refuses it.
    fn pass_on(&self, offer: Offer) {
        let Some(handle) = self.handle.upgrade() else {
            return self.end.0.with(|state| state.release(offer.key));
        };
        let channel = Channel::new(handle, offer.key, offer.number);
        let _ = self.arrivals.try_send(Incoming::new(offer.kind, offer.label, channel));
    }
}

/// Sends what a closed session has left, and hangs up.
async fn farewell(shared: &Shared) -> io::Result<()> {
    poll_fn(|cx| shared.with(|state| state.poll_flush(cx))).await?;
    let Some(mut stream) = shared.with(State::take_stream) else { return Ok(()) };
    hang_up(&mut stream).await
}

/// Tells everybody that the session is over when the driver is done, even where the runtime ends under it.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        let closed = self.0.with(|state| {
            state.abandon();
            state.closed()
        });
        self.0.ended.send_replace(closed);
    }
}
