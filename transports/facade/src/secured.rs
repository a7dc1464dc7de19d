//! A listener whose connections are inside TLS.

use crate::Listener;
use dbgsrv_protocol::options::{ClientOptions, TlsProtocol, Trust, client};
use dbgsrv_tls::Acceptor;
use std::fmt;

/// A listener, and what makes its connections safe. `Display` says what it listens on: `ssl port 5005 (0.0.0.0, ::)`,
/// `spipe app (/run/dbgsrv/pipes/app)`.
#[derive(Debug)]
pub struct Secured {
    pub(crate) listener: Listener,
    pub(crate) acceptor: Acceptor,
    protocol: TlsProtocol,
}

impl Secured {
    pub(crate) fn new(listener: Listener, acceptor: Acceptor, protocol: TlsProtocol) -> Self {
        Self { listener, acceptor, protocol }
    }

    /// The connection string that `premote` takes. A certificate that no authority has signed is pinned there.
    pub(crate) fn client_string(&self) -> String {
        let certificate = self.acceptor.certificate();
        let trust = certificate.is_self_signed.then_some(Trust::Certificate(certificate.sha256));
        let tls = client::Tls { protocol: self.protocol, certificate: None, trust };
        let plain = self.listener.client_string();
        let options = match plain.parse() {
            Ok(ClientOptions::Tcp(client::Tcp { server, port, password, .. })) => {
                ClientOptions::Ssl(client::Ssl { tls, server, port, password })
            }
            Ok(ClientOptions::TcpReverse(client::TcpReverse { server, port, password, .. })) => {
                ClientOptions::SslReverse(client::SslReverse { tls, server, port, bind: None, password })
            }
            Ok(ClientOptions::NamedPipe(client::NamedPipe { server, pipe, password })) => {
                ClientOptions::SecurePipe(client::SecurePipe { tls, server, pipe, password })
            }
            _ => return plain,
        };
        options.to_string()
    }
}

impl fmt::Display for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.listener.to_string();
        match (plain.strip_prefix("tcp"), plain.strip_prefix("npipe")) {
            (Some(place), _) => write!(f, "ssl{place}"),
            (_, Some(place)) => write!(f, "spipe{place}"),
            _ => f.write_str(&plain),
        }
    }
}
