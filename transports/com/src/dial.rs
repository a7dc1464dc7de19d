//! Calling the other side of a line.

use crate::listen::open;
use crate::port::Port;
use crate::{OpenError, Stream};
use dbgsrv_protocol::limits::LINE_FAREWELL;
use dbgsrv_protocol::options::{Baud, Channel, SerialPort};
use dbgsrv_protocol::serial::Opening;
use std::future::poll_fn;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long the other side may take to answer: several calls, on a line that loses some.
const CALL_TIME: Duration = Duration::from_secs(10);

/// How often a channel is tried that is in use.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Calls on one channel of `port`. Takes 15 seconds at most. Cancel safe. Must be called inside a tokio runtime with I/O and time.
///
/// # Errors
/// What [`OpenError`] says of the port; [`io::ErrorKind::ConnectionRefused`] where nobody has the channel at the other side;
/// [`io::ErrorKind::TimedOut`] where nobody answers at all.
pub async fn dial(port: &SerialPort, baud: Baud, channel: Channel) -> io::Result<Stream> {
    let port = Port::find(port, baud)?;
    let start = Instant::now();
    let handle = loop {
        match open(port.clone(), channel, Opening::Call) {
            // The last connection of this process may still have something to say.
            Err(OpenError::ChannelInUse { .. }) if start.elapsed() < LINE_FAREWELL => sleep(BUSY_PAUSE).await,
            opened => break opened?,
        }
    };
    let silent = |_| io::Error::new(io::ErrorKind::TimedOut, "nobody answers at the other side of the line");
    let peer = timeout(CALL_TIME, poll_fn(|cx| handle.poll_peer(cx))).await.map_err(silent)??;
    Ok(Stream::new(handle, peer))
}
