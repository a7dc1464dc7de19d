//! Carries a session's bytes between its client's stream and its worker, where that can't have the client's own socket.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tracing::debug;

/// Bytes that are passed on at once.
const CHUNK: usize = 64 << 10;

/// Passes bytes on between a client and a worker until both have said their last. `busy` is dropped when all that the
/// worker has to say is in `client`.
pub(crate) async fn pump<T>(client: impl AsyncRead + AsyncWrite, worker: UnixStream, busy: T) {
    let (from_client, to_client) = tokio::io::split(client);
    let (from_worker, to_worker) = worker.into_split();
    let inward = inward(from_client, to_worker);
    let outward = async move {
        let passed = relay(from_worker, to_client).await;
        drop(busy);
        passed
    };
    tokio::pin!(inward, outward);
    tokio::select! {
        // The worker is told by the end of its input that the client is done; it may have something to say.
        () = &mut inward => drop(outward.await),
        // Where it fails, the client is gone. A worker that is blocked in what it says, and takes no input, hears of it by
        // the end of the stream.
        passed = &mut outward => if passed.is_ok() {
            inward.await;
        },
    }
}

/// Passes on what the client sends, until it closes its side of the stream.
///
/// What it sends to a worker that is gone is dropped, and the stream stays the client's until it closes it: given up here,
/// it would lose what the worker said last, which may wait for credit or for a connection that is cut.
async fn inward(mut from_client: impl AsyncRead + Unpin, to_worker: impl AsyncWrite + Unpin) {
    let _ = relay(&mut from_client, to_worker).await;
    // Nothing, where it was the client that came to its end.
    let _ = tokio::io::copy(&mut from_client, &mut tokio::io::sink()).await;
}

/// Passes bytes on in one direction, and the end of them too.
async fn relay(from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let passed = copy(from, &mut to).await;
    if let Err(error) = &passed {
        debug!(reason = %error, "the bytes go no further");
    }
    // It fails where the other side is gone, and then it knows.
    let _ = to.shutdown().await;
    passed
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
    use crate::testing::{self, Linked};
    use dbgsrv_protocol::mux::Kind;
    use dbgsrv_session::Channel;
    use std::time::Duration;
    use tokio::io::{DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::sleep;

    fn pumped() -> (DuplexStream, UnixStream, JoinHandle<()>) {
        let (client, channel) = duplex(CHUNK);
        let (ours, worker) = UnixStream::pair().unwrap();
        (client, worker, tokio::spawn(pump(channel, ours, ())))
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

    /// More than a client takes unread, and less than waits here beside that.
    const LAST_WORDS: usize = 300 << 10;

    /// As [`pumped`], with a channel of a session.
    async fn linked() -> (Channel, UnixStream, JoinHandle<()>) {
        let Linked { client, server, mut incoming, .. } = testing::linked().await;
        let (ours, worker) = UnixStream::pair().unwrap();
        let pump = tokio::spawn(async move {
            let channel = incoming.recv().await.unwrap().accept();
            pump(channel, ours, ()).await;
            drop(server);
        });
        (client.open(Kind::Debug, "").await.unwrap(), worker, pump)
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn what_a_worker_said_last_reaches_a_client_that_takes_its_time() {
        let (mut client, mut worker, pump) = linked().await;
        worker.write_all(&vec![7; LAST_WORDS]).await.unwrap();
        drop(worker);
        sleep(Duration::from_mins(1)).await;
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), LAST_WORDS);
        client.shutdown().await.unwrap();
        pump.await.unwrap();
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn what_a_worker_said_last_reaches_a_client_that_goes_on_talking() {
        let (mut client, mut worker, pump) = linked().await;
        worker.write_all(&vec![7; LAST_WORDS]).await.unwrap();
        drop(worker);
        client.write_all(&vec![8; 2 * CHUNK]).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), LAST_WORDS);
        drop(client);
        pump.await.unwrap();
    }
}
