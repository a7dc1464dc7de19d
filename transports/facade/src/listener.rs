//! A listener on any transport.

use crate::caller::Caller;
use crate::secured::Secured;
use crate::stream::Fresh;
use crate::{Carried, Peer, Stream};
use dbgsrv_firewall::FirewallError;
use dbgsrv_protocol::options::{ClientOptions, Host, PipeHost, PipeName, client};
use nix::sys::utsname::uname;
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
    /// A socket that was passed can't be used.
    #[error("cannot listen on a socket that was passed: {0}")]
    Passed(io::Error),
    /// `tcp`.
    #[error(transparent)]
    Tcp(#[from] dbgsrv_tcp::BindError),
    /// `com`.
    #[error(transparent)]
    Com(#[from] dbgsrv_com::OpenError),
    /// The firewall stays closed, though it was to be opened.
    #[error("cannot open tcp port {port} in the firewall: {source}")]
    Firewall {
        /// The port that was bound.
        port: u16,
        /// Why.
        source: FirewallError,
    },
    /// `npipe`.
    #[error(transparent)]
    Pipe(#[from] dbgsrv_npipe::BindError),
}

/// Accepts connections on one transport, or makes them. `Display` says what it listens on, or whom it calls: `tcp port 5005
/// (0.0.0.0, ::)`, `npipe app (/run/dbgsrv/pipes/app)`, `com COM2 (/dev/ttyS1) channel 7 at 115200 baud`, `tcp port 5005 of BOX17`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Listener {
    /// `tcp`.
    Tcp(dbgsrv_tcp::Listener),
    /// `npipe`.
    Pipe(dbgsrv_npipe::Listener),
    /// `com`.
    Com(dbgsrv_com::Listener),
    /// `tcp` with `clicon`.
    Call(Caller),
    /// `ssl` or `spipe`.
    Secured(Box<Secured>),
}

impl Listener {
    /// Whether it is this side that makes the connections. Then there is one at a time: the next is made when
    /// [`Self::accept`] is called again.
    #[must_use]
    pub const fn is_reverse(&self) -> bool {
        match self {
            Self::Com(_) | Self::Tcp(_) | Self::Pipe(_) => false,
            Self::Call(_) => true,
            Self::Secured(secured) => secured.listener.is_reverse(),
        }
    }

    /// It without TLS: what there is to know of where it listens.
    pub(crate) fn plain(&self) -> &Self {
        match self {
            Self::Secured(secured) => &secured.listener,
            plain => plain,
        }
    }

    /// Waits for the next connection; one that calls does so until the call is taken. Cancel safe.
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
            Self::Com(listener) => {
                let stream = listener.accept().await?;
                let channel = (!stream.is_plain()).then(|| listener.channel());
                Ok((Stream::Carried(Carried::new(stream)), Peer::Line(channel)))
            }
            Self::Call(caller) => {
                let (stream, address) = caller.call().await;
                Ok((Stream::Tcp(stream), Peer::Tcp(address)))
            }
            Self::Secured(secured) => {
                let (stream, peer) = Box::pin(secured.listener.accept()).await?;
                Ok((Stream::Fresh(Box::new(Fresh::new(stream, secured.acceptor.clone()))), peer))
            }
        }
    }

    /// The addresses at which other machines reach it; none where it serves this machine alone.
    #[must_use]
    pub fn outer_addresses(&self) -> Vec<IpAddr> {
        match self {
            Self::Tcp(listener) => {
                listener.addresses().iter().filter(|address| !address.to_canonical().is_loopback()).copied().collect()
            }
            Self::Call(_) | Self::Com(_) | Self::Pipe(_) => Vec::new(),
            Self::Secured(secured) => secured.listener.outer_addresses(),
        }
    }

    /// What GDB's `target extended-remote` takes to connect from this machine, or from the client's, where it is called. From the other
    /// end of a line, a word for that one's port.
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
            Self::Com(_) => "PORT".into(),
            Self::Call(_) | Self::Secured(_) => format!("| premote {} pipe", self.client_string()),
        }
    }

    /// The connection string that `premote` takes to connect from this machine; or from the client's, where it is called, or which is at the
    /// other end of a line.
    #[must_use]
    pub fn client_string(&self) -> String {
        match self {
            Self::Tcp(listener) => match outer_address(listener) {
                Some(address) => format!("tcp:server={address},port={}", listener.port()),
                None => format!("tcp:server=localhost,port={}", listener.port()),
            },
            Self::Pipe(listener) => pipe_string(listener.name()),
            Self::Com(listener) => format!("com:port=PORT,baud={},channel={}", listener.baud(), listener.channel()),
            Self::Call(caller) => format!("tcp:clicon={},port={}", this_machine(), caller.port()),
            Self::Secured(secured) => secured.client_string(),
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

/// What this machine calls itself, where that is a name that others may know.
fn this_machine() -> String {
    let own = uname().ok().and_then(|system| system.nodename().to_str()?.parse::<Host>().ok());
    own.map_or_else(|| "SERVER".to_owned(), |host| host.to_string())
}

/// What a listener listens on, in words: the port, and the addresses in parentheses.
pub(crate) fn tcp_place(listener: &dbgsrv_tcp::Listener) -> String {
    let addresses: Vec<_> = listener.addresses().iter().map(ToString::to_string).collect();
    format!("tcp port {} ({})", listener.port(), addresses.join(", "))
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => f.write_str(&tcp_place(listener)),
            Self::Pipe(listener) => write!(f, "npipe {} ({})", listener.name(), listener.path().display()),
            Self::Com(listener) => {
                let (port, path, baud) = (listener.port(), listener.path().display(), listener.baud());
                write!(f, "com {port} ({path}) channel {} at {baud} baud", listener.channel())
            }
            Self::Call(caller) => caller.fmt(f),
            Self::Secured(secured) => secured.fmt(f),
        }
    }
}
