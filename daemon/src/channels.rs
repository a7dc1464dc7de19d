//! The channels that a client opens within its connection: each a debug session with a worker of its own.

use crate::debug_session::DebugSession;
use crate::limits::PER_CHANNEL_SESSION;
use crate::pump::pump;
use crate::registry::{Client, Origin};
use crate::server::Server;
use crate::worker::Terms;
use dbgsrv_protocol::control::Event;
use dbgsrv_protocol::mux::{Code, Kind};
use dbgsrv_session::{Incoming, Link};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::{debug, warn};

/// Serves a channel to its end. `busy` is dropped when all that the session has to say is in the channel.
pub(crate) async fn serve(
    server: Arc<Server>,
    terms: Terms,
    link: Link,
    peer: String,
    incoming: Incoming,
    events: mpsc::Sender<Event>,
    busy: TaskTrackerToken,
) {
    if incoming.kind != Kind::Debug {
        debug!(kind = ?incoming.kind, "channel refused");
        return incoming.refuse(Code::UnknownKind, "this release of the server knows no such kind of channel");
    }
    let client = Client { peer, label: incoming.label.clone(), origin: Origin::Channel(link) };
    let (session, stream) = match DebugSession::start_apart(&server, client, terms.over_channel(), PER_CHANNEL_SESSION)
    {
        Ok(started) => started,
        Err(error) => {
            warn!(reason = %error, "channel refused");
            return incoming.refuse(error.code(), &error.to_string());
        }
    };
    let watch = async {
        let number = session.number();
        let outcome = session.run().await;
        // A client that does not read its events does not get them.
        let _ = events.try_send(Event::SessionEnded { session: number, outcome });
    };
    tokio::join!(watch, pump(incoming.accept(), stream, busy));
}
