//! A connection that carries channels, from its handshake to its end.

use crate::call::{Call, Called};
use crate::channels;
use crate::connection::Arrival;
use crate::control::{self, ControlError};
use crate::debug_session::GRACE;
use crate::door::Door;
use crate::handshake::admit;
use crate::server::Server;
use crate::source::Source;
use crate::undecided::lost;
use crate::worker::Terms;
use dbgsrv_protocol::control::Event;
use dbgsrv_protocol::session::CloseCode;
use dbgsrv_session::{Accepted, Closed, Incoming, Link};
use dbgsrv_transports::Peer;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::{Instrument, debug, info, warn};

/// How long the debug sessions of a link may take to end, and to say their last, when the server ends.
const END_TIME: Duration = GRACE.saturating_mul(2);
/// How long a link may take to send what it was closed with.
const CLOSE_TIME: Duration = Duration::from_secs(1);
/// Events that wait for a client that does not read. What is more is lost to it.
const MAX_EVENTS: usize = 256;

/// Serves one connection whose client speaks the session's protocol, to its session's end or until the server's.
pub(crate) async fn serve(server: Arc<Server>, door: Arc<Door>, arrival: Arrival) {
    let Arrival { stream, peer, place, call } = arrival;
    let stream = Called::new(stream, call.clone());
    let accepted = tokio::select! {
        () = server.stop.cancelled() => return,
        () = lost(place.as_ref()) => {
            return warn!(reason = "too many others waited while it was slow", "connection refused");
        }
        accepted = admit(&server, &door, stream, &peer) => accepted,
    };
    drop(place);
    if accepted.is_some() {
        call.iter().for_each(Call::answered);
    }
    // From here on it is as long as the connection: the session may outlive that.
    drop(call);
    match accepted {
        Some(Accepted::New(link, incoming)) => Carrier::new(server, door.terms, link, &peer).run(incoming).await,
        Some(Accepted::Resumed(id)) => info!(link = %id, "connection resumed"),
        None => {}
    }
}

/// A link and what it carries.
struct Carrier {
    server: Arc<Server>,
    terms: Terms,
    link: Link,
    peer: String,
    source: Source,
    tasks: TaskTracker,
    /// Its tokens are held by what still has something to say to the client.
    busy: TaskTracker,
}

impl Carrier {
    fn new(server: Arc<Server>, terms: Terms, link: Link, peer: &Peer) -> Self {
        let source = Source::from(peer);
        Self {
            server,
            terms,
            link,
            peer: peer.to_string(),
            source,
            tasks: TaskTracker::new(),
            busy: TaskTracker::new(),
        }
    }

    /// Serves the link's channels until its end or the server's.
    async fn run(self, mut incoming: mpsc::Receiver<Incoming>) {
        let Some(_place) = self.server.links.enter(self.source, &self.link) else {
            warn!("as many connections as there may be; closing this one");
            return self.link.close(CloseCode::Ended, "the server has as many connections as it can hold");
        };
        let client = self.link.peer();
        info!(link = %self.link.id(), protection = ?self.link.protection(), release = client.release, os = client.os,
            architecture = client.architecture, host = client.host, "connection carries channels");
        let (events, told) = mpsc::channel(MAX_EVENTS);
        self.spawn(control(Arc::clone(&self.server), self.link.clone(), told, self.busy.token()));
        let closed = tokio::select! {
            closed = self.link.closed() => closed,
            () = self.open_channels(&mut incoming, &events) => self.link.closed().await,
            () = self.server.stop.cancelled() => self.end().await,
        };
        // Without a link the channels are at their end, and so their sessions.
        self.tasks.close();
        self.tasks.wait().await;
        info!(code = ?closed.code, text = closed.text, by_client = !closed.here, "connection ended");
    }

    /// Serves the channels that the client opens, until there can be no more.
    async fn open_channels(&self, incoming: &mut mpsc::Receiver<Incoming>, events: &mpsc::Sender<Event>) {
        while let Some(incoming) = incoming.recv().await {
            let (server, link, events) = (Arc::clone(&self.server), self.link.clone(), events.clone());
            self.spawn(channels::serve(
                server,
                self.terms,
                link,
                self.peer.clone(),
                incoming,
                events,
                self.busy.token(),
            ));
        }
    }

    /// Closes the link when the server ends, after all have said their last.
    async fn end(&self) -> Closed {
        self.busy.close();
        if timeout(END_TIME, self.busy.wait()).await.is_err() {
            debug!("the client does not take the last words of its sessions");
        }
        self.link.close(CloseCode::ServerEnds, "the server ends");
        let gone = || Closed { here: true, code: CloseCode::ServerEnds, text: "the server ends".into() };
        timeout(CLOSE_TIME, self.link.closed()).await.unwrap_or_else(|_| gone())
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task.in_current_span());
    }
}

/// Serves the control channel; a client that breaks its rules loses the link. Requests that take long do not outlive that.
async fn control(server: Arc<Server>, link: Link, events: mpsc::Receiver<Event>, _busy: TaskTrackerToken) {
    let Some(channel) = link.control() else { return };
    let ended = tokio::select! {
        ended = control::serve(&server, channel, events) => ended,
        _ = link.closed() => return,
    };
    match ended {
        Ok(()) => (),
        // The channel is as long as the link, whose end is told where all its channels are.
        Err(ControlError::Io(error)) => debug!(%error, "the control channel ended"),
        Err(ControlError::Codec(error)) => {
            warn!(reason = %error, "the control channel broke");
            link.close(CloseCode::Protocol, &error.to_string());
        }
    }
}
