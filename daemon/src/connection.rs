//! The life of one connection: admitted, sniffed, handed to a session's worker, watched to its end.

use crate::policy::{Policy, Refusal};
use crate::refusal::tell;
use crate::server::Server;
use crate::sniff::{SniffError, sniff};
use crate::undecided::Place;
use crate::worker::spawn::{Outcome, Worker};
use dbgsrv_transports::{Peer, Stream};
use nix::sys::signal::Signal;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tracing::{Instrument, Span, debug, error_span, info, warn};

/// How long the sessions may take to end when the server does.
const GRACE: Duration = Duration::from_secs(3);

/// Why a connection becomes no session.
#[derive(Debug, Error)]
enum Rejection {
    #[error("the server has as many sessions as it can hold; try again when one has ended")]
    Full,
    #[error("no session could be started: {0}")]
    Spawn(#[source] io::Error),
    #[error("the client said nothing while too many others wanted to")]
    MadeWay,
    #[error(transparent)]
    Sniff(#[from] SniffError),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Serves one connection to its end, or until the server's.
pub(crate) async fn serve(server: Arc<Server>, policy: Policy, stream: Stream, peer: Peer, place: Place) {
    debug!("connection accepted");
    let decided = tokio::select! {
        () = server.stop.cancelled() => return,
        () = place.lost() => Err(Rejection::MadeWay),
        decided = decide(&server, policy, &stream, &peer) => decided,
    };
    drop(place);
    match decided.and_then(|slot| Ok((slot, start(&server, &stream, &peer)?))) {
        Ok((_slot, (worker, span))) => {
            // The worker has the connection now; here it would only keep it from closing.
            drop(stream);
            watch(&server, worker).instrument(span).await;
        }
        Err(rejection) => reject(&server, stream, &rejection).await,
    }
}

/// Whether the connection may become a session, and a place for that.
async fn decide(
    server: &Server,
    policy: Policy,
    stream: &Stream,
    peer: &Peer,
) -> Result<OwnedSemaphorePermit, Rejection> {
    policy.admit(peer)?;
    stream.tune().map_err(SniffError::Io)?;
    sniff(stream).await?;
    server.session_slot().ok_or(Rejection::Full)
}

fn start(server: &Server, stream: &Stream, peer: &Peer) -> Result<(Worker, Span), Rejection> {
    let id = server.next_session();
    let worker = Worker::spawn(id, &peer.to_string(), stream.as_fd(), &server.log).map_err(Rejection::Spawn)?;
    let span = error_span!("session", id, worker = worker.pid());
    Ok((worker, span))
}

/// Waits for the worker's end and cleans up after it where it could not.
async fn watch(server: &Server, mut worker: Worker) {
    info!("session started");
    match end(server, &mut worker).await {
        Ok(Outcome::Ended) => info!("session ended"),
        Ok(outcome) => {
            warn!(%outcome, "the session's worker did not end by itself");
            worker.clean_up().await;
        }
        Err(error) => {
            warn!(reason = %error, "cannot watch the session's worker");
            worker.signal(Signal::SIGKILL);
            worker.clean_up().await;
        }
    }
}

/// Waits for the worker's end, which it is asked for when the server stops, and made to come if it takes too long.
async fn end(server: &Server, worker: &mut Worker) -> io::Result<Outcome> {
    tokio::select! {
        outcome = worker.exited() => return outcome,
        () = server.stop.cancelled() => worker.signal(Signal::SIGTERM),
    }
    if let Ok(outcome) = timeout(GRACE, worker.exited()).await {
        return outcome;
    }
    warn!(grace = ?GRACE, "the session did not end in time; killing its worker");
    worker.signal(Signal::SIGKILL);
    // A worker that sleeps in the kernel can't be killed, and the server's own end must not wait for it for ever.
    timeout(GRACE, worker.exited()).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Logs why, and tells the client where it is one that can be told.
async fn reject(server: &Server, stream: Stream, rejection: &Rejection) {
    match rejection {
        Rejection::Sniff(SniffError::Closed | SniffError::Io(_)) => debug!(reason = %rejection, "connection closed"),
        Rejection::MadeWay | Rejection::Sniff(_) => warn!(reason = %rejection, "connection refused"),
        Rejection::Refused(refusal) => warn!(reason = %refusal, hint = refusal.hint(), "connection refused"),
        Rejection::Full | Rejection::Spawn(_) => warn!(reason = %rejection, "connection refused"),
    }
    if matches!(rejection, Rejection::MadeWay | Rejection::Sniff(_)) {
        return;
    }
    if let Some(_slot) = server.refusal_slot() {
        let reason = rejection.to_string();
        tokio::select! {
            () = server.stop.cancelled() => {}
            () = tell(stream, &reason) => {}
        }
    }
}
