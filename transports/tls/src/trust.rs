//! Whom a side believes.

use crate::error::TlsError;
use crate::{pem, provider, thumbprint};
use dbgsrv_protocol::options::{FilePath, Parameter, Thumbprint};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::Arc;

/// The authorities in a PEM file.
pub(crate) fn authorities(parameter: Parameter, path: &FilePath) -> Result<Arc<RootCertStore>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { parameter, path: path.clone(), source };
    let certificates = pem::certificates(Path::new(path.as_str())).map_err(unreadable)?;
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(certificates) {
        (0, _) => Err(TlsError::NoAuthority { parameter, path: path.clone() }),
        _ => Ok(Arc::new(roots)),
    }
}

/// The authorities that this system trusts.
pub(crate) fn system_authorities() -> Result<Arc<RootCertStore>, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(found.certs) {
        (0, _) => {
            let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
            Err(TlsError::NoSystemAuthorities(reasons.join("; ")))
        }
        _ => Ok(Arc::new(roots)),
    }
}

/// Believes one certificate alone, whatever name, dates and authority are in it.
#[derive(Debug)]
pub(crate) struct Pin(pub(crate) Thumbprint);

/// The server has another certificate than the one that is pinned.
#[derive(Debug, thiserror::Error)]
#[error("it has the thumbprint {found}, and `thumbprint` asks for {wanted}")]
pub(crate) struct NotPinned {
    found: Thumbprint,
    wanted: Thumbprint,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if thumbprint::is_of(&self.0, certificate) {
            return Ok(ServerCertVerified::assertion());
        }
        let found = match self.0 {
            Thumbprint::Sha1(_) => thumbprint::sha1(certificate),
            Thumbprint::Sha256(_) => thumbprint::sha256(certificate),
        };
        let error = NotPinned { found, wanted: self.0 };
        Err(CertificateError::Other(OtherError(Arc::new(error))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
