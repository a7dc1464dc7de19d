//! What counts as one peer where the peers are to be kept apart.

use dbgsrv_transports::Peer;
use std::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, and of IPv6 the /64 that one machine has for itself.
pub(crate) fn network(peer: &Peer) -> IpAddr {
    match peer {
        Peer::Tcp(address) => match address.ip().to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
            address @ IpAddr::V4(_) => address,
        },
        // Every transport that a peer has no address on is this machine's own.
        _ => Ipv6Addr::LOCALHOST.into(),
    }
}
