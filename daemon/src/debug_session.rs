//! One debug session, as the front sees it: its worker from start to end.

use crate::limits::descriptors_on;
use crate::registry::{Client, Entry};
use crate::server::Server;
use crate::worker::Terms;
use crate::worker::spawn::{Outcome, Worker};
use dbgsrv_protocol::mux;
use nix::sys::signal::Signal;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::UnixStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, error_span, field, info, warn};

/// How long a session may take to end when it is asked to.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// There is no session.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error("the server has as many sessions as it can hold; try again when one has ended")]
    Full,
    #[error("no session could be started: {0}")]
    Spawn(#[source] io::Error),
}

impl StartError {
    /// What the client's program is told.
    pub(crate) const fn code(&self) -> mux::Code {
        match self {
            Self::Full => mux::Code::Busy,
            Self::Spawn(_) => mux::Code::Failed,
        }
    }
}

/// A session that runs.
#[derive(Debug)]
pub(crate) struct DebugSession {
    number: u64,
    worker: Worker,
    end: CancellationToken,
    span: Span,
    _entry: Entry,
    _slot: OwnedSemaphorePermit,
}

impl DebugSession {
    /// Starts a session on `stream`, which belongs to the worker from then on, and takes `descriptors` here beside what
    /// its host adds. Call it on the runtime's thread.
    ///
    /// # Errors
    /// [`StartError`]; nothing was touched.
    pub(crate) fn start(
        server: &Server,
        client: Client,
        terms: Terms,
        stream: BorrowedFd<'_>,
        descriptors: usize,
    ) -> Result<Self, StartError> {
        let slot = server.session_slot(descriptors_on(&server.host, descriptors)).ok_or(StartError::Full)?;
        let number = server.registry.next_number();
        let label = Some(client.label.as_str()).filter(|label| !label.is_empty());
        let span = error_span!("session", id = number, worker = field::Empty, label);
        let siblings = server.registry.memories(&client);
        let worker = span
            .in_scope(|| Worker::spawn(&server.host, number, &client.peer, terms, stream, &siblings, &server.log))
            .map_err(StartError::Spawn)?;
        let tracer = worker.tracer().unwrap_or_default();
        span.record("worker", tracer);
        let end = server.stop.child_token();
        let entry = server.registry.enter(number, client, tracer, Arc::clone(worker.memory()), end.clone());
        Ok(Self { number, worker, end, span, _entry: entry, _slot: slot })
    }

    /// As [`Self::start`], on one end of a new pair of sockets; returns the other, for who carries the client's bytes.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn start_apart(
        server: &Server,
        client: Client,
        terms: Terms,
        descriptors: usize,
    ) -> Result<(Self, UnixStream), StartError> {
        let (ours, theirs) = UnixStream::pair().map_err(StartError::Spawn)?;
        let session = Self::start(server, client, terms, theirs.as_fd(), descriptors)?;
        Ok((session, ours))
    }

    /// Its number.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// Watches the session to its end, which comes by itself, with the server's, or when somebody ends it; cleans up after
    /// its worker. Returns how it ended, in words.
    pub(crate) async fn run(self) -> String {
        let span = self.span.clone();
        self.watch().instrument(span).await
    }

    async fn watch(mut self) -> String {
        info!("session started");
        let outcome = self.ended().await;
        let words = match &outcome {
            Ok(outcome) => outcome.to_string(),
            Err(error) => format!("not watched: {error}"),
        };
        match outcome {
            Ok(Outcome::Ended) => info!("session ended"),
            Ok(outcome) => {
                warn!(%outcome, "the session's worker did not end by itself");
                self.worker.clean_up().await;
            }
            Err(error) => {
                warn!(reason = %error, "cannot watch the session's worker");
                self.worker.signal(Signal::SIGKILL);
                self.worker.clean_up().await;
            }
        }
        words
    }

    /// Waits for the worker's end, which it is asked for when it is due, and made to come if it takes too long.
    async fn ended(&mut self) -> io::Result<Outcome> {
        tokio::select! {
            outcome = self.worker.exited() => return outcome,
            () = self.end.cancelled() => self.worker.signal(Signal::SIGTERM),
        }
        if let Ok(outcome) = timeout(GRACE, self.worker.exited()).await {
            return outcome;
        }
        warn!(grace = ?GRACE, "the session did not end in time; killing its worker");
        self.worker.signal(Signal::SIGKILL);
        // A worker that sleeps in the kernel can't be killed, and the server's own end must not wait for it for ever.
        timeout(GRACE, self.worker.exited()).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}
