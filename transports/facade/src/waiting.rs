//! Waiting for a server's call: the client listens, and the server makes the connection.

use crate::BindError;
use crate::endpoint::{hosts, ports};
use crate::machine::{Machine, is_one_of};
use dbgsrv_protocol::options::{ListenOn, ListenPort};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

/// How long a server's call is waited for: time enough to walk to the other machine and start it there.
const CALL_LIMIT: Duration = Duration::from_mins(10);
/// How long nothing is accepted after an error: descriptors may have run out, and some come free.
const PAUSE: Duration = Duration::from_millis(100);

/// Where calls of one server's machine are waited for. It listens from the first time that anybody asks, at one and the
/// same port from then on.
#[derive(Debug)]
pub(crate) struct Waiting {
    server: Machine,
    port: ListenPort,
    listen_on: Option<ListenOn>,
    listener: Mutex<Option<dbgsrv_tcp::Listener>>,
}

impl Waiting {
    pub(crate) fn new(server: Machine, port: ListenPort, listen_on: Option<ListenOn>) -> Self {
        Self { server, port, listen_on, listener: Mutex::default() }
    }

    /// Listens, and says where: the port, and the addresses in parentheses.
    pub(crate) async fn listen(&self) -> Result<String, BindError> {
        let mut listener = self.listener.lock().await;
        Ok(crate::listener::tcp_place(self.listening(&mut listener)?))
    }

    /// Waits for a call of the server's machine, for ten minutes at most. Calls of others are closed. Cancel safe.
    pub(crate) async fn take(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let addresses = self.server.addresses(0).await?;
        let mut listener = self.listener.lock().await;
        let listener = self.listening(&mut listener).map_err(io::Error::other)?;
        let mut stranger = None;
        timeout(CALL_LIMIT, self.take_from(listener, &addresses, &mut stranger)).await.map_err(|_| {
            let other = stranger.map_or_else(String::new, |peer: IpAddr| format!(", but {peer} has"));
            let waited = CALL_LIMIT.as_secs() / 60;
            io::Error::new(io::ErrorKind::TimedOut, format!("it has not called within {waited} minutes{other}"))
        })
    }

    /// `stranger` is set to who else calls.
    async fn take_from(
        &self,
        listener: &mut dbgsrv_tcp::Listener,
        addresses: &[SocketAddr],
        stranger: &mut Option<IpAddr>,
    ) -> (TcpStream, SocketAddr) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) if is_one_of(&peer, addresses) => return (stream, peer),
                Ok((_, peer)) => {
                    let peer = peer.ip().to_canonical();
                    *stranger = Some(peer);
                    warn!(%peer, server = %self.server, "a call from another machine than the server's; closing it");
                }
                Err(error) => {
                    debug!(reason = %error, "a call can't be accepted");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn listening<'a>(
        &self,
        listener: &'a mut Option<dbgsrv_tcp::Listener>,
    ) -> Result<&'a mut dbgsrv_tcp::Listener, BindError> {
        let bound = if let Some(bound) = listener.take() {
            bound
        } else {
            let hosts = hosts(self.listen_on.as_ref()).map_err(BindError::Address)?;
            dbgsrv_tcp::Listener::bind(&hosts, ports(self.port))?
        };
        Ok(listener.insert(bound))
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (calling port {} here)", self.server, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    fn waiting(server: &str) -> Waiting {
        let machine = Machine { host: server.parse().unwrap(), ip_version: None };
        let listen_on = ListenOn::Address("127.0.0.1".parse().unwrap());
        Waiting::new(machine, ListenPort::Any, Some(listen_on))
    }

    async fn port(waiting: &Waiting) -> u16 {
        waiting.listen().await.unwrap();
        waiting.listener.lock().await.as_ref().unwrap().port()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn it_stays_at_the_port_that_it_was_first_asked_at() {
        let waiting = waiting("localhost");
        let port = port(&waiting).await;
        for _ in 0..2 {
            assert_eq!(waiting.listen().await.unwrap(), format!("tcp port {port} (127.0.0.1)"));
            let (_caller, taken) = tokio::join!(TcpStream::connect(("127.0.0.1", port)), waiting.take());
            assert!(taken.unwrap().1.ip().is_loopback());
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn calls_of_other_machines_are_closed_without_a_word() {
        let waiting = waiting("192.0.2.1");
        let port = port(&waiting).await;
        let stranger = async {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap()
        };
        tokio::select! {
            taken = waiting.take() => panic!("{taken:?}"),
            read = stranger => assert_eq!(read, 0),
        }
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_call_that_does_not_come_is_given_up_and_who_called_instead_is_named() {
        let waiting = waiting("192.0.2.1");
        let _stranger = TcpStream::connect(("127.0.0.1", port(&waiting).await)).await.unwrap();
        let error = waiting.take().await.unwrap_err();
        assert_eq!(error.to_string(), "it has not called within 10 minutes, but 127.0.0.1 has");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_machine_that_cannot_be_found_is_an_error_at_once() {
        // Never given to a machine: RFC 6761, section 6.4.
        assert!(waiting("nobody.invalid").take().await.is_err());
    }
}
