//! What counts as one peer where the peers are to be kept apart.

use dbgsrv_transports::Peer;
use std::net::{IpAddr, Ipv6Addr};

/// Where connections come from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Source {
    /// An IPv4 address, and of IPv6 the /64 that one machine has for itself.
    Network(IpAddr),
    /// A user of this machine.
    User(u32),
    /// The other ends of this machine's serial lines.
    Lines,
}

impl From<&Peer> for Source {
    fn from(peer: &Peer) -> Self {
        match peer {
            Peer::Pipe(process) => Self::User(process.uid),
            Peer::Line(_) => Self::Lines,
            Peer::Tcp(address) => Self::Network(match address.ip().to_canonical() {
                IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
                address @ IpAddr::V4(_) => address,
            }),
            // Every transport that a peer has no address on is this machine's own.
            _ => Self::Network(Ipv6Addr::LOCALHOST.into()),
        }
    }
}
