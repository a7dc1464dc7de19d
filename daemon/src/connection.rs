//! The beginning of a connection: sniffed, admitted, and passed on to what it speaks.

use crate::debug_session::{DebugSession, StartError};
use crate::door::Door;
use crate::limits::PER_DIRECT_SESSION;
use crate::link;
use crate::policy::{Policy, Refusal};
use crate::refusal::tell;
use crate::registry::Client;
use crate::server::Server;
use crate::sniff::{SniffError, Spoken, sniff};
use crate::undecided::Place;
use dbgsrv_transports::{Peer, Stream};
use std::os::fd::AsFd;
use std::sync::Arc;
use thiserror::Error;
use tracing::{debug, warn};

/// Why a connection is turned away.
#[derive(Debug, Error)]
enum Rejection {
    #[error("the client said nothing while too many others wanted to")]
    MadeWay,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Sniff(#[from] SniffError),
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Serves one connection to its end, or until the server's.
pub(crate) async fn serve(server: Arc<Server>, door: Arc<Door>, stream: Stream, peer: Peer, place: Place) {
    debug!("connection accepted");
    let decided = tokio::select! {
        () = server.stop.cancelled() => return,
        () = place.lost() => Err(Rejection::MadeWay),
        decided = decide(&door.policy, &stream, &peer) => decided,
    };
    if let Ok(Spoken::Session) = decided {
        return link::serve(server, door, stream, peer, place).await;
    }
    drop(place);
    match decided.and_then(|_| Ok(start(&server, &stream, &peer)?)) {
        Ok(session) => {
            // The worker has the connection now; here it would only keep it from closing.
            drop(stream);
            session.run().await;
        }
        Err(rejection) => reject(&server, stream, &rejection).await,
    }
}

/// What the connection speaks, where that is all that has to be known to let it in.
async fn decide(policy: &Policy, stream: &Stream, peer: &Peer) -> Result<Spoken, Rejection> {
    stream.tune().map_err(SniffError::Io)?;
    match sniff(stream).await {
        // Sessions refuse in words of their own.
        Ok(Spoken::Session) => Ok(Spoken::Session),
        Err(gone @ (SniffError::Closed | SniffError::Io(_))) => Err(gone.into()),
        // To everybody else the policy comes first: it is what their users have to know.
        other => {
            policy.admit_debugger(peer)?;
            Ok(other?)
        }
    }
}

fn start(server: &Server, stream: &Stream, peer: &Peer) -> Result<DebugSession, StartError> {
    let client = Client { peer: peer.to_string(), label: String::new(), link: None };
    DebugSession::start(server, client, stream.as_fd(), PER_DIRECT_SESSION)
}

/// Logs why, and tells the client where it is one that can be told.
async fn reject(server: &Server, stream: Stream, rejection: &Rejection) {
    match rejection {
        Rejection::Sniff(SniffError::Closed | SniffError::Io(_)) => debug!(reason = %rejection, "connection closed"),
        Rejection::Refused(refusal) => warn!(reason = %refusal, hint = refusal.hint(), "connection refused"),
        _ => warn!(reason = %rejection, "connection refused"),
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
