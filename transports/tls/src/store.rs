//! Where certificates are found: one folder for each user, and one for the machine.

use crate::certificate::Certificate;
use crate::error::{Problem, StoreError};
use crate::identity::{Identity, Role};
use crate::pem;
use dbgsrv_protocol::options::{CertificateId, CertificateSelector, CertificateStore, Parameter};
use nix::unistd::{User, geteuid};
use rustls::pki_types::CertificateDer;
use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::warn;

/// Most files that are looked at.
const MAX_FILES: usize = 1024;

/// A store of certificates. `Display` says which, and where.
#[derive(Clone, Debug)]
pub struct Store {
    kind: CertificateStore,
    folder: PathBuf,
}

/// A file of a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The file that has the certificate.
    pub path: PathBuf,
    /// What the certificate says.
    pub certificate: Certificate,
    /// It, and those that lead from it to an authority.
    pub(crate) chain: Vec<CertificateDer<'static>>,
}

impl Store {
    /// This user's store, or the machine's. It need not be there.
    #[must_use]
    pub fn of(kind: CertificateStore) -> Self {
        let folder = match kind {
            CertificateStore::User => user_folder().join("dbgsrv/certificates"),
            CertificateStore::Machine => "/etc/dbgsrv/certificates".into(),
        };
        Self { kind, folder }
    }

    /// A store in any folder.
    #[must_use]
    pub fn at(kind: CertificateStore, folder: PathBuf) -> Self {
        Self { kind, folder }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whose it is.
    #[must_use]
    pub const fn kind(&self) -> CertificateStore {
        self.kind
    }

    /// The parameter that means it.
    pub(crate) const fn parameter(&self) -> Parameter {
        match self.kind {
            CertificateStore::User => Parameter::CertUser,
            CertificateStore::Machine => Parameter::MachUser,
        }
    }

    /// All certificates that are there, by the names of their files. A file that has none is passed over with a warning in
    /// the log.
    ///
    /// # Errors
    /// What the system says about the folder.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut paths = Vec::new();
        for file in fs::read_dir(&self.folder)?.take(MAX_FILES) {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "pem" || extension == "crt") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths.into_iter().filter_map(entry).collect())
    }

    /// The certificate that a connection string means.
    pub(crate) fn find(&self, wanted: &CertificateId, role: Role) -> Result<Identity, StoreError> {
        self.find_at(wanted, role, now())
    }

    fn find_at(&self, wanted: &CertificateId, role: Role, now: i64) -> Result<Identity, StoreError> {
        let (parameter, store) = (self.parameter(), self.to_string());
        let entries =
            self.entries().map_err(|source| StoreError::Unreadable { parameter, store: store.clone(), source })?;
        let (meant, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.certificate.is(wanted));
        let (mut usable, mut unusable) = (Vec::<Identity>::new(), None::<(PathBuf, Problem)>);
        for entry in meant {
            match Identity::new(&entry, role, now) {
                // The same certificate may stand in two files.
                Ok(identity) if usable.iter().any(|other| other.certificate == identity.certificate) => {}
                Ok(identity) => usable.push(identity),
                Err(problem) => unusable = unusable.or(Some((entry.path, problem))),
            }
        }
        let wanted = wanted.clone();
        match (usable.len(), usable.pop(), unusable) {
            (1, Some(identity), _) => Ok(identity),
            (_, None, Some((path, problem))) => Err(StoreError::Unusable { parameter, path, problem }),
            (_, None, None) => {
                let there = others.into_iter().map(|entry| entry.certificate).collect();
                Err(StoreError::NotFound { parameter, store, wanted, there })
            }
            (_, Some(last), _) => {
                let found = usable.into_iter().chain([last]).map(|identity| identity.certificate).collect();
                Err(StoreError::Ambiguous { parameter, store, wanted, found })
            }
        }
    }
}

/// The certificate that a connection string means, with its key.
pub(crate) fn find(selector: &CertificateSelector, role: Role) -> Result<Identity, StoreError> {
    Store::of(selector.store).find(&selector.certificate, role)
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.kind {
            CertificateStore::User => "the user's store",
            CertificateStore::Machine => "the machine's store",
        };
        write!(f, "{whose} ({})", self.folder.display())
    }
}

fn entry(path: PathBuf) -> Option<Entry> {
    let (chain, problem) = match pem::certificates(&path) {
        Ok(chain) => (chain, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    if let Some(certificate) = chain.first().and_then(|der| Certificate::read(der)) {
        return Some(Entry { path, certificate, chain });
    }
    let reason = problem.map_or_else(|| "there is no certificate in it".to_owned(), |error| error.to_string());
    warn!(path = %path.display(), reason, "a file of the store is passed over");
    None
}

/// Where the user's settings are (XDG Base Directory Specification: what is not absolute is not looked at).
fn user_folder() -> PathBuf {
    let folder = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || folder("HOME").or_else(|| Some(User::from_uid(geteuid()).ok()??.dir));
    folder("XDG_CONFIG_HOME").unwrap_or_else(|| home().unwrap_or_else(|| "/".into()).join(".config"))
}

/// Seconds since 1970-01-01 00:00 UTC; 0 where the clock is set before that.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64)
}

#[cfg(test)]
mod tests;
