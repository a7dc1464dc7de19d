//! Why there is no TLS.

use crate::certificate::Certificate;
use dbgsrv_protocol::options::{CertificateId, FilePath, Parameter};
use std::fmt;
use std::io;
use std::path::PathBuf;
use thiserror::Error;
use time::OffsetDateTime;

/// A connection string's certificates can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The one to show.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file with the authorities to trust can't be read.
    #[error("parameter `{parameter}`: cannot read {path}: {source}")]
    Unreadable {
        /// Whose file.
        parameter: Parameter,
        /// Which.
        path: FilePath,
        /// What the system says.
        source: io::Error,
    },
    /// There is no authority in it.
    #[error("parameter `{parameter}`: there is no certificate in {path}; allowed: a PEM file with at least one")]
    NoAuthority {
        /// Whose file.
        parameter: Parameter,
        /// Which.
        path: FilePath,
    },
    /// The system has none.
    #[error("this system trusts no authorities ({0}); allowed: cafile=PATH or thumbprint=DIGITS")]
    NoSystemAuthorities(String),
    /// The server's name can't stand in a certificate.
    #[error(
        "no certificate can be for a server called `{0}`; allowed: a DNS name, an IP address, or thumbprint=DIGITS"
    )]
    ServerName(String),
    /// What the TLS implementation refuses.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// There is no certificate to show.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No folder.
    #[error("parameter `{parameter}`: cannot read {store}: {source}")]
    Unreadable {
        /// Which parameter asked.
        parameter: Parameter,
        /// Where it was looked for.
        store: String,
        /// What the system says.
        source: io::Error,
    },
    /// None is the one that is meant.
    #[error("parameter `{parameter}`: no certificate in {store} {}; allowed: {}", Wanted(.wanted), Those(.there))]
    NotFound {
        /// Which parameter asked.
        parameter: Parameter,
        /// Where it was looked for.
        store: String,
        /// What was looked for.
        wanted: CertificateId,
        /// What is there.
        there: Vec<Certificate>,
    },
    /// Several are, and each could be used.
    #[error("parameter `{parameter}`: several certificates in {store} {}; allowed: one thumbprint, of {}", Wanted(.wanted), Thumbprints(.found))]
    Ambiguous {
        /// Which parameter asked.
        parameter: Parameter,
        /// Where it was looked for.
        store: String,
        /// What was looked for.
        wanted: CertificateId,
        /// All that it may mean.
        found: Vec<Certificate>,
    },
    /// What is meant can't be used.
    #[error("parameter `{parameter}`: the certificate {} cannot be used: {problem}", .path.display())]
    Unusable {
        /// Which parameter asked.
        parameter: Parameter,
        /// Its file.
        path: PathBuf,
        /// Why not.
        problem: Problem,
    },
}

/// Why a certificate can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Problem {
    /// It is too old, in seconds since 1970.
    #[error("it expired on {}; allowed: one that is valid today", Day(.0))]
    Expired(i64),
    /// It is too young, in seconds since 1970.
    #[error("it is valid from {} on; allowed: one that is valid today", Day(.0))]
    NotYetValid(i64),
    /// It is for other things.
    #[error("it is not for servers; allowed: one whose extended key usage has serverAuth, or that has none")]
    NotForServers,
    /// There is no key.
    #[error("there is no private key in {}; allowed: one in PEM form", .0.display())]
    NoKey(PathBuf),
    /// The key needs a password.
    #[error("the private key in {} is encrypted; allowed: one that is not", .0.display())]
    EncryptedKey(PathBuf),
    /// The key can't be read.
    #[error("cannot read the private key in {}: {source}", .path.display())]
    Unreadable {
        /// Its file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others can read the key.
    #[error("every user of this machine can get at the private key in {path} (mode {mode:04o}); allowed: chmod 600 {path}", path = .path.display())]
    ExposedKey {
        /// Its file.
        path: PathBuf,
        /// The file's access bits.
        mode: u32,
    },
    /// The key is another certificate's.
    #[error("the private key in {} is another certificate's; allowed: its own", .0.display())]
    KeyMismatch(PathBuf),
    /// The key is of no kind that TLS takes.
    #[error("the private key in {} is unknown to TLS ({}); allowed: RSA from 2048 bits on, ECDSA P-256 or P-384, Ed25519", .path.display(), .source)]
    UnknownKey {
        /// Its file.
        path: PathBuf,
        /// What the TLS implementation says.
        source: rustls::Error,
    },
}

/// What was looked for, after "no certificate in the store".
struct Wanted<'a>(&'a CertificateId);

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            CertificateId::Name(name) => write!(f, "for the subject `{name}`"),
            CertificateId::Thumbprint(thumbprint) => write!(f, "with the thumbprint {thumbprint}"),
        }
    }
}

/// Most certificates that a message lists.
const MAX_LISTED: usize = 8;

/// Certificates to choose from.
struct Those<'a>(&'a [Certificate]);

impl fmt::Display for Those<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("one of those there, and there are none yet");
        }
        for (index, certificate) in self.0.iter().take(MAX_LISTED).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}`{}`", certificate.name())?;
        }
        if self.0.len() > MAX_LISTED { f.write_str(", ...") } else { Ok(()) }
    }
}

struct Thumbprints<'a>(&'a [Certificate]);

impl fmt::Display for Thumbprints<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, certificate) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{} (until {})", certificate.sha1, Day(&certificate.not_after))?;
        }
        Ok(())
    }
}

/// The day of a time in seconds since 1970, in UTC.
struct Day<'a>(&'a i64);

impl fmt::Display for Day<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match OffsetDateTime::from_unix_timestamp(*self.0) {
            Ok(time) => write!(f, "{:04}-{:02}-{:02}", time.year(), u8::from(time.month()), time.day()),
            Err(_) => write!(f, "{} seconds after 1970", self.0),
        }
    }
}
