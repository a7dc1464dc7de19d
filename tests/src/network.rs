//! The network that this machine is in.

use std::net::{IpAddr, UdpSocket};

/// This machine's address in a network, if it is in one: who connects to it from here comes from there. Connecting a
/// datagram socket sends nothing.
#[must_use]
pub fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    // 192.0.2.0/24 is set aside for documentation (RFC 5737).
    socket.connect(("192.0.2.1", 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}
