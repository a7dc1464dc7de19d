//! PEM files: certificates and keys as text.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Longest file that is read, in bytes: the authorities of a whole system take some 250,000.
const MAX_FILE: u64 = 4 << 20;

/// A file's content.
pub(crate) fn read(mut file: File) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    if (&mut file).take(MAX_FILE + 1).read_to_end(&mut content)? as u64 > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {MAX_FILE} bytes")));
    }
    Ok(content)
}

/// All certificates of a file, in its order. What is none is passed over.
pub(crate) fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let content = read(File::open(path)?)?;
    Ok(CertificateDer::pem_slice_iter(&content).filter_map(Result::ok).collect())
}

/// The first private key.
pub(crate) fn key(content: &[u8]) -> Option<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(content).ok()
}

/// Whether there is a private key that takes a password (RFC 7468, section 11, and the older form of OpenSSL).
pub(crate) fn has_encrypted_key(content: &[u8]) -> bool {
    let marks: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];
    marks.iter().any(|mark| content.windows(mark.len()).any(|window| window == *mark))
}
