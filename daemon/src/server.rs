//! What all connections of one server share.

use crate::telemetry::LogOptions;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections that have not yet shown what they want. Those beyond it wait in the kernel's queue, so a flood of them
/// costs at most this many descriptors and tasks, and holds others up for no longer than the sniffing may take.
const MAX_UNDECIDED: usize = 64;
/// Sessions at the same time. Each keeps two descriptors here, so these fit the usual limit of 1,024 with room to spare,
/// and a process of its own.
const MAX_SESSIONS: usize = 400;
/// Clients that are being told why they are turned away. Those beyond it are closed without a word: strangers must not
/// make the server busy with explaining.
const MAX_REFUSALS: usize = 16;

/// Limits, ids and the sign to stop.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) undecided: Arc<Semaphore>,
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
    pub(crate) fn new(log: LogOptions) -> Self {
        Self {
            undecided: Arc::new(Semaphore::new(MAX_UNDECIDED)),
            log,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            sessions: Arc::new(Semaphore::new(MAX_SESSIONS)),
            refusals: Arc::new(Semaphore::new(MAX_REFUSALS)),
            last_connection: AtomicU64::new(0),
            last_session: AtomicU64::new(0),
        }
    }

    /// A place for one more session, `None` where there are [`MAX_SESSIONS`].
    pub(crate) fn session_slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.sessions).try_acquire_owned().ok()
    }

    /// A place for one more refusal that is explained, `None` where there are [`MAX_REFUSALS`].
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
