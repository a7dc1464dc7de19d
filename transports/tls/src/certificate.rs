//! What a certificate says.

use crate::thumbprint;
use dbgsrv_protocol::options::{CertificateId, Thumbprint};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// A certificate, as far as people choose by it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Certificate {
    /// The subject's common name; empty where it has none.
    pub common_name: String,
    /// The whole subject: `C=DE, O=Example, CN=app`.
    pub subject: String,
    /// Whether it was signed by nobody else.
    pub is_self_signed: bool,
    /// The SHA-1 thumbprint, by which Windows names certificates.
    pub sha1: Thumbprint,
    /// The SHA-256 thumbprint.
    pub sha256: Thumbprint,
    /// The first second in which it is valid, counted from 1970-01-01 00:00 UTC.
    pub not_before: i64,
    /// The last one.
    pub not_after: i64,
    /// Whether a server may show it.
    pub is_for_servers: bool,
}

impl Certificate {
    /// Reads the DER form. `None` where it is none.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let usage = parsed.extended_key_usage().ok()?;
        let (subject, issuer) = (parsed.subject(), parsed.issuer());
        Some(Self {
            common_name: subject.iter_common_name().find_map(|name| name.as_str().ok()).unwrap_or_default().to_owned(),
            subject: subject.to_string(),
            is_self_signed: subject.as_raw() == issuer.as_raw(),
            sha1: thumbprint::sha1(der),
            sha256: thumbprint::sha256(der),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            // RFC 5280, section 4.2.1.12: without the extension it is for everything.
            is_for_servers: usage.is_none_or(|usage| usage.value.any || usage.value.server_auth),
        })
    }

    /// What people call it by: the common name, or the whole subject where it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.common_name.is_empty() { &self.subject } else { &self.common_name }
    }

    /// Whether it is what `id` means. A name is the common name or the whole subject, in any case.
    #[must_use]
    pub fn is(&self, id: &CertificateId) -> bool {
        match id {
            CertificateId::Name(name) => {
                [&self.common_name, &self.subject].iter().any(|own| own.eq_ignore_ascii_case(name.as_str()))
            }
            CertificateId::Thumbprint(thumbprint) => [&self.sha1, &self.sha256].contains(&thumbprint),
        }
    }
}
