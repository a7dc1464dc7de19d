//! What both sides of a TLS handshake have in common.

use crate::explain::{Side, explain};
use dbgsrv_protocol::options::TlsProtocol;
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// How long a TLS handshake may take: two round trips and some arithmetic. What a peer may cost meanwhile is bounded by the
/// TLS implementation: it takes no message of more than 64 KiB.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// The versions that `proto=` stands for.
pub(crate) fn versions(protocol: TlsProtocol) -> Vec<&'static SupportedProtocolVersion> {
    match protocol {
        TlsProtocol::Best => vec![&TLS13, &TLS12],
        TlsProtocol::Tls12 => vec![&TLS12],
        TlsProtocol::Tls13 => vec![&TLS13],
    }
}

/// Waits for a handshake's end, and puts what goes wrong into words. Cancel safe: the connection is closed then.
pub(crate) async fn within_limit<T>(side: Side, handshake: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let slow = || {
        let text = format!("the TLS handshake took longer than {} s", HANDSHAKE_LIMIT.as_secs());
        io::Error::new(io::ErrorKind::TimedOut, text)
    };
    timeout(HANDSHAKE_LIMIT, handshake).await.map_err(|_| slow())?.map_err(|error| explain(side, error))
}
