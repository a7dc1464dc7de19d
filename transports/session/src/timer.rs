//! A timer whose moment moves away all the time.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::{Instant, Sleep, sleep_until};

/// Keep-alive moves its deadline with each byte. A deadline that moves away is met when the old one is there; only one that
/// comes nearer costs a change of the runtime's timers.
pub(crate) struct Timer {
    sleep: Pin<Box<Sleep>>,
}

impl Timer {
    pub(crate) fn new() -> Self {
        Self { sleep: Box::pin(sleep_until(Instant::now())) }
    }

    /// Ready once `deadline` is there.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        let Some(deadline) = deadline else { return Poll::Pending };
        loop {
            if deadline < self.sleep.deadline() || self.sleep.is_elapsed() {
                self.sleep.as_mut().reset(deadline);
            }
            ready!(self.sleep.as_mut().poll(cx));
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
        }
    }
}
