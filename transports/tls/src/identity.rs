//! A certificate that this side can show, with its key.

use crate::certificate::Certificate;
use crate::error::Problem;
use crate::store::Entry;
use crate::{pem, provider};
use rustls::InconsistentKeys;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Access bits of users that are neither the file's owner nor in its group: reading and writing.
const OTHERS: u32 = 0o006;

/// Which side shows a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// Whether the certificate is for clients is for the server to say, which may not even ask for it.
    Client,
    Server,
}

/// What this side shows.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: Certificate,
    pub(crate) key: Arc<CertifiedKey>,
}

impl Identity {
    /// Finds the key, and checks all that can be checked here. `now` is in seconds since 1970.
    pub(crate) fn new(entry: &Entry, role: Role, now: i64) -> Result<Self, Problem> {
        let certificate = entry.certificate.clone();
        if now > certificate.not_after {
            return Err(Problem::Expired(certificate.not_after));
        }
        if now < certificate.not_before {
            return Err(Problem::NotYetValid(certificate.not_before));
        }
        if role == Role::Server && !certificate.is_for_servers {
            return Err(Problem::NotForServers);
        }
        let path = key_path(&entry.path);
        let key = read_key(&path)?;
        let key = CertifiedKey::from_der(entry.chain.clone(), key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Problem::KeyMismatch(path),
            source => Problem::UnknownKey { path, source },
        })?;
        Ok(Self { certificate, key: Arc::new(key) })
    }
}

/// Where the key of a certificate is: in `NAME.pem` itself, or in `NAME.key` beside `NAME.crt`.
fn key_path(certificate: &Path) -> PathBuf {
    match certificate.extension() {
        Some(extension) if extension == "crt" => certificate.with_extension("key"),
        _ => certificate.to_owned(),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    let unreadable = |source| Problem::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    let content = pem::read(file).map_err(unreadable)?;
    let Some(key) = pem::key(&content) else {
        let encrypted = pem::has_encrypted_key(&content);
        return Err(if encrypted { Problem::EncryptedKey(path.into()) } else { Problem::NoKey(path.into()) });
    };
    if mode & OTHERS != 0 {
        return Err(Problem::ExposedKey { path: path.into(), mode: mode & 0o7777 });
    }
    Ok(key)
}
