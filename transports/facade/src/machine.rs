//! A machine on the network, whose name is looked up anew each time: it may have moved.

use dbgsrv_protocol::options::{Host, IpVersion};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long looking up a name may take: one question to each of two servers (resolv.conf(5): `timeout`).
const LOOKUP_LIMIT: Duration = Duration::from_secs(10);

/// A machine, and the version of IP to reach it by; either where absent.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) host: Host,
    pub(crate) ip_version: Option<IpVersion>,
}

impl Machine {
    /// Its addresses, each with `port`; at least one.
    ///
    /// # Errors
    /// What the system says about the name; [`io::ErrorKind::NotFound`] where it has no address of the version asked for.
    pub(crate) async fn addresses(&self, port: u16) -> io::Result<Vec<SocketAddr>> {
        // An address with an interface's name goes this way too: only the system knows its interfaces.
        let lookup = lookup_host((self.host.to_string(), port));
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

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.host.fmt(f)
    }
}

/// Whether `peer` is among a machine's `addresses`. A machine that has a loopback address is this one, which may use any
/// other of them.
pub(crate) fn is_one_of(peer: &SocketAddr, addresses: &[SocketAddr]) -> bool {
    let ip = |address: &SocketAddr| address.ip().to_canonical();
    let is_loopback = |address: &IpAddr| address.is_loopback();
    addresses.iter().map(ip).any(|own| own == ip(peer) || is_loopback(&own) && is_loopback(&ip(peer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_known_by_its_address_whatever_its_port_and_spelling() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        for (peer, own, known) in [
            ("192.0.2.7:50000", "192.0.2.7:0", true),
            ("[::ffff:192.0.2.7]:50000", "192.0.2.7:0", true),
            ("192.0.2.8:50000", "192.0.2.7:0", false),
            ("127.0.0.1:50000", "192.0.2.7:0", false),
            ("127.0.0.1:50000", "127.0.0.20:0", true),
            ("[::1]:50000", "127.0.0.1:0", true),
            ("[fe80::1%3]:50000", "[fe80::1%3]:0", true),
            ("[2001:db8::8]:50000", "[2001:db8::7]:0", false),
        ] {
            assert_eq!(is_one_of(&address(peer), &[address("203.0.113.1:0"), address(own)]), known, "{peer} {own}");
        }
        assert!(!is_one_of(&address("127.0.0.1:1"), &[]));
    }
}
