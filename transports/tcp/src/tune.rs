//! Socket options of a connection.

use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long a connection may be quiet before the kernel asks whether its peer is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// The pause between two such questions.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How many unanswered questions end the connection.
const KEEPALIVE_COUNT: u32 = 3;
/// How long sent bytes may stay unacknowledged before the connection ends: without it a peer that vanished while a reply
/// was on its way is noticed only after the kernel's retries, some 15 minutes. As long as the keep-alive takes.
const USER_TIMEOUT: Duration = Duration::from_mins(1);

/// Sets what a debug connection needs: no delay for small packets, and a vanished peer noticed within a minute
/// (tcp(7): `TCP_NODELAY`, `TCP_KEEPIDLE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`, `TCP_USER_TIMEOUT`).
///
/// # Errors
/// What setsockopt(2) says.
pub fn tune(stream: &TcpStream) -> io::Result<()> {
    let keepalive =
        TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL).with_retries(KEEPALIVE_COUNT);
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test(flavor = "current_thread")]
    async fn an_accepted_connection_gets_every_option() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        tune(&stream).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_IDLE);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), KEEPALIVE_INTERVAL);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), KEEPALIVE_COUNT);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
        drop(client);
    }
}
