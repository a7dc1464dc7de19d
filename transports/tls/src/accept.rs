//! The server's side.

use crate::certificate::Certificate;
use crate::error::TlsError;
use crate::explain::Side;
use crate::handshake::{versions, within_limit};
use crate::identity::{Identity, Role};
use crate::stream::TlsStream;
use crate::{provider, store, trust};
use dbgsrv_protocol::options::{Parameter, server};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// How long a client that is turned away may take to read why.
const TELL_LIMIT: Duration = Duration::from_secs(1);

/// Begins TLS as the server, on any number of streams.
#[derive(Clone)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    certificate: Certificate,
}

impl Acceptor {
    /// Finds and checks the certificate that `options` mean, and reads the authorities of the clients.
    ///
    /// # Errors
    /// [`TlsError`], which names the parameter, what was found and what is allowed.
    pub fn new(options: &server::Tls) -> Result<Self, TlsError> {
        let identity = store::find(&options.certificate, Role::Server)?;
        Self::with_identity(options, identity)
    }

    pub(crate) fn with_identity(options: &server::Tls, identity: Identity) -> Result<Self, TlsError> {
        let builder = ServerConfig::builder_with_provider(provider());
        let builder = builder.with_protocol_versions(&versions(options.protocol))?;
        let verifier = match &options.client_ca {
            None => WebPkiClientVerifier::no_client_auth(),
            Some(path) => {
                let roots = trust::authorities(Parameter::ClientCa, path)?;
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
                verifier.map_err(|error| rustls::Error::General(error.to_string()))?
            }
        };
        let builder = builder.with_client_cert_verifier(verifier);
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.key)));
        // Without it, TLS 1.2 has no channel binding that can be relied on (RFC 9266, section 3).
        config.require_ems = true;
        Ok(Self { config: Arc::new(config), certificate: identity.certificate })
    }

    /// Shakes hands with the client. Takes 10 seconds at most. Cancel safe: the connection is closed then.
    ///
    /// # Errors
    /// In words for the server's log.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let handshake = TlsAcceptor::from(Arc::clone(&self.config)).accept(stream).into_fallible();
        let shaken = async {
            match handshake.await {
                Ok(stream) => Ok(stream),
                Err((error, stream)) => {
                    let _ = timeout(TELL_LIMIT, hang_up(stream)).await;
                    Err(error)
                }
            }
        };
        TlsStream::new(within_limit(Side::Server, shaken).await?.into(), Side::Server)
    }

    /// What it shows.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

/// Waits until the client has hung up: closing while bytes of it are unread would reset the connection, and take the alert
/// with it that says what is wrong.
async fn hang_up<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> io::Result<()> {
    stream.shutdown().await?;
    let mut unread = [0; 256];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}
