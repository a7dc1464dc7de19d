//! The beginning of a connection: sniffed, admitted, and passed on to what it speaks.

use crate::call::{Call, Called};
use crate::debug_session::{DebugSession, StartError};
use crate::door::Door;
use crate::handshake::refuse;
use crate::limits::{PER_CARRIED_SESSION, PER_DIRECT_SESSION};
use crate::link;
use crate::policy::{Policy, Refusal};
use crate::pump::pump;
use crate::refusal::tell;
use crate::registry::{Client, Origin};
use crate::server::Server;
use crate::sniff::{SniffError, Spoken, sniff, sniff_in_time};
use crate::source::Source;
use crate::undecided::{Place, lost};
use dbgsrv_protocol::session::Rejected;
use dbgsrv_transports::{Peer, ReadyError, Stream};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tracing::{debug, warn};

/// How long a client may take to read what its session said last, and to hang up.
const LEAVE_TIME: Duration = Duration::from_secs(5);

/// Why a connection is turned away.
#[derive(Debug, Error)]
enum Rejection {
    #[error("the client said nothing while too many others wanted to")]
    MadeWay,
    #[error(transparent)]
    Ready(#[from] ReadyError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Sniff(#[from] SniffError),
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A fresh connection.
pub(crate) struct Arrival {
    pub(crate) stream: Stream,
    pub(crate) peer: Peer,
    /// Its place among the undecided; one that this side made needs none.
    pub(crate) place: Option<Place>,
    /// The call that it is, where this side made it.
    pub(crate) call: Option<Call>,
}

/// Serves one connection to its end, or until the server's.
pub(crate) async fn serve(server: Arc<Server>, door: Arc<Door>, mut arrival: Arrival) {
    debug!("connection accepted");
    let Arrival { stream, peer, place, call } = &mut arrival;
    let decided = tokio::select! {
        () = server.stop.cancelled() => return,
        () = lost(place.as_ref()) => Err(Rejection::MadeWay),
        decided = decide(&door.policy, stream, peer, call.is_some()) => decided,
    };
    if let Ok(Spoken::Session) = decided {
        return link::serve(server, door, arrival).await;
    }
    let Arrival { stream, peer, place, call } = arrival;
    drop(place);
    let started = decided.and_then(|_| Ok(start(&server, &door, &stream, &peer)?));
    if started.is_ok() {
        call.iter().for_each(Call::answered);
    }
    match started {
        Ok((session, None)) => {
            // The worker has the connection now; here it would only keep it from closing.
            drop(stream);
            session.run().await;
        }
        Ok((session, Some(worker))) => carry(session, stream, worker).await,
        Err(rejection) => reject(&server, &door, stream, &rejection).await,
    }
}

/// What the connection speaks, where that is all that has to be known to let it in.
async fn decide(policy: &Policy, stream: &mut Stream, peer: &Peer, called: bool) -> Result<Spoken, Rejection> {
    match stream.ready().await {
        Err(ReadyError::NoTls) => return Err(Refusal::without_tls(peer).into()),
        ready => ready?,
    }
    // Who was called may have no debugger yet, and keeps nobody else out.
    let spoken = if called { sniff(stream).await } else { sniff_in_time(stream).await };
    match spoken {
        // Sessions refuse in words of their own.
        Ok(Spoken::Session) => Ok(Spoken::Session),
        Err(gone @ (SniffError::Closed | SniffError::Io(_))) => Err(gone.into()),
        // To everybody else the policy comes first: it is what their users have to know.
        other => {
            policy.admit_debugger(peer, stream.channel_binding().is_some())?;
            Ok(other?)
        }
    }
}

/// Starts a session on the connection's socket, or on one of a pair, whose other end is returned.
fn start(
    server: &Server,
    door: &Door,
    stream: &Stream,
    peer: &Peer,
) -> Result<(DebugSession, Option<UnixStream>), StartError> {
    let client = Client { peer: peer.to_string(), label: String::new(), origin: Origin::Direct(Source::from(peer)) };
    if let Some(socket) = stream.socket() {
        return Ok((DebugSession::start(server, client, door.terms, socket, PER_DIRECT_SESSION)?, None));
    }
    let (session, worker) = DebugSession::start_apart(server, client, door.terms, PER_CARRIED_SESSION)?;
    Ok((session, Some(worker)))
}

/// Watches a session to its end, and passes bytes on between its client and its worker meanwhile.
async fn carry(session: DebugSession, stream: Stream, worker: UnixStream) {
    let (session, pump) = (session.run(), pump(stream, worker, ()));
    tokio::pin!(session, pump);
    tokio::select! {
        () = &mut pump => drop(session.await),
        _ = &mut session => if timeout(LEAVE_TIME, pump).await.is_err() {
            debug!("the session has ended, and its client does not hang up");
        },
    }
}

/// Logs why, and tells the client where it is one that can be told.
async fn reject(server: &Server, door: &Door, mut stream: Stream, rejection: &Rejection) {
    match rejection {
        Rejection::Sniff(SniffError::Closed | SniffError::Io(_)) | Rejection::Ready(ReadyError::Io(_)) => {
            debug!(reason = %rejection, "connection closed");
        }
        Rejection::Refused(refusal) => warn!(reason = %refusal, hint = refusal.hint(), "connection refused"),
        _ => warn!(reason = %rejection, "connection refused"),
    }
    if matches!(rejection, Rejection::MadeWay | Rejection::Ready(_) | Rejection::Sniff(_)) {
        return;
    }
    let reason = rejection.to_string();
    let telling = async {
        match sniff(&mut stream).await {
            // Only one that comes without TLS: all others are refused in their handshake.
            Ok(Spoken::Session) => refuse(server, door, Called::new(stream, None), Rejected::NotAllowed, &reason).await,
            _ => {
                if let Some(_slot) = server.refusal_slot() {
                    tell(stream, &reason).await;
                }
            }
        }
    };
    tokio::select! {
        () = server.stop.cancelled() => {}
        () = telling => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::source::Source;
    use crate::telemetry::LogOptions;
    use crate::worker::SessionHost;
    use dbgsrv_transports::Carried;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test(flavor = "current_thread")]
    async fn a_debugger_is_served_on_a_stream_that_has_no_socket() {
        let server = Arc::new(Server::new(SessionHost::Threads, LogOptions::default(), Limits::MOST, Vec::new()));
        let door = Arc::new(Door::new(&"tcp:port=1".parse().unwrap(), None));
        let peer = Peer::Tcp("127.0.0.1:9".parse().unwrap());
        let place = Some(server.undecided.enter(Source::from(&peer)));
        let (mut client, stream) = duplex(64);
        let arrival = Arrival { stream: Stream::Carried(Carried::new(stream)), peer, place, call: None };
        let serving = tokio::spawn(serve(server, door, arrival));
        // More than the stream holds at once, and wrong: it is asked for again.
        let question = format!("$y{}#xx", "0".repeat(5000));
        client.write_all(question.as_bytes()).await.unwrap();
        client.write_all(b"$qSupported#37").await.unwrap();
        client.shutdown().await.unwrap();
        let mut reply = String::new();
        client.read_to_string(&mut reply).await.unwrap();
        assert!(reply.contains("PacketSize="), "{reply}");
        drop(client);
        serving.await.unwrap();
    }
}
