//! What a connection string asks for, checked against what this build can do.

use crate::{BindError, Listener};
use dbgsrv_protocol::options::server::{Session, Tcp};
use dbgsrv_protocol::options::{
    Address, IpVersion, ListenOn, ListenPort, Parameter, Port, PortRange, ServerOptions, Transport,
};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::ops::RangeInclusive;
use thiserror::Error;

/// A connection string asks for something that this build does not have.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum Unavailable {
    /// One parameter.
    #[error("parameter `{parameter}` of {transport} is not available in this build; allowed: to leave it out")]
    Parameter {
        /// Where it was given.
        transport: Transport,
        /// What was given.
        parameter: Parameter,
    },
    /// The whole transport.
    #[error("transport `{0}` is not available in this build; allowed: tcp")]
    Transport(Transport),
}

/// Where to listen: all that was asked for can be done by this build.
#[derive(Clone, Debug)]
pub struct Endpoint(Tcp);

impl Endpoint {
    /// Checks `options`, and touches nothing.
    ///
    /// # Errors
    /// [`Unavailable`] for the first thing that this build does not have. Nothing is ignored: a server that its user
    /// believes to be protected by a password must not run without.
    pub fn new(options: &ServerOptions) -> Result<Self, Unavailable> {
        let transport = options.transport();
        let refuse = |parameter| Err(Unavailable::Parameter { transport, parameter });
        match options {
            ServerOptions::TcpReverse(_) => refuse(Parameter::Clicon),
            ServerOptions::Tcp(tcp) if tcp.icf_enable => refuse(Parameter::IcfEnable),
            ServerOptions::Tcp(tcp) => unavailable(&tcp.session).map_or_else(|| Ok(Self(tcp.clone())), refuse),
            _ => Err(Unavailable::Transport(transport)),
        }
    }

    /// Listens. Must be called inside a tokio runtime with I/O.
    ///
    /// # Errors
    /// [`BindError`] with the port and the reason.
    pub fn bind(&self) -> Result<Listener, BindError> {
        let hosts = hosts(self.0.listen_on.as_ref()).map_err(BindError::Address)?;
        Ok(Listener::Tcp(dbgsrv_tcp::Listener::bind(&hosts, ports(self.0.port))?))
    }

    /// The connection string of what `listener`, bound to this, listens on: with the port that was free, without secrets.
    #[must_use]
    pub fn describe(&self, listener: &Listener) -> String {
        let Listener::Tcp(bound) = listener;
        let port = Port::new(bound.port()).map_or(self.0.port, |port| ListenPort::Range(PortRange::from(port)));
        ServerOptions::Tcp(Tcp { port, ..self.0.clone() }).redacted().to_string()
    }
}

/// The first of the session's parameters that this build does not have.
fn unavailable(session: &Session) -> Option<Parameter> {
    session.shell.then_some(Parameter::Shell)
}

/// The addresses to listen at; their ports don't matter.
fn hosts(listen_on: Option<&ListenOn>) -> io::Result<Vec<SocketAddr>> {
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

fn ports(port: ListenPort) -> RangeInclusive<u16> {
    match port {
        ListenPort::Any => 0..=0,
        ListenPort::Range(range) => range.low().get()..=range.high().get(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Result<Endpoint, Unavailable> {
        Endpoint::new(&text.parse().unwrap())
    }

    #[test]
    fn what_this_build_does_not_have_is_refused_by_name() {
        let cases = [
            ("npipe:pipe=a", "transport `npipe`"),
            ("com:port=COM1,baud=9600,channel=1", "transport `com`"),
            ("spipe:proto=tls1,certuser=a,pipe=a", "transport `spipe`"),
            ("ssl:proto=tls1,certuser=a,port=1", "transport `ssl`"),
            ("ssl:proto=tls1,certuser=a,port=1,clicon=a", "transport `ssl`"),
            ("tcp:port=1,clicon=a", "parameter `clicon` of tcp"),
            ("tcp:port=1,IcfEnable", "parameter `IcfEnable` of tcp"),
            ("tcp:port=1,shell", "parameter `shell` of tcp"),
        ];
        for (text, name) in cases {
            let error = endpoint(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} is not available in this build")), "{text}: {error}");
        }
    }

    #[test]
    fn a_port_alone_means_both_families() {
        let Endpoint(tcp) = endpoint("tcp:port=51:60,hidden,open").unwrap();
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
            let Endpoint(tcp) = endpoint(&format!("tcp:port=0,{text}")).unwrap();
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
    async fn a_bound_endpoint_says_where_it_listens_and_how_to_connect() {
        let listener = endpoint("tcp:port=0,bind=127.0.0.1").unwrap().bind().unwrap();
        let target = listener.gdb_target();
        let port = target.strip_prefix("localhost:").unwrap();
        assert_ne!(port, "0");
        assert_eq!(listener.to_string(), format!("tcp port {port} (127.0.0.1)"));
    }
}
