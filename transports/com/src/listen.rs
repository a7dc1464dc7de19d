//! A listener on one channel of a line.

use crate::claim::Claim;
use crate::port::Port;
use crate::state::{Handle, Shared};
use crate::{OpenError, Stream, driver};
use dbgsrv_protocol::options::{Baud, Channel, SerialPort};
use dbgsrv_protocol::serial::{Member, Opening};
use std::future::poll_fn;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Answers on one channel of a port: one peer after the other, since they share a line. It is silent until called.
///
/// A debugger that speaks RSP straight to the line is a peer, too, of the lowest channel that is listened on, as long as nobody calls.
#[derive(Debug)]
pub struct Listener {
    handle: Handle,
    port: SerialPort,
    path: PathBuf,
    baud: Baud,
    channel: Channel,
}

impl Listener {
    /// Opens `port`, or joins the processes of this machine that have it open. Must be called inside a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// [`OpenError`] with the port or the channel, and the reason.
    pub fn bind(port: &SerialPort, baud: Baud, channel: Channel) -> Result<Self, OpenError> {
        let found = Port::find(port, baud)?;
        let path = found.path.clone();
        let handle = open(found, channel, Opening::Answer)?;
        Ok(Self { handle, port: port.clone(), path, baud, channel })
    }

    /// Waits for the next peer. Cancel safe.
    ///
    /// # Errors
    /// Why the line can't be had for the moment. None of them is the end of the listener: the caller logs it, waits a little and
    /// goes on.
    pub async fn accept(&mut self) -> io::Result<Stream> {
        let peer = poll_fn(|cx| self.handle.poll_peer(cx)).await?;
        Ok(Stream::new(self.handle.clone(), peer))
    }

    /// The port, as it was given.
    #[must_use]
    pub fn port(&self) -> &SerialPort {
        &self.port
    }

    /// Its device.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line's rate.
    #[must_use]
    pub fn baud(&self) -> Baud {
        self.baud
    }

    /// The channel.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }
}

/// Takes a channel of a port.
pub(crate) fn open(port: Port, channel: Channel, opening: Opening) -> Result<Handle, OpenError> {
    let claim = Claim::take(&port, channel)?;
    let baud = port.baud;
    let shared = Arc::new(Shared::new(|now| Member::new(channel, baud, opening, now), opening));
    driver::start(&shared, port, claim)?;
    Ok(Handle::new(shared))
}
