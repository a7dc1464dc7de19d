//! A port at which nobody listens, and which nobody else gets.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A free port of this machine. Who connects to it is refused until somebody listens there, which takes `SO_REUSEADDR`, as
/// listeners set it.
#[derive(Debug)]
pub struct Reserved {
    socket: TcpSocket,
}

impl Reserved {
    /// Reserves one.
    ///
    /// # Panics
    /// When this machine has no free port.
    #[must_use]
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket.set_reuseaddr(true).expect("it is a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("there is a free port");
        Self { socket }
    }

    /// Which.
    ///
    /// # Panics
    /// Never: it is bound.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.socket.local_addr().expect("it is bound").port()
    }
}

impl Default for Reserved {
    fn default() -> Self {
        Self::new()
    }
}
