//! The client's side.

use crate::error::TlsError;
use crate::explain::Side;
use crate::handshake::{versions, within_limit};
use crate::identity::{Identity, Role};
use crate::stream::TlsStream;
use crate::trust::{self, Pin};
use crate::{provider, store};
use dbgsrv_protocol::options::{Address, Host, Parameter, Trust, client};
use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

/// Begins TLS as the client with one server, as often as need be.
#[derive(Clone)]
pub struct Connector {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Connector {
    /// Finds the certificate that `options` mean, and whom they trust to be `server`.
    ///
    /// # Errors
    /// [`TlsError`], which names the parameter, what was found and what is allowed.
    pub fn new(options: &client::Tls, server: &Host) -> Result<Self, TlsError> {
        let identity = options.certificate.as_ref().map(|selector| store::find(selector, Role::Client)).transpose()?;
        Self::with_identity(options, identity, server)
    }

    pub(crate) fn with_identity(
        options: &client::Tls,
        identity: Option<Identity>,
        server: &Host,
    ) -> Result<Self, TlsError> {
        let builder = ClientConfig::builder_with_provider(provider());
        let builder = builder.with_protocol_versions(&versions(options.protocol))?;
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier(options.trust.as_ref())?);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.key))),
        };
        // Without it, TLS 1.2 has no channel binding that can be relied on (RFC 9266, section 3).
        config.require_ems = true;
        Ok(Self { config: Arc::new(config), name: name(server)? })
    }

    /// Shakes hands with the server. Takes 10 seconds at most. Cancel safe: the connection is closed then.
    ///
    /// A server that is refused learns why only if `stream` writes vectored: the alert is written in the same call as what
    /// stands before it, or not at all.
    ///
    /// # Errors
    /// In words for the client's user.
    pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let stream = within_limit(Side::Client, connector.connect(self.name.clone(), stream)).await?;
        TlsStream::new(stream.into(), Side::Client)
    }
}

/// What the server's certificate is checked by: authorities, with the server's name and the dates, or its thumbprint.
fn verifier(trust: Option<&Trust>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let roots = match trust {
        Some(Trust::Certificate(thumbprint)) => return Ok(Arc::new(Pin(*thumbprint))),
        Some(Trust::Authorities(path)) => trust::authorities(Parameter::CaFile, path)?,
        None => trust::system_authorities()?,
    };
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider()).build();
    Ok(verifier.map_err(|error| rustls::Error::General(error.to_string()))?)
}

/// What the server's certificate has to be for. A zone says which way an address is, and is in no certificate.
fn name(server: &Host) -> Result<ServerName<'static>, TlsError> {
    match server {
        Host::Name(name) => ServerName::try_from(name.to_string()).map_err(|_| TlsError::ServerName(name.to_string())),
        Host::Address(Address::V4(address)) => Ok(ServerName::from(IpAddr::from(*address))),
        Host::Address(Address::V6(address, _)) => Ok(ServerName::from(IpAddr::from(*address))),
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("name", &self.name).finish_non_exhaustive()
    }
}
