//! What a connection string of a server's asks for, and what it comes to.

use crate::caller::Caller;
use crate::machine::Machine;
use crate::secured::Secured;
use crate::{BindError, Listener, Passed};
use dbgsrv_protocol::options::listing::{self, Masked};
use dbgsrv_protocol::options::server::{NamedPipe, SecurePipe, Serial, Session, Ssl, SslReverse, Tcp, TcpReverse, Tls};
use dbgsrv_protocol::options::{
    Address, IpVersion, ListedServer, ListenOn, ListenPort, PipeTemplate, Port, PortRange, ServerOptions,
};
use dbgsrv_tls::{Acceptor, TlsError};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::ops::RangeInclusive;
use thiserror::Error;

/// A connection string can't be used here.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unusable {
    /// Its certificates can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Where to listen, or whom to call.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub(crate) place: Place,
    acceptor: Option<Acceptor>,
}

#[derive(Clone, Debug)]
pub(crate) enum Place {
    Tcp(Tcp),
    TcpReverse(TcpReverse),
    Pipe(NamedPipe),
    Serial(Serial),
    Ssl(Ssl),
    SslReverse(SslReverse),
    SecurePipe(SecurePipe),
}

impl Endpoint {
    /// Checks `options`, and opens nothing; a certificate that they name is found and checked, too.
    ///
    /// # Errors
    /// [`Unusable`] for what is wrong with the certificate.
    pub fn new(options: &ServerOptions) -> Result<Self, Unusable> {
        let place = match options {
            ServerOptions::Tcp(tcp) => Place::Tcp(tcp.clone()),
            ServerOptions::TcpReverse(tcp) => Place::TcpReverse(tcp.clone()),
            ServerOptions::NamedPipe(pipe) => Place::Pipe(pipe.clone()),
            ServerOptions::Serial(serial) => Place::Serial(serial.clone()),
            ServerOptions::Ssl(ssl) => Place::Ssl(ssl.clone()),
            ServerOptions::SslReverse(ssl) => Place::SslReverse(ssl.clone()),
            ServerOptions::SecurePipe(pipe) => Place::SecurePipe(pipe.clone()),
        };
        let acceptor = place.tls().map(Acceptor::new).transpose()?;
        Ok(Self { place, acceptor })
    }

    /// Listens. Nobody is called yet. Must be called inside a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// [`BindError`] with the port, the pipe or the channel, and the reason.
    pub fn bind(&self) -> Result<Listener, BindError> {
        self.bind_or_take(&mut Passed::default())
    }

    /// As [`Self::bind`], at what this process was given where that fits: the sockets at the port and the address that are
    /// asked for, or the one whose file has the pipe's name.
    ///
    /// # Errors
    /// As there.
    pub fn bind_or_take(&self, passed: &mut Passed) -> Result<Listener, BindError> {
        let listener = self.place.bind(passed)?;
        Ok(match (&self.acceptor, self.place.tls()) {
            (Some(acceptor), Some(tls)) => {
                Listener::Secured(Box::new(Secured::new(listener, acceptor.clone(), tls.protocol)))
            }
            _ => listener,
        })
    }

    /// The connection string of what `listener`, bound to this, listens on: with the port that was free, of a range as
    /// `USED:HIGH`, or the pipe's name as it is, and without secrets.
    #[must_use]
    pub fn describe(&self, listener: &Listener) -> String {
        let listener = listener.plain();
        let options = match &self.place {
            Place::Tcp(tcp) => ServerOptions::Tcp(Tcp { port: port(tcp.port, listener), ..tcp.clone() }),
            Place::TcpReverse(tcp) => ServerOptions::TcpReverse(tcp.clone()),
            Place::Pipe(pipe) => {
                ServerOptions::NamedPipe(NamedPipe { pipe: name(&pipe.pipe, listener), ..pipe.clone() })
            }
            Place::Ssl(ssl) => ServerOptions::Ssl(Ssl { port: port(ssl.port, listener), ..ssl.clone() }),
            Place::SslReverse(ssl) => ServerOptions::SslReverse(ssl.clone()),
            Place::SecurePipe(pipe) => {
                ServerOptions::SecurePipe(SecurePipe { pipe: name(&pipe.pipe, listener), ..pipe.clone() })
            }
            Place::Serial(serial) => ServerOptions::Serial(serial.clone()),
        };
        options.redacted().to_string()
    }

    /// What lists of servers show of `listener`, bound to this: with the port that was free and the last one of its range.
    /// `None` where it is `hidden`.
    #[must_use]
    pub fn listed(&self, listener: &Listener) -> Option<ListedServer> {
        let masked = |session: &Session| session.password.as_ref().map(|_| Masked);
        match (&self.place, listener.plain()) {
            (Place::Tcp(tcp), Listener::Tcp(bound)) if !tcp.hidden => {
                let (port, password) = (used(tcp.port, Port::new(bound.port())?), masked(&tcp.session));
                let ip_version = match tcp.listen_on {
                    Some(ListenOn::Version(version)) => Some(version),
                    _ => None,
                };
                Some(ListedServer::Tcp(listing::Tcp { port, ip_version, password }))
            }
            (Place::Pipe(pipe), Listener::Pipe(bound)) if !pipe.hidden => {
                let (pipe, password) = (bound.name().clone(), masked(&pipe.session));
                Some(ListedServer::NamedPipe(listing::NamedPipe { pipe, password }))
            }
            (Place::Serial(serial), Listener::Com(bound)) if !serial.hidden => {
                let (port, password) = (bound.port().clone(), masked(&serial.session));
                let (baud, channel) = (bound.baud(), bound.channel());
                Some(ListedServer::Serial(listing::Serial { port, baud, channel, password }))
            }
            (Place::Ssl(ssl), Listener::Tcp(bound)) if !ssl.hidden => {
                let (port, password) = (used(ssl.port, Port::new(bound.port())?), masked(&ssl.session));
                Some(ListedServer::Ssl(listing::Ssl { protocol: ssl.tls.protocol, port, password }))
            }
            (Place::SecurePipe(pipe), Listener::Pipe(bound)) if !pipe.hidden => {
                let (protocol, name, password) = (pipe.tls.protocol, bound.name().clone(), masked(&pipe.session));
                Some(ListedServer::SecurePipe(listing::SecurePipe { protocol, pipe: name, password }))
            }
            _ => None,
        }
    }
}

/// Whether a socket at `address` is what is asked for.
fn fits(port: ListenPort, listen_on: Option<&ListenOn>, address: &SocketAddr) -> bool {
    let port = ports(port).contains(&address.port()) && address.port() != 0;
    let there = match listen_on {
        None => true,
        Some(ListenOn::Version(IpVersion::V4)) => address.is_ipv4(),
        Some(ListenOn::Version(IpVersion::V6)) => address.is_ipv6(),
        Some(asked @ ListenOn::Address(_)) => {
            hosts(Some(asked)).is_ok_and(|hosts| hosts.iter().any(|host| host.ip() == address.ip()))
        }
    };
    port && there
}

impl Place {
    /// How its connections are secured, where they are.
    const fn tls(&self) -> Option<&Tls> {
        match self {
            Self::Tcp(_) | Self::TcpReverse(_) | Self::Pipe(_) | Self::Serial(_) => None,
            Self::Ssl(ssl) => Some(&ssl.tls),
            Self::SslReverse(ssl) => Some(&ssl.tls),
            Self::SecurePipe(pipe) => Some(&pipe.tls),
        }
    }

    fn bind(&self, passed: &mut Passed) -> Result<Listener, BindError> {
        match self {
            Self::Tcp(options) => listen(options.port, options.listen_on.as_ref(), passed),
            Self::Ssl(options) => listen(options.port, options.bind.clone().map(ListenOn::Address).as_ref(), passed),
            Self::TcpReverse(options) => {
                let client = Machine { host: options.client.clone(), ip_version: options.ip_version };
                Ok(Listener::Call(Caller::new(client, options.port)))
            }
            Self::SslReverse(options) => {
                let client = Machine { host: options.client.clone(), ip_version: None };
                Ok(Listener::Call(Caller::new(client, options.port)))
            }
            Self::Pipe(NamedPipe { pipe, access, .. }) | Self::SecurePipe(SecurePipe { pipe, access, .. }) => {
                if let Some((socket, path)) = passed.take_pipe(|path| dbgsrv_npipe::is_named(pipe, path)) {
                    return Ok(Listener::Pipe(dbgsrv_npipe::Listener::of(pipe, socket, &path)?));
                }
                Ok(Listener::Pipe(dbgsrv_npipe::Listener::bind(pipe, access)?))
            }
            Self::Serial(serial) => {
                Ok(Listener::Com(dbgsrv_com::Listener::bind(&serial.port, serial.baud, serial.channel)?))
            }
        }
    }
}

fn listen(port: ListenPort, listen_on: Option<&ListenOn>, passed: &mut Passed) -> Result<Listener, BindError> {
    let sockets = passed.take_tcp(|address| fits(port, listen_on, address));
    if !sockets.is_empty() {
        return dbgsrv_tcp::Listener::of(sockets).map(Listener::Tcp).map_err(BindError::Passed);
    }
    let hosts = hosts(listen_on).map_err(BindError::Address)?;
    Ok(Listener::Tcp(dbgsrv_tcp::Listener::bind(&hosts, ports(port))?))
}

/// The port that was free of those that were asked for, and what is left of a range behind it.
fn used(asked: ListenPort, port: Port) -> PortRange {
    let range = match asked {
        ListenPort::Range(range) => PortRange::new(port, range.high()),
        ListenPort::Any => None,
    };
    range.unwrap_or_else(|| port.into())
}

/// The port that `listener` has, as a connection string has it.
fn port(asked: ListenPort, listener: &Listener) -> ListenPort {
    let bound = if let Listener::Tcp(bound) = listener { Port::new(bound.port()) } else { None };
    bound.map_or(asked, |port| ListenPort::Range(used(asked, port)))
}

/// The name of the pipe, its codes expanded.
fn name(asked: &PipeTemplate, listener: &Listener) -> PipeTemplate {
    let bound = if let Listener::Pipe(bound) = listener { Some(bound.name().clone()) } else { None };
    bound.map_or_else(|| asked.clone(), Into::into)
}

/// The addresses to listen at; their ports don't matter.
pub(crate) fn hosts(listen_on: Option<&ListenOn>) -> io::Result<Vec<SocketAddr>> {
    let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    Ok(match listen_on {
        None => vec![v4, v6],
        Some(ListenOn::Version(IpVersion::V4)) => vec![v4],
        Some(ListenOn::Version(IpVersion::V6)) => vec![v6],
        Some(ListenOn::Address(Address::V4(address))) => vec![SocketAddr::from((*address, 0))],
        Some(ListenOn::Address(Address::V6(address, None))) => vec![SocketAddr::from((*address, 0))],
        // Only the system knows its interfaces by name; nothing is asked of the network for an address.
        Some(ListenOn::Address(address @ Address::V6(_, Some(_)))) => {
            (address.to_string().as_str(), 0).to_socket_addrs()?.collect()
        }
    })
}

pub(crate) fn ports(port: ListenPort) -> RangeInclusive<u16> {
    match port {
        ListenPort::Any => 0..=0,
        ListenPort::Range(range) => range.low().get()..=range.high().get(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Result<Endpoint, Unusable> {
        Endpoint::new(&text.parse().unwrap())
    }

    fn tcp(text: &str) -> Tcp {
        match endpoint(text).unwrap() {
            Endpoint { place: Place::Tcp(tcp), .. } => tcp,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_port_alone_means_both_families() {
        let tcp = tcp("tcp:port=51:60,hidden,open");
        assert_eq!(ports(tcp.port), 51..=60);
        let hosts: Vec<_> = hosts(tcp.listen_on.as_ref()).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(hosts, ["0.0.0.0:0", "[::]:0"]);
    }

    #[test]
    fn an_address_or_a_version_narrows_it() {
        for (text, host) in [
            ("bind=127.0.0.1", "127.0.0.1:0"),
            ("bind=[::1]", "[::1]:0"),
            ("bind=fe80::1%1", "[fe80::1%1]:0"),
            ("ipversion=4", "0.0.0.0:0"),
            ("ipversion=6", "[::]:0"),
        ] {
            let tcp = tcp(&format!("tcp:port=0,{text}"));
            assert_eq!(ports(tcp.port), 0..=0);
            let hosts: Vec<_> = hosts(tcp.listen_on.as_ref()).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(hosts, [host], "{text}");
        }
    }

    #[test]
    fn an_interface_that_does_not_exist_is_an_error() {
        let listen_on = ListenOn::Address("fe80::1%no-such-if".parse().unwrap());
        assert!(hosts(Some(&listen_on)).is_err());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_it_listens_on_is_described_by_the_port_it_got_and_without_the_password() {
        let endpoint = endpoint("tcp:port=0,bind=127.0.0.1,password=Secret1,linger=5").unwrap();
        let listener = endpoint.bind().unwrap();
        let port = listener.gdb_target().replace("localhost:", "");
        let text = endpoint.describe(&listener);
        assert!(text.starts_with(&format!("tcp:port={port},bind=127.0.0.1")), "{text}");
        assert!(text.contains("password=***") && text.contains("linger=5"), "{text}");
        assert_eq!(listener.client_string(), format!("tcp:server=localhost,port={port}"));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn of_a_range_the_port_that_was_free_is_described_and_the_last() {
        let first = endpoint("tcp:port=0,bind=127.0.0.1").unwrap().bind().unwrap();
        let low = first.gdb_target().replace("localhost:", "").parse::<u16>().unwrap();
        let high = low.saturating_add(20);
        let endpoint = endpoint(&format!("tcp:port={low}:{high},bind=127.0.0.1")).unwrap();
        let listener = endpoint.bind().unwrap();
        let used = listener.gdb_target().replace("localhost:", "");
        assert_eq!(endpoint.describe(&listener), format!("tcp:port={used}:{high},bind=127.0.0.1"));
        assert_ne!(used, low.to_string());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_client_that_is_called_is_described_by_its_machine_and_port() {
        let endpoint = endpoint(r"tcp:port=5005,clicon=\\BOX17,reconnect,password=Secret1").unwrap();
        let listener = endpoint.bind().unwrap();
        assert!(listener.is_reverse());
        assert_eq!(listener.to_string(), "tcp port 5005 of BOX17");
        assert_eq!(endpoint.describe(&listener), "tcp:port=5005,clicon=BOX17,reconnect,password=***");
        let client = listener.client_string();
        assert!(client.starts_with("tcp:clicon=") && client.ends_with(",port=5005"), "{client}");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_bound_endpoint_says_where_it_listens_and_how_to_connect() {
        let listener = endpoint("tcp:port=0,bind=127.0.0.1").unwrap().bind().unwrap();
        let target = listener.gdb_target();
        let port = target.strip_prefix("localhost:").unwrap();
        assert_ne!(port, "0");
        assert_eq!(listener.to_string(), format!("tcp port {port} (127.0.0.1)"));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_pipe_is_described_by_the_name_it_got_and_found_by_it() {
        let endpoint = endpoint("npipe:pipe=facade-%d,hidden,password=Secret1").unwrap();
        let mut listener = endpoint.bind().unwrap();
        let name = format!("facade-{}", std::process::id());
        assert_eq!(endpoint.describe(&listener), format!("npipe:pipe={name},hidden,password=***"));
        assert!(listener.to_string().starts_with(&format!("npipe {name} (/")), "{listener}");
        assert!(listener.gdb_target().ends_with(&format!("/dbgsrv/pipes/{name}")), "{}", listener.gdb_target());
        assert_eq!(listener.client_string(), format!("npipe:server=localhost,pipe={name}"));
        let dialer = crate::Dialer::new(&listener.client_string().parse().unwrap()).unwrap();
        assert_eq!(dialer.to_string(), format!("pipe {name}"));
        let (_client, server) = dialer.dial().await.unwrap();
        let (_stream, client) = listener.accept().await.unwrap();
        assert!(server.is_local() && server == client, "{server} {client}");
        assert!(matches!(endpoint.bind(), Err(BindError::Pipe(dbgsrv_npipe::BindError::InUse { .. }))));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_debugger_that_would_take_a_pipe_for_a_port_goes_through_premote() {
        let listener = endpoint("npipe:pipe=facade:%d").unwrap().bind().unwrap();
        let target = format!("| premote npipe:server=localhost,pipe=facade:{} pipe", std::process::id());
        assert_eq!(listener.gdb_target(), target);
    }

    fn listed(text: &str) -> Option<String> {
        let endpoint = endpoint(text).unwrap();
        let listener = endpoint.bind().unwrap();
        Some(endpoint.listed(&listener)?.to_string())
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_list_shows_the_port_that_is_used_and_the_last_one_of_its_range() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let low = taken.local_addr().unwrap().port();
        let high = low.saturating_add(20);
        let shown = listed(&format!("tcp:port={low}:{high},bind=127.0.0.1,password=Secret1,linger=7")).unwrap();
        let used = shown.strip_prefix("tcp:Port=").and_then(|rest| rest.strip_suffix(&format!(":{high},Password=*")));
        assert!(used.is_some_and(|port| (low + 1..=high).contains(&port.parse().unwrap())), "{shown}");
        let shown = listed("tcp:port=0,ipversion=4").unwrap();
        assert!(shown.starts_with("tcp:Port=") && shown.ends_with(",Ipversion=4"), "{shown}");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_list_shows_a_pipe_by_its_name_and_nothing_that_is_hidden() {
        let name = format!("listed-{}", std::process::id());
        assert_eq!(
            listed(&format!("npipe:pipe={name}-%d,mode=0600")),
            Some(format!("npipe:Pipe={name}-{}", std::process::id()))
        );
        assert_eq!(listed(&format!("npipe:pipe={name},hidden")), None);
        assert_eq!(listed("tcp:port=0,bind=127.0.0.1,hidden"), None);
    }
}
