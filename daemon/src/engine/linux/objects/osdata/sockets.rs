//! Internet sockets of the server's network namespace.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::table::Table;
use crate::engine::linux::names::Names;

/// A file of the kernel's (`proc_pid_net(5)`), the family and the kind of its sockets.
const SOURCES: [(&str, &str, &str); 4] = [
    ("/proc/net/tcp", "INET", "STREAM"),
    ("/proc/net/tcp6", "INET6", "STREAM"),
    ("/proc/net/udp", "INET", "DGRAM"),
    ("/proc/net/udp6", "INET6", "DGRAM"),
];

/// The kernel's TCP states from 1 on, which it uses for UDP too (`net/tcp_states.h`).
const STATES: [&str; 11] = [
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
];

/// `sockets`: TCP and UDP over both versions of IP.
pub(super) fn table() -> Vec<u8> {
    let mut table = Table::new("I sockets");
    let mut names = Names::default();
    for (path, family, protocol) in SOURCES {
        let text = fs::read_to_string(path).unwrap_or_default();
        for socket in text.lines().skip(1).filter_map(Socket::parse) {
            table.row(|row| {
                row.text("local address", socket.local.0.to_string().as_bytes());
                row.number("local port", socket.local.1);
                row.text("remote address", socket.remote.0.to_string().as_bytes());
                row.number("remote port", socket.remote.1);
                row.text("state", socket.state.as_bytes());
                row.text("user", names.user(socket.user));
                row.text("family", family.as_bytes());
                row.text("protocol", protocol.as_bytes());
            });
        }
    }
    table.finish()
}

#[derive(Debug, Eq, PartialEq)]
struct Socket {
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
    state: &'static str,
    user: u32,
}

impl Socket {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let local = end_point(fields.next()?)?;
        let remote = end_point(fields.next()?)?;
        let state = usize::from_str_radix(fields.next()?, 16).ok()?;
        let state = state.checked_sub(1).and_then(|index| STATES.get(index)).copied().unwrap_or("(unknown)");
        // Queues, timer and retransmissions stand between.
        let user = fields.nth(3)?.parse().ok()?;
        Some(Self { local, remote, state, user })
    }
}

/// `ADDRESS:PORT` in hex, the address in words of our own byte order.
fn end_point(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |index: usize| {
        let digits = address.get(8 * index..8 * index + 8)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    let address = match address.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let bytes: Vec<u8> = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
            Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()
        }
        _ => return None,
    };
    Some((address, port))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn a_line_of_the_kernels_is_read() {
        let local = u32::from_ne_bytes([127, 0, 0, 1]);
        let line =
            format!("   1: {local:08X}:1C90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 4 1 0");
        let socket = Socket::parse(&line).expect("a socket");
        assert_eq!(socket.local, ("127.0.0.1".parse().expect("an address"), 0x1c90));
        assert_eq!((socket.state, socket.user), ("LISTEN", 1000));
        for end in 0..line.len() - " 0 4 1 0".len() - 4 {
            assert_eq!(Socket::parse(&line[..end]), None, "{end}");
        }
        assert_eq!(end_point("é0000000:0000"), None);
    }

    #[test]
    fn sockets_of_ours_are_listed() {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let table = String::from_utf8(table()).expect("UTF-8");
        let has = |port: u16, rest: &str| {
            let port = format!("<column name=\"local port\">{port}</column>");
            table.lines().any(|row| row.contains(&port) && row.contains(rest))
        };
        assert!(has(tcp.local_addr().expect("an address").port(), "<column name=\"state\">LISTEN</column>"));
        assert!(has(udp.local_addr().expect("an address").port(), "<column name=\"protocol\">DGRAM</column>"));
    }
}
