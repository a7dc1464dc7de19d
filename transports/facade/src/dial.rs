//! Where a client's connection string leads, checked against what this build can do.

use crate::{Peer, PipePeer, Stream, Unavailable};
use dbgsrv_protocol::options::client::Gdb;
use dbgsrv_protocol::options::{ClientOptions, Host, IpVersion, Parameter, PipeHost, PipeName, Port};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long looking up a name may take: one question to each of two servers (resolv.conf(5): `timeout`).
const LOOKUP_LIMIT: Duration = Duration::from_secs(10);

/// Connects to a server, as often as need be. `Display` says where: `BOX17 port 5005`, `pipe app`.
#[derive(Clone, Debug)]
pub struct Dialer(Way);

#[derive(Clone, Debug)]
enum Way {
    Tcp(Tcp),
    /// On this machine.
    Pipe(PipeName),
}

impl Dialer {
    /// Checks `options`, and touches nothing.
    ///
    /// # Errors
    /// [`Unavailable`] for what this build does not have.
    pub fn new(options: &ClientOptions) -> Result<Self, Unavailable> {
        let transport = options.transport();
        match options {
            ClientOptions::Tcp(tcp) => {
                let (server, port, ip_version) = (tcp.server.clone(), tcp.port, tcp.ip_version);
                Ok(Self(Way::Tcp(Tcp { server, port, ip_version })))
            }
            ClientOptions::NamedPipe(pipe) => match &pipe.server {
                PipeHost { user: None, host } if dbgsrv_local::is_this_machine(host) => {
                    Ok(Self(Way::Pipe(pipe.pipe.clone())))
                }
                _ => Err(Unavailable::RemotePipe),
            },
            ClientOptions::Gdb(gdb) => Ok(gdb.into()),
            ClientOptions::TcpReverse(_) => Err(Unavailable::Parameter { transport, parameter: Parameter::Clicon }),
            _ => Err(Unavailable::Transport(transport)),
        }
    }

    /// Connects, and makes the connection fit for debugging. The name is looked up anew each time, so that a machine is
    /// found again after it moved. Takes half a minute at most. Cancel safe.
    ///
    /// # Errors
    /// What the system says about the name or about the last of its addresses; [`io::ErrorKind::TimedOut`] where
    /// nobody answers. Of a pipe, where it was looked for.
    pub async fn dial(&self) -> io::Result<(Stream, Peer)> {
        let (stream, peer) = match &self.0 {
            Way::Tcp(tcp) => {
                let stream = dbgsrv_tcp::connect(&tcp.addresses().await?).await?;
                let peer = Peer::Tcp(stream.peer_addr()?);
                (Stream::Tcp(stream), peer)
            }
            Way::Pipe(name) => {
                let stream = dbgsrv_npipe::connect(name).await?;
                let peer = Peer::Pipe(PipePeer::of(&stream)?);
                (Stream::Pipe(stream), peer)
            }
        };
        stream.tune()?;
        Ok((stream, peer))
    }
}

impl From<&Gdb> for Dialer {
    fn from(gdb: &Gdb) -> Self {
        Self(Way::Tcp(Tcp { server: gdb.server.clone(), port: gdb.port, ip_version: None }))
    }
}

impl fmt::Display for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::Tcp(tcp) => write!(f, "{} port {}", tcp.server, tcp.port),
            Way::Pipe(name) => write!(f, "pipe {name}"),
        }
    }
}

/// A port of a machine.
#[derive(Clone, Debug)]
struct Tcp {
    server: Host,
    port: Port,
    ip_version: Option<IpVersion>,
}

impl Tcp {
    async fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        // An address with an interface's name goes this way too: only the system knows its interfaces.
        let lookup = lookup_host((self.server.to_string(), self.port.get()));
        let silent = |_| io::Error::new(io::ErrorKind::TimedOut, "looking up its name takes too long");
        let found: Vec<_> =
            timeout(LOOKUP_LIMIT, lookup).await.map_err(silent)??.filter(|address| self.admits(address)).collect();
        match self.ip_version {
            Some(version) if found.is_empty() => {
                Err(io::Error::new(io::ErrorKind::NotFound, format!("it has no address of IP version {version}")))
            }
            _ => Ok(found),
        }
    }

    fn admits(&self, address: &SocketAddr) -> bool {
        match self.ip_version {
            None => true,
            Some(IpVersion::V4) => address.is_ipv4(),
            Some(IpVersion::V6) => address.is_ipv6(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn dialer(text: &str) -> Result<Dialer, Unavailable> {
        Dialer::new(&text.parse().unwrap())
    }

    #[test]
    fn what_this_build_does_not_have_is_refused_by_name() {
        let cases = [
            ("com:port=COM1,baud=9600,channel=1", "transport `com`"),
            ("spipe:proto=tls1,server=a,pipe=b", "transport `spipe`"),
            ("ssl:proto=tls1,server=a,port=1", "transport `ssl`"),
            ("ssl:proto=tls1,clicon=a,port=1", "transport `ssl`"),
            ("tcp:clicon=a,port=1", "parameter `clicon` of tcp"),
        ];
        for (text, name) in cases {
            let error = dialer(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} is not available in this build")), "{text}: {error}");
        }
    }

    #[test]
    fn a_pipe_is_on_this_machine_under_any_of_its_names_and_on_no_other() {
        for server in ["localhost", ".", r"\\.", r"\\localhost", "127.0.0.1", "[::1]"] {
            assert_eq!(dialer(&format!("npipe:server={server},pipe=app")).unwrap().to_string(), "pipe app", "{server}");
        }
        for server in ["nobody.invalid", "192.0.2.1", "ann@localhost"] {
            let error = dialer(&format!("npipe:server={server},pipe=app")).unwrap_err();
            assert_eq!(error, Unavailable::RemotePipe, "{server}");
        }
    }

    #[test]
    fn it_says_where_it_connects_to() {
        assert_eq!(dialer(r"tcp:server=\\BOX17,port=5005").unwrap().to_string(), "BOX17 port 5005");
        assert_eq!(dialer("gdb:server=[::1],port=1").unwrap().to_string(), "::1 port 1");
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
