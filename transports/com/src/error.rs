//! Why a channel of a line can't be had.

use dbgsrv_local::DirectoryError;
use dbgsrv_protocol::options::{Baud, Channel, SerialPort};
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// There is no channel; nothing was left behind.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The port can't be opened.
    #[error("cannot open the serial port {port} ({}): {source}", path.display())]
    Open {
        /// The port.
        port: SerialPort,
        /// Its device.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A program that does not share has the port.
    #[error("the serial port {port} ({}) is in use by another program", path.display())]
    Busy {
        /// The port.
        port: SerialPort,
        /// Its device.
        path: PathBuf,
    },
    /// It is something else.
    #[error("{} is no serial port; allowed: a terminal device, such as /dev/ttyS0", .0.display())]
    NoTerminal(PathBuf),
    /// The hardware or its driver does not have the rate.
    #[error(
        "the serial port {port} does not run at {wanted} baud; allowed: a rate that its hardware has (the nearest is {nearest})"
    )]
    Rate {
        /// The port.
        port: SerialPort,
        /// What was asked for.
        wanted: Baud,
        /// What it took instead, in bits per second.
        nearest: u32,
    },
    /// Another channel's listener or connection has the number.
    #[error("channel {channel} of the serial port {port} is in use on this machine; allowed: another of 0 to 254")]
    ChannelInUse {
        /// The port.
        port: SerialPort,
        /// The channel.
        channel: Channel,
    },
    /// Where the processes that share the port find each other.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The socket there.
    #[error("cannot share the serial port through {}: {source}", path.display())]
    Share {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        let kind = match &error {
            OpenError::Open { source, .. } | OpenError::Share { source, .. } => source.kind(),
            OpenError::Busy { .. } | OpenError::ChannelInUse { .. } => io::ErrorKind::ResourceBusy,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
