//! What all connections of one server share.

use crate::discovery::Discovery;
use crate::guesses::Guesses;
use crate::limits::Limits;
use crate::links::Links;
use crate::registry::Registry;
use crate::telemetry::LogOptions;
use crate::undecided::Undecided;
use crate::worker::SessionHost;
use dbgsrv_protocol::session::Facts;
use nix::sys::utsname::uname;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Limits, ids, what is going on, and the sign to stop.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) undecided: Arc<Undecided>,
    pub(crate) guesses: Guesses,
    pub(crate) links: Arc<Links>,
    pub(crate) registry: Arc<Registry>,
    /// Where its sessions run.
    pub(crate) host: SessionHost,
    pub(crate) log: LogOptions,
    /// What clients are told in the handshake.
    pub(crate) facts: Facts,
    /// What clients may start without naming it; empty: nothing.
    pub(crate) implicit_command_line: Vec<String>,
    /// Connection strings of all listeners, without secrets; empty until all are bound.
    pub(crate) listening: OnceLock<Vec<String>>,
    /// How it is found, from when all are bound until it ends.
    pub(crate) discovery: Mutex<Option<Discovery>>,
    /// Cancelled when the server is to end.
    pub(crate) stop: CancellationToken,
    /// Every task that the server waits for before it ends.
    pub(crate) tasks: TaskTracker,
    session_descriptors: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    last_connection: AtomicU64,
}

impl Server {
    pub(crate) fn new(host: SessionHost, log: LogOptions, limits: Limits, implicit_command_line: Vec<String>) -> Self {
        Self {
            undecided: Undecided::new(limits.undecided),
            guesses: Guesses::default(),
            links: Links::new(limits.links),
            registry: Arc::default(),
            host,
            log,
            facts: facts(),
            implicit_command_line,
            listening: OnceLock::new(),
            discovery: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            session_descriptors: Arc::new(Semaphore::new(limits.session_descriptors)),
            refusals: Arc::new(Semaphore::new(limits.refusals)),
            last_connection: AtomicU64::new(0),
        }
    }

    /// A place for one more session that takes so many descriptors, `None` where there are as many as there may be.
    pub(crate) fn session_slot(&self, descriptors: usize) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.session_descriptors).try_acquire_many_owned(descriptors as u32).ok()
    }

    /// A place for one more refusal that is explained, `None` where there are as many as there may be.
    pub(crate) fn refusal_slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.refusals).try_acquire_owned().ok()
    }

    pub(crate) fn next_connection(&self) -> u64 {
        self.last_connection.fetch_add(1, Ordering::Relaxed) + 1
    }
}

fn facts() -> Facts {
    let host = uname().map(|system| system.nodename().to_string_lossy().into_owned());
    Facts {
        release: env!("CARGO_PKG_VERSION").to_owned(),
        os: std::env::consts::OS.to_owned(),
        architecture: std::env::consts::ARCH.to_owned(),
        host: host.unwrap_or_default(),
    }
}

/// Seconds since 1970-01-01 00:00 UTC; 0 where the clock is set before that.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
