//! Making a certificate that nobody but its owner vouches for.

use crate::certificate::Certificate;
use crate::store::{Store, now};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use time::OffsetDateTime;

/// How far clocks may be behind this machine's for a new certificate to be taken.
const CLOCK_DIFFERENCE: i64 = 3600;
/// The access bits of a file with a private key, and of a folder of such.
const KEY_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// A certificate for servers and clients with a new key (ECDSA over P-256), signed by that key.
pub struct SelfSigned {
    certificate: Certificate,
    pem: String,
}

/// There is no new certificate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SaveError {
    /// A name of a host can't stand in a certificate, or the validity is none.
    #[error("no certificate can be made: {0}")]
    Make(#[from] rcgen::Error),
    /// It can't be valid for so long.
    #[error("a certificate cannot be valid for {0} days; allowed: an end before the year 10000")]
    Days(u32),
    /// The name of the file.
    #[error("`{0}` cannot be the name of a file; allowed: a name without slashes that does not begin with a dot")]
    Name(String),
    /// There is one of that name.
    #[error("{} is there already; allowed: another name", .0.display())]
    Exists(PathBuf),
    /// What the system says.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// Which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl SelfSigned {
    /// A certificate for `name`, which servers can show that are reached by any of `hosts`: names and IP addresses. It is
    /// valid for `days` days from now on.
    ///
    /// # Errors
    /// [`SaveError::Make`], [`SaveError::Days`].
    #[expect(clippy::missing_panics_doc, reason = "what was just made is a certificate")]
    pub fn new(name: &str, hosts: Vec<String>, days: u32) -> Result<Self, SaveError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(hosts)?;
        params.distinguished_name.remove(DnType::CommonName);
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let start = OffsetDateTime::from_unix_timestamp(now() - CLOCK_DIFFERENCE).map_err(|_| SaveError::Days(days))?;
        let validity = Duration::from_hours(24 * u64::from(days)).try_into().map_err(|_| SaveError::Days(days))?;
        params.not_before = start;
        params.not_after = start.checked_add(validity).ok_or(SaveError::Days(days))?;
        let signed = params.self_signed(&key)?;
        let certificate = Certificate::read(signed.der()).expect("what was just made is a certificate");
        Ok(Self { certificate, pem: signed.pem() + &key.serialize_pem() })
    }

    /// What it says.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Writes it to `NAME.pem` in a store, which is made where it is not there. Only this user can read the file, and an older
    /// one is left alone. Returns where it is.
    ///
    /// # Errors
    /// [`SaveError`].
    pub fn save(&self, store: &Store, file: &str) -> Result<PathBuf, SaveError> {
        if file.is_empty() || file.starts_with('.') || file.contains(['/', '\0']) {
            return Err(SaveError::Name(file.into()));
        }
        let folder = store.folder();
        let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder);
        made.map_err(|source| SaveError::Write { path: folder.into(), source })?;
        let path = folder.join(format!("{file}.pem"));
        self.write(&path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => SaveError::Exists(path.clone()),
            _ => SaveError::Write { path: path.clone(), source },
        })?;
        Ok(path)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let mut file: File = OpenOptions::new().write(true).create_new(true).mode(KEY_MODE).open(path)?;
        file.write_all(self.pem.as_bytes())?;
        file.sync_all()
    }
}
