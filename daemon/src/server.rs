//! What all connections of one server share.

use crate::limits::Limits;
use crate::telemetry::LogOptions;
use crate::undecided::Undecided;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Limits, ids and the sign to stop.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) undecided: Arc<Undecided>,
    pub(crate) log: LogOptions,
    /// Cancelled when the server is to end.
    pub(crate) stop: CancellationToken,
    /// Every task that the server waits for before it ends.
    pub(crate) tasks: TaskTracker,
    sessions: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    last_connection: AtomicU64,
    last_session: AtomicU64,
}

impl Server {
    pub(crate) fn new(log: LogOptions, limits: Limits) -> Self {
        Self {
            undecided: Undecided::new(limits.undecided),
            log,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            sessions: Arc::new(Semaphore::new(limits.sessions)),
            refusals: Arc::new(Semaphore::new(limits.refusals)),
            last_connection: AtomicU64::new(0),
            last_session: AtomicU64::new(0),
        }
    }

    /// A place for one more session, `None` where there are as many as there may be.
    pub(crate) fn session_slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.sessions).try_acquire_owned().ok()
    }

    /// A place for one more refusal that is explained, `None` where there are as many as there may be.
    pub(crate) fn refusal_slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.refusals).try_acquire_owned().ok()
    }

    pub(crate) fn next_connection(&self) -> u64 {
        self.last_connection.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn next_session(&self) -> u64 {
        self.last_session.fetch_add(1, Ordering::Relaxed) + 1
    }
}
