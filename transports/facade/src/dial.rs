//! Where a client's connection string leads, checked against what this build can do.

use crate::machine::Machine;
use crate::waiting::Waiting;
use crate::{BindError, Carried, Peer, PipePeer, Stream, Unusable};
use dbgsrv_protocol::options::client::{Gdb, Serial};
use dbgsrv_protocol::options::{ClientOptions, Host, ListenOn, PipeHost, PipeName, Port};
use dbgsrv_tls::Connector;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Connects to a server, or has it call, as often as need be. `Display` says where: `BOX17 port 5005`, `pipe app`, `channel 7 of
/// serial port COM2`, `BOX17 (calling port 5005 here)`, `pipe app on ann@BOX17`. Clones wait at the same port.
#[derive(Clone, Debug)]
pub struct Dialer {
    way: Way,
    /// What goes into TLS.
    connector: Option<Connector>,
}

#[derive(Clone, Debug)]
enum Way {
    Tcp(Machine, Port),
    /// The server makes the connection.
    TcpReverse(Arc<Waiting>),
    /// On this machine.
    Pipe(PipeName),
    /// On another one, or another user's.
    RemotePipe(PipeHost, PipeName),
    Serial(Serial),
}

impl Dialer {
    /// Checks `options`, and opens nothing; certificates that they name are found and checked, too.
    ///
    /// # Errors
    /// [`Unusable`] for what is wrong with a certificate.
    pub fn new(options: &ClientOptions) -> Result<Self, Unusable> {
        let machine = |host: &Host, ip_version| Machine { host: host.clone(), ip_version };
        let plain = |way| Ok(Self { way, connector: None });
        let secured = |way, tls, server: &Host| Ok(Self { way, connector: Some(Connector::new(tls, server)?) });
        let reverse = |server: &Host, port, listen_on| {
            Way::TcpReverse(Arc::new(Waiting::new(machine(server, None), port, listen_on)))
        };
        match options {
            ClientOptions::Tcp(tcp) => plain(Way::Tcp(machine(&tcp.server, tcp.ip_version), tcp.port)),
            ClientOptions::TcpReverse(tcp) => plain(reverse(&tcp.server, tcp.port, tcp.listen_on.clone())),
            ClientOptions::NamedPipe(pipe) => plain(way_to(&pipe.server, &pipe.pipe)),
            ClientOptions::Ssl(ssl) => secured(Way::Tcp(machine(&ssl.server, None), ssl.port), &ssl.tls, &ssl.server),
            ClientOptions::SslReverse(ssl) => {
                let listen_on = ssl.bind.clone().map(ListenOn::Address);
                secured(reverse(&ssl.server, ssl.port, listen_on), &ssl.tls, &ssl.server)
            }
            ClientOptions::SecurePipe(pipe) => secured(way_to(&pipe.server, &pipe.pipe), &pipe.tls, &pipe.server.host),
            ClientOptions::Serial(serial) => plain(Way::Serial(serial.clone())),
            ClientOptions::Gdb(gdb) => Ok(gdb.into()),
        }
    }

    /// Where the server's call is waited for: `tcp port 5005 (0.0.0.0, ::)`. It listens there from now on, or from the first
    /// [`Self::dial`]. `None` where it is not the server that makes the connection. Must be called inside a tokio runtime
    /// with I/O.
    ///
    /// # Errors
    /// [`BindError`] with the port and the reason.
    pub async fn listen(&self) -> Result<Option<String>, BindError> {
        match &self.way {
            Way::TcpReverse(waiting) => waiting.listen().await.map(Some),
            Way::Tcp(..) | Way::Pipe(_) | Way::RemotePipe(..) | Way::Serial(_) => Ok(None),
        }
    }

    /// Connects, and makes the connection fit for debugging. The name is looked up anew each time, so that a machine is
    /// found again after it moved. Takes half a minute at most; where the server is to call, ten minutes; where ssh(1) asks
    /// its user something, as long as that takes. The peer of a pipe on another machine is this process, which started ssh.
    /// Cancel safe.
    ///
    /// # Errors
    /// What the system says about the name or about the last of its addresses; [`io::ErrorKind::TimedOut`] where
    /// nobody answers, or calls. Of a pipe, where it was looked for.
    pub async fn dial(&self) -> io::Result<(Stream, Peer)> {
        let (mut stream, peer) = match &self.way {
            Way::Tcp(machine, port) => {
                let stream = dbgsrv_tcp::connect(&machine.addresses(port.get()).await?).await?;
                let peer = Peer::Tcp(stream.peer_addr()?);
                (Stream::Tcp(stream), peer)
            }
            Way::TcpReverse(waiting) => {
                let (stream, peer) = waiting.take().await?;
                (Stream::Tcp(stream), Peer::Tcp(peer))
            }
            Way::Pipe(name) => {
                let stream = dbgsrv_npipe::connect(name).await?;
                let peer = Peer::Pipe(PipePeer::of(&stream)?);
                (Stream::Pipe(stream), peer)
            }
            Way::RemotePipe(server, name) => {
                let stream = dbgsrv_npipe::connect_remote(server, name).await?;
                let peer = Peer::Pipe(PipePeer::of(&stream)?);
                (Stream::Pipe(stream), peer)
            }
            Way::Serial(Serial { port, baud, channel, .. }) => {
                let stream = dbgsrv_com::dial(port, *baud, *channel).await?;
                (Stream::Carried(Carried::new(stream)), Peer::Line(Some(*channel)))
            }
        };
        stream.ready().await.map_err(io::Error::other)?;
        Ok(match &self.connector {
            None => (stream, peer),
            // Boxed, since few connections carry the weight of TLS.
            Some(connector) => (Stream::Carried(Carried::secured(Box::pin(connector.connect(stream)).await?)), peer),
        })
    }
}

/// The way to a pipe.
fn way_to(server: &PipeHost, pipe: &PipeName) -> Way {
    match server {
        PipeHost { user: None, host } if dbgsrv_local::is_this_machine(host) => Way::Pipe(pipe.clone()),
        server => Way::RemotePipe(server.clone(), pipe.clone()),
    }
}

impl From<&Gdb> for Dialer {
    fn from(gdb: &Gdb) -> Self {
        let machine = Machine { host: gdb.server.clone(), ip_version: None };
        Self { way: Way::Tcp(machine, gdb.port), connector: None }
    }
}

impl fmt::Display for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Tcp(machine, port) => write!(f, "{machine} port {port}"),
            Way::TcpReverse(waiting) => waiting.fmt(f),
            Way::Pipe(name) => write!(f, "pipe {name}"),
            Way::RemotePipe(server, name) => write!(f, "pipe {name} on {server}"),
            Way::Serial(serial) => write!(f, "channel {} of serial port {}", serial.channel, serial.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn dialer(text: &str) -> Result<Dialer, Unusable> {
        Dialer::new(&text.parse().unwrap())
    }

    #[test]
    fn a_pipe_is_on_this_machine_under_any_of_its_names_unless_it_is_asked_for_as_somebody() {
        for server in ["localhost", ".", r"\\.", r"\\localhost", "127.0.0.1", "[::1]"] {
            assert_eq!(dialer(&format!("npipe:server={server},pipe=app")).unwrap().to_string(), "pipe app", "{server}");
        }
        for server in ["nobody.invalid", "192.0.2.1", "ann@localhost"] {
            let dialer = dialer(&format!("npipe:server={server},pipe=app")).unwrap();
            assert_eq!(dialer.to_string(), format!("pipe app on {server}"));
        }
    }

    #[test]
    fn it_says_where_it_connects_to() {
        assert_eq!(dialer(r"tcp:server=\\BOX17,port=5005").unwrap().to_string(), "BOX17 port 5005");
        assert_eq!(dialer("gdb:server=[::1],port=1").unwrap().to_string(), "::1 port 1");
        let waiting = dialer("tcp:clicon=BOX17,port=51:60").unwrap();
        assert_eq!(waiting.to_string(), "BOX17 (calling port 51:60 here)");
        let line = dialer("com:port=2,baud=9600,channel=7").unwrap();
        assert_eq!(line.to_string(), "channel 7 of serial port COM2");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_server_is_reached_by_name_and_by_address() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for text in ["tcp:server=127.0.0.1", "tcp:server=localhost", "tcp:server=localhost,ipversion=4"] {
            let (stream, peer) = dialer(&format!("{text},port={port}")).unwrap().dial().await.unwrap();
            assert!(peer.is_local(), "{text}");
            let Stream::Tcp(stream) = stream else { panic!("{text}") };
            assert!(stream.nodelay().unwrap(), "{text}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_server_that_calls_is_waited_for_at_the_first_free_port_of_a_range() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let low = taken.local_addr().unwrap().port();
        let high = low.saturating_add(20);
        let dialer = dialer(&format!("tcp:clicon=127.0.0.1,port={low}:{high},bind=127.0.0.1")).unwrap();
        let place = dialer.listen().await.unwrap().unwrap();
        let port = place.strip_prefix("tcp port ").and_then(|place| place.strip_suffix(" (127.0.0.1)")).unwrap();
        let port = port.parse::<u16>().unwrap();
        assert!(low < port && port <= high, "{place}");
        let (server, waiting) = tokio::join!(tokio::net::TcpStream::connect(("127.0.0.1", port)), dialer.dial());
        assert_eq!(waiting.unwrap().1, Peer::Tcp(server.unwrap().local_addr().unwrap()));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_address_of_the_other_version_is_not_dialled() {
        let error = dialer("tcp:server=127.0.0.1,port=1,ipversion=6").unwrap().dial().await.unwrap_err();
        assert_eq!(error.to_string(), "it has no address of IP version 6");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_name_that_nobody_has_is_an_error() {
        // Never given to a machine: RFC 6761, section 6.4.
        assert!(dialer("tcp:server=nobody.invalid,port=1").unwrap().dial().await.is_err());
    }
}
