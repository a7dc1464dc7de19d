//! The channels that a client opens within its connection: each a debug session with a worker of its own.

use crate::debug_session::{DebugSession, StartError};
use crate::limits::PER_CHANNEL_SESSION;
use crate::registry::Client;
use crate::server::Server;
use dbgsrv_protocol::control::Event;
use dbgsrv_protocol::mux::{Code, Kind};
use dbgsrv_session::{Incoming, Link};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::{debug, warn};

/// Bytes that are passed on at once.
const CHUNK: usize = 64 << 10;
/// How long a client may take to close its side of a channel whose session is over.
const CLOSE_TIME: Duration = Duration::from_secs(3);

/// Serves a channel to its end.
pub(crate) async fn serve(
    server: Arc<Server>,
    link: Link,
    peer: String,
    incoming: Incoming,
    events: mpsc::Sender<Event>,
) {
    if incoming.kind != Kind::Debug {
        debug!(kind = ?incoming.kind, "channel refused");
        return incoming.refuse(Code::UnknownKind, "this release of the server knows no such kind of channel");
    }
    let client = Client { peer, label: incoming.label.clone(), link: Some(link) };
    let (session, stream) = match start(&server, client) {
        Ok(started) => started,
        Err(error) => {
            warn!(reason = %error, "channel refused");
            return incoming.refuse(error.code(), &error.to_string());
        }
    };
    let number = session.number();
    let (outcome, ()) = tokio::join!(session.run(), pump(incoming.accept(), stream));
    // A client that does not read its events does not get them.
    let _ = events.try_send(Event::SessionEnded { session: number, outcome });
}

/// Starts a session, and returns the front's end of its stream.
fn start(server: &Server, client: Client) -> Result<(DebugSession, UnixStream), StartError> {
    let (ours, theirs) = UnixStream::pair().map_err(StartError::Spawn)?;
    let session = DebugSession::start(server, client, theirs.as_fd(), PER_CHANNEL_SESSION)?;
    Ok((session, ours))
}

/// Passes bytes on between a channel and a worker until both have said their last.
async fn pump(channel: impl AsyncRead + AsyncWrite, worker: UnixStream) {
    let (from_client, to_client) = tokio::io::split(channel);
    let (from_worker, to_worker) = worker.into_split();
    let (inward, outward) = (relay(from_client, to_worker), relay(from_worker, to_client));
    tokio::pin!(inward, outward);
    tokio::select! {
        // The worker is told by the end of its input that the client is gone, or done; it may have something to say.
        () = &mut inward => outward.await,
        // The worker is gone. What it said is with the client before the channel is dropped.
        () = &mut outward => {
            if timeout(CLOSE_TIME, inward).await.is_err() {
                debug!("the client does not close the channel of a session that is over");
            }
        }
    }
}

/// Passes bytes on in one direction, and the end of them too.
async fn relay(from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    if let Err(error) = copy(from, &mut to).await {
        debug!(reason = %error, "a channel's bytes go no further");
    }
    // It fails where the other side is gone, and then it knows.
    let _ = to.shutdown().await;
}

async fn copy(mut from: impl AsyncRead + Unpin, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match from.read(&mut buffer).await? {
            0 => return Ok(()),
            count => to.write_all(&buffer[..count]).await?,
        }
        to.flush().await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{DuplexStream, duplex};
    use tokio::task::JoinHandle;

    fn pumped() -> (DuplexStream, UnixStream, JoinHandle<()>) {
        let (client, channel) = duplex(CHUNK);
        let (ours, worker) = UnixStream::pair().unwrap();
        (client, worker, tokio::spawn(pump(channel, ours)))
    }

    #[tokio::test(flavor = "current_thread")]
    async fn bytes_pass_both_ways_however_many() {
        let (mut client, mut worker, pump) = pumped();
        let bytes: Vec<u8> = (0..5 * CHUNK).map(|index| index as u8).collect();
        let echo = tokio::spawn(async move {
            let mut all = Vec::new();
            worker.read_to_end(&mut all).await.unwrap();
            worker.write_all(&all).await.unwrap();
        });
        client.write_all(&bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let mut back = Vec::new();
        client.read_to_end(&mut back).await.unwrap();
        assert!(back == bytes);
        echo.await.unwrap();
        pump.await.unwrap();
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_client_that_closes_its_channel_is_an_end_of_input_to_the_worker() {
        let (client, mut worker, pump) = pumped();
        drop(client);
        assert_eq!(worker.read(&mut [0]).await.unwrap(), 0);
        drop(worker);
        pump.await.unwrap();
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn what_a_worker_said_last_reaches_a_client_that_takes_its_time() {
        let (mut client, mut worker, pump) = pumped();
        worker.write_all(&vec![7; 2 * CHUNK]).await.unwrap();
        drop(worker);
        tokio::time::sleep(10 * CLOSE_TIME).await;
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), 2 * CHUNK);
        pump.await.unwrap();
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_client_that_never_closes_does_not_keep_the_channel_of_a_session_that_is_over() {
        let (_client, worker, pump) = pumped();
        drop(worker);
        pump.await.unwrap();
    }
}
