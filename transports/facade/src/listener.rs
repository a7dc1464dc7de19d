//! A listener on any transport.

use crate::{Peer, Stream};
use dbgsrv_protocol::options::{ClientOptions, PipeHost, PipeName, client};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use thiserror::Error;

/// A transport can't be listened on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address to listen at can't be found on this machine.
    #[error("cannot listen at the address given with `bind`: {0}")]
    Address(io::Error),
    /// `tcp`.
    #[error(transparent)]
    Tcp(#[from] dbgsrv_tcp::BindError),
    /// `npipe`.
    #[error(transparent)]
    Pipe(#[from] dbgsrv_npipe::BindError),
}

/// Accepts connections on one transport. `Display` says what it listens on: `tcp port 5005 (0.0.0.0, ::)`, `npipe app
/// (/run/dbgsrv/pipes/app)`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Listener {
    /// `tcp`.
    Tcp(dbgsrv_tcp::Listener),
    /// `npipe`.
    Pipe(dbgsrv_npipe::Listener),
}

impl Listener {
    /// Waits for the next connection. Cancel safe.
    ///
    /// # Errors
    /// What the system says. None of its errors is the end of the listener: the caller logs it, waits a little and goes
    /// on.
    pub async fn accept(&mut self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((Stream::Tcp(stream), Peer::Tcp(address)))
            }
            Self::Pipe(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::Pipe(stream), Peer::Pipe(peer)))
            }
        }
    }

    /// What GDB's `target extended-remote` takes to connect from this machine.
    #[must_use]
    pub fn gdb_target(&self) -> String {
        match self {
            Self::Tcp(listener) => match outer_address(listener) {
                Some(address) => SocketAddr::new(address, listener.port()).to_string(),
                None => format!("localhost:{}", listener.port()),
            },
            Self::Pipe(listener) => {
                let path = listener.path().display().to_string();
                // GDB takes what has a colon for a host and a port, whatever file there is.
                if path.contains(':') { format!("| premote {} pipe", self.client_string()) } else { path }
            }
        }
    }

    /// The connection string that `premote` takes to connect from this machine.
    #[must_use]
    pub fn client_string(&self) -> String {
        match self {
            Self::Tcp(listener) => match outer_address(listener) {
                Some(address) => format!("tcp:server={address},port={}", listener.port()),
                None => format!("tcp:server=localhost,port={}", listener.port()),
            },
            Self::Pipe(listener) => pipe_string(listener.name()),
        }
    }
}

/// The one address that is listened at, where that is not among those that `localhost` reaches.
fn outer_address(listener: &dbgsrv_tcp::Listener) -> Option<IpAddr> {
    let local = |address: &IpAddr| {
        address.is_unspecified() || *address == Ipv4Addr::LOCALHOST || *address == Ipv6Addr::LOCALHOST
    };
    listener.addresses().first().copied().filter(|address| !local(address))
}

fn pipe_string(pipe: &PipeName) -> String {
    let server = PipeHost::this_machine();
    ClientOptions::NamedPipe(client::NamedPipe { server, pipe: pipe.clone(), password: None }).to_string()
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => {
                write!(f, "tcp port {}", listener.port())?;
                for (index, address) in listener.addresses().iter().enumerate() {
                    write!(f, "{}{address}", if index == 0 { " (" } else { ", " })?;
                }
                f.write_str(")")
            }
            Self::Pipe(listener) => write!(f, "npipe {} ({})", listener.name(), listener.path().display()),
        }
    }
}
