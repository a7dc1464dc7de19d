//! Waiting that comes to an end.

use std::io::{BufRead, BufReader, Read};
use std::pin::pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::GUARD;

/// The longest step of a wait, and the most that one is counted for.
pub(crate) const STEP: Duration = Duration::from_secs(1);

/// What is left of [`GUARD`] to somebody who waits step by step. A step that took long counts as [`STEP`]: a virtual machine
/// may stand still for a minute, and what is waited for stood still with it.
#[derive(Debug)]
pub(crate) struct Patience {
    left: Duration,
    counted: Instant,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self { left: GUARD, counted: Instant::now() }
    }

    /// Counts the step that has just been taken; whether there may be another.
    pub(crate) fn lasts(&mut self) -> bool {
        let now = Instant::now();
        self.left = self.left.saturating_sub((now - self.counted).min(STEP));
        self.counted = now;
        !self.left.is_zero()
    }
}

/// Waits until `condition` holds.
///
/// # Panics
/// After [`GUARD`], with `what` as the thing that did not come about.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let mut patience = Patience::new();
    while !condition() {
        assert!(patience.lasts(), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a process prints, line by line, for [`receive`]. It is read to its end also when nobody wants it any more: the process
/// is not to notice.
#[must_use]
pub fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    lines
}

/// Waits for something to come through a channel; `None` where it does not within [`GUARD`], or never will.
#[must_use]
pub fn receive<T>(channel: &Receiver<T>) -> Option<T> {
    let mut patience = Patience::new();
    loop {
        match channel.recv_timeout(STEP) {
            Ok(value) => return Some(value),
            Err(RecvTimeoutError::Timeout) if patience.lasts() => {}
            Err(_) => return None,
        }
    }
}

/// Waits for what comes of `future`; `None` where that takes longer than [`GUARD`].
pub async fn guarded<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut patience = Patience::new();
    loop {
        match timeout(STEP, &mut future).await {
            Ok(value) => return Some(value),
            Err(_) if patience.lasts() => {}
            Err(_) => return None,
        }
    }
}
