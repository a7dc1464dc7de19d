//! The accept loop of one listener.

use crate::call::{Outcome, call};
use crate::connection::{self, Arrival};
use crate::door::Door;
use crate::server::Server;
use crate::source::Source;
use dbgsrv_transports::Listener;
use std::sync::Arc;
use std::time::Duration;
use tracing::{Instrument, debug, error_span, warn};

/// The pause after a first failure to accept.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause. What fails now, such as too many open files, may be over any moment.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections until the server stops, or until a client that it was to call but once is gone. No failure to
/// accept ends it.
pub(crate) async fn accept_all(mut listener: Listener, door: Arc<Door>, server: Arc<Server>) {
    let stop = server.stop.clone();
    tokio::select! {
        () = stop.cancelled() => debug!(%listener, "stopped listening"),
        () = accept(&mut listener, &door, &server) => warn!(client = %listener, "the client is gone; not calling it again"),
    }
}

async fn accept(listener: &mut Listener, door: &Arc<Door>, server: &Arc<Server>) {
    let mut pause = FIRST_PAUSE;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                pause = FIRST_PAUSE;
                let (call, outcome) = listener.is_reverse().then(call).unzip();
                // One that was called is no stranger, and there are no others like it.
                let place = call.is_none().then(|| server.undecided.enter(Source::from(&peer)));
                // At the highest level, so that every line carries it whatever the filter lets through.
                let span = error_span!("connection", id = server.next_connection(), %peer);
                let arrival = Arrival { stream, peer, place, call };
                let connection = connection::serve(Arc::clone(server), Arc::clone(door), arrival);
                server.tasks.spawn(connection.instrument(span));
                match outcome.map(Outcome::over) {
                    Some(over) => {
                        if over.await && !door.reconnect {
                            return;
                        }
                    }
                    // Whoever has to make way for it does so before the next one comes.
                    None => tokio::task::yield_now().await,
                }
            }
            Err(error) => {
                warn!(%listener, reason = %error, ?pause, "cannot accept a connection; trying again");
                tokio::time::sleep(pause).await;
                pause = next_pause(pause);
            }
        }
    }
}

fn next_pause(pause: Duration) -> Duration {
    (pause * 2).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_no_further() {
        let pauses: Vec<_> =
            std::iter::successors(Some(FIRST_PAUSE), |pause| Some(next_pause(*pause))).take(9).collect();
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(pauses.last(), Some(&LONGEST_PAUSE));
    }
}
