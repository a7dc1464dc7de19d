//! A listener on one port in one or more address families.

use crate::ports::{BindError, first_free};
use socket2::{Domain, Protocol, Socket, Type};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::ops::RangeInclusive;
use std::task::{Context, Poll};
use tokio::net::{TcpListener, TcpStream};

/// Connections the kernel completes and keeps until they are accepted (listen(2)). Those beyond it have to try again,
/// which their system does by itself.
const BACKLOG: i32 = 128;

/// How often a port picked by the system may turn out to be taken in the next address family.
const ANY_PORT_TRIES: usize = 16;

/// Listens on one port, on one socket per address.
#[derive(Debug)]
pub struct Listener {
    /// Never empty; all on the same port.
    sockets: Vec<TcpListener>,
    addresses: Vec<IpAddr>,
    port: u16,
    /// The socket asked first at the next accept, so that a busy family does not shut out the other.
    turn: usize,
}

impl Listener {
    /// Listens at all of `hosts`, whose own ports don't matter, on the first port of `ports` that is free at all of them.
    /// Port 0 lets the system pick one.
    ///
    /// A host whose address family this machine does not have is left out as long as another one remains. An IPv6
    /// socket takes IPv6 connections only, so `0.0.0.0` and `::` go together whatever the system's `bindv6only` says.
    /// Must be called inside a tokio runtime with I/O.
    ///
    /// # Errors
    /// [`BindError`] with the port and the reason when there is no such port.
    pub fn bind(hosts: &[SocketAddr], ports: RangeInclusive<u16>) -> Result<Self, BindError> {
        first_free(ports, |port| Self::open(hosts, port))
    }

    fn open(hosts: &[SocketAddr], port: u16) -> io::Result<Self> {
        let mut sockets = listen_at_all(hosts, port);
        for _ in 1..ANY_PORT_TRIES {
            match &sockets {
                Err(error) if port == 0 && error.kind() == io::ErrorKind::AddrInUse => {
                    sockets = listen_at_all(hosts, port);
                }
                _ => break,
            }
        }
        Self::of(sockets?)
    }

    /// Listens at sockets that do so already: at least one, all on the same port. Must be called inside a tokio runtime with
    /// I/O.
    ///
    /// # Errors
    /// What the system says about them; [`io::ErrorKind::InvalidInput`] where there are none.
    pub fn of(sockets: Vec<StdListener>) -> io::Result<Self> {
        let take = |socket: StdListener| {
            socket.set_nonblocking(true)?;
            TcpListener::from_std(socket)
        };
        let sockets = sockets.into_iter().map(take).collect::<io::Result<Vec<_>>>()?;
        let bound = sockets.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
        let port = bound.first().ok_or(io::ErrorKind::InvalidInput)?.port();
        Ok(Self { sockets, addresses: bound.iter().map(SocketAddr::ip).collect(), port, turn: 0 })
    }

    /// Waits for the next connection, on whichever socket it comes.
    ///
    /// Cancel safe: a connection not returned stays in the kernel's queue.
    ///
    /// # Errors
    /// What accept(2) says. None of its errors is the end of the listener: the caller logs it, waits a little and goes
    /// on.
    pub async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let count = self.sockets.len();
        for index in (self.turn..self.turn + count).map(|index| index % count) {
            if let Poll::Ready(accepted) = self.sockets[index].poll_accept(cx) {
                self.turn = (index + 1) % count;
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }

    /// The port listened on: the one found free in a range, or picked by the system.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The addresses listened at; fewer than asked for where the machine lacks an address family.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }
}

/// One listening socket for each of `hosts`, all on the same port.
fn listen_at_all(hosts: &[SocketAddr], mut port: u16) -> io::Result<Vec<StdListener>> {
    let mut sockets = Vec::with_capacity(hosts.len());
    let mut missing = io::Error::from(io::ErrorKind::InvalidInput);
    for host in hosts {
        match listen_at(*host, port) {
            Ok(socket) => {
                port = socket.local_addr()?.port();
                sockets.push(socket);
            }
            Err(error) if hosts.len() > 1 && is_family_missing(&error) => missing = error,
            Err(error) => return Err(error),
        }
    }
    if sockets.is_empty() { Err(missing) } else { Ok(sockets) }
}

fn listen_at(host: SocketAddr, port: u16) -> io::Result<StdListener> {
    let mut address = host;
    address.set_port(port);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A server started again takes its port back from connections that linger in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The kernel lacks the address family (`ipv6.disable=1`) or has no address in it (`disable_ipv6`).
fn is_family_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EAFNOSUPPORT) || error.kind() == io::ErrorKind::AddrNotAvailable
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const V4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    const V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0);
    /// TEST-NET-1 (RFC 5737): an address no machine has.
    const ABSENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 0);

    #[tokio::test(flavor = "current_thread")]
    async fn both_families_are_served_on_the_same_port_where_the_machine_has_both() {
        let mut listener = Listener::bind(&[V4, V6], 0..=0).unwrap();
        assert_ne!(listener.port(), 0);
        for address in listener.addresses().to_vec() {
            let mut client = TcpStream::connect((address, listener.port())).await.unwrap();
            client.write_all(b"+").await.unwrap();
            let (mut stream, peer) = listener.accept().await.unwrap();
            assert_eq!(peer, client.local_addr().unwrap());
            assert_eq!(stream.read_u8().await.unwrap(), b'+');
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_address_the_machine_lacks_is_left_out_when_another_remains() {
        let listener = Listener::bind(&[ABSENT, V4], 0..=0).unwrap();
        assert_eq!(listener.addresses(), [V4.ip()]);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_address_the_machine_lacks_is_an_error_when_it_is_the_only_one() {
        let error = Listener::bind(&[ABSENT], 0..=0).unwrap_err();
        assert!(matches!(error, BindError::Port { port: 0, .. }), "{error}");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_port_in_use_is_refused() {
        let first = Listener::bind(&[V4], 0..=0).unwrap();
        let error = Listener::bind(&[V4], first.port()..=first.port()).unwrap_err();
        assert!(
            matches!(&error, BindError::Port { port, source }
                if *port == first.port() && source.kind() == io::ErrorKind::AddrInUse),
            "{error}"
        );
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_range_skips_the_port_in_use() {
        let first = Listener::bind(&[V4], 0..=0).unwrap();
        let high = first.port().saturating_add(20);
        let second = Listener::bind(&[V4], first.port()..=high).unwrap();
        assert!(second.port() > first.port() && second.port() <= high);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_port_in_use_in_one_family_only_is_not_free() {
        let first = Listener::bind(&[V4], 0..=0).unwrap();
        assert!(Listener::bind(&[V6, V4], first.port()..=first.port()).is_err());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn no_hosts_is_an_error_and_not_a_listener_that_never_accepts() {
        assert!(Listener::bind(&[], 0..=0).is_err());
    }
}
