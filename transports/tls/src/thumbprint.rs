//! Thumbprints: hashes over a certificate's DER form.

use dbgsrv_protocol::options::Thumbprint;
use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

/// The SHA-1 thumbprint, by which Windows names certificates.
pub(crate) fn sha1(der: &[u8]) -> Thumbprint {
    Thumbprint::Sha1(hash(&SHA1_FOR_LEGACY_USE_ONLY, der))
}

/// The SHA-256 thumbprint.
pub(crate) fn sha256(der: &[u8]) -> Thumbprint {
    Thumbprint::Sha256(hash(&SHA256, der))
}

/// Whether it is this certificate's.
pub(crate) fn is_of(thumbprint: &Thumbprint, der: &[u8]) -> bool {
    match thumbprint {
        Thumbprint::Sha1(_) => sha1(der) == *thumbprint,
        Thumbprint::Sha256(_) => sha256(der) == *thumbprint,
    }
}

fn hash<const LENGTH: usize>(algorithm: &'static Algorithm, der: &[u8]) -> [u8; LENGTH] {
    digest(algorithm, der).as_ref().try_into().expect("the algorithm's hash has the length that its thumbprint has")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_those_of_the_standards() {
        // FIPS 180-4's example: "abc".
        assert_eq!(sha1(b"abc").to_string(), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let long = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc").to_string(), long);
        assert!(is_of(&long.parse().unwrap(), b"abc") && !is_of(&long.parse().unwrap(), b"abd"));
    }
}
