//! A connection that this side made, to a client that waited for it: there is one at a time, so whoever makes them has to
//! know when one is over.

use dbgsrv_transports::Stream;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

/// A call's life: it is over when all clones are dropped.
#[derive(Clone, Debug)]
pub(crate) struct Call(Arc<Line>);

#[derive(Debug)]
struct Line {
    answered: Arc<AtomicBool>,
    /// Never used: dropping it tells.
    _over: oneshot::Sender<Infallible>,
}

/// What comes of a call, for who made it.
#[derive(Debug)]
pub(crate) struct Outcome {
    answered: Arc<AtomicBool>,
    over: oneshot::Receiver<Infallible>,
}

/// A new call.
pub(crate) fn call() -> (Call, Outcome) {
    let answered = Arc::new(AtomicBool::new(false));
    let (sender, over) = oneshot::channel();
    (Call(Arc::new(Line { answered: Arc::clone(&answered), _over: sender })), Outcome { answered, over })
}

impl Call {
    /// The client has begun a session, or come back to one: it is the client that was called, and not just somebody who
    /// listens at its port.
    pub(crate) fn answered(&self) {
        self.0.answered.store(true, Ordering::Relaxed);
    }
}

impl Outcome {
    /// Waits until the call is over: whether it was answered.
    pub(crate) async fn over(self) -> bool {
        let Err(_) = self.over.await;
        self.answered.load(Ordering::Relaxed)
    }
}

/// A connection, and the call that it is where this side made it.
#[derive(Debug)]
pub(crate) struct Called {
    stream: Stream,
    _call: Option<Call>,
}

impl Called {
    pub(crate) const fn new(stream: Stream, call: Option<Call>) -> Self {
        Self { stream, _call: call }
    }

    /// As the stream's.
    pub(crate) fn channel_binding(&self) -> Option<[u8; 32]> {
        self.stream.channel_binding()
    }
}

impl AsyncRead for Called {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Called {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn a_call_is_over_when_nobody_holds_it_any_more() {
        let (call, outcome) = call();
        let second = call.clone();
        let outcome = tokio::spawn(outcome.over());
        second.answered();
        drop(call);
        tokio::task::yield_now().await;
        assert!(!outcome.is_finished());
        drop(second);
        assert!(outcome.await.unwrap());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_call_without_a_session_was_not_answered() {
        let (call, outcome) = call();
        drop(call);
        assert!(!outcome.over().await);
    }
}
