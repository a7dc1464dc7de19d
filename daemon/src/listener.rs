//! The accept loop of one listener.

use crate::connection;
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

/// Accepts connections until the server stops. No failure to accept ends it.
pub(crate) async fn accept_all(mut listener: Listener, door: Arc<Door>, server: Arc<Server>) {
    let stop = server.stop.clone();
    tokio::select! {
        () = stop.cancelled() => debug!(%listener, "stopped listening"),
        () = accept(&mut listener, &door, &server) => {}
    }
}

async fn accept(listener: &mut Listener, door: &Arc<Door>, server: &Arc<Server>) {
    let mut pause = FIRST_PAUSE;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                pause = FIRST_PAUSE;
                // At the highest level, so that every line carries it whatever the filter lets through.
                let span = error_span!("connection", id = server.next_connection(), %peer);
                let place = server.undecided.enter(Source::from(&peer));
                let connection = connection::serve(Arc::clone(server), Arc::clone(door), stream, peer, place);
                server.tasks.spawn(connection.instrument(span));
                // Whoever has to make way for it does so before the next one comes.
                tokio::task::yield_now().await;
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
