//! Which certificate to use, and which to trust.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::value::{PlainValue, Value, check_text};
use super::{FilePath, Parameter, ValueError};

/// A certificate's hash over its DER form.
///
/// Read as hex digits in any case. Spaces, colons and the invisible mark (U+200E) that the Windows certificate dialog
/// puts before what is copied from it are skipped; printed as lower-case digits alone.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Thumbprint {
    /// SHA-1, as Windows shows it.
    Sha1([u8; 20]),
    /// SHA-256.
    Sha256([u8; 32]),
}

impl Thumbprint {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.chars().filter(|c| !matches!(c, ' ' | ':' | '\u{200e}'));
        let nibbles: Vec<u8> = digits.map(|digit| Some(digit.to_digit(16)? as u8)).collect::<Option<_>>()?;
        let byte = |pair: &[u8]| pair[0] << 4 | pair[1];
        match nibbles.len() {
            40 => Some(Self::Sha1(core::array::from_fn(|at| byte(&nibbles[2 * at..])))),
            64 => Some(Self::Sha256(core::array::from_fn(|at| byte(&nibbles[2 * at..])))),
            _ => None,
        }
    }

    /// The hash's bytes: 20 or 32.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }
}

impl PlainValue for Thumbprint {
    const ALLOWED: &'static str = "the 40 hex digits of a SHA-1 or the 64 of a SHA-256 thumbprint";
}

impl FromStr for Thumbprint {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text).ok_or_else(|| ValueError::new(text, "is not a thumbprint", Self::ALLOWED))
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

text_value! {
    /// A certificate's subject name: 1 to 256 bytes. What reads as a thumbprint is none.
    pub struct CertificateName;
    allowed: "the name of a certificate";
    check: |text| if Thumbprint::parse(text).is_some() { Err("is a thumbprint") } else { check_text(text, 256) };
}

/// What a certificate is found by.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum CertificateId {
    /// Its subject's name.
    Name(CertificateName),
    /// Its thumbprint.
    Thumbprint(Thumbprint),
}

/// Where a certificate is looked up.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CertificateStore {
    /// The user's store: `certuser=`.
    User,
    /// The machine's store: `machuser=`.
    Machine,
}

/// A certificate of this end, with its key.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CertificateSelector {
    /// Where to look.
    pub store: CertificateStore,
    /// What to look for.
    pub certificate: CertificateId,
}

impl Value for CertificateSelector {
    const MISSING: &'static str = "the name of a certificate, or the 40 or 64 hex digits of its thumbprint";

    fn read(parameter: Parameter, text: &str) -> Result<Self, ValueError> {
        let store = match parameter {
            Parameter::MachUser => CertificateStore::Machine,
            _ => CertificateStore::User,
        };
        if let Some(thumbprint) = Thumbprint::parse(text) {
            return Ok(Self { store, certificate: CertificateId::Thumbprint(thumbprint) });
        }
        match check_text(text, 256) {
            Ok(()) => Ok(Self { store, certificate: CertificateId::Name(CertificateName(text.into())) }),
            Err(problem) => Err(ValueError::new(text, problem, Self::MISSING)),
        }
    }

    fn text(&self) -> String {
        match &self.certificate {
            CertificateId::Name(name) => name.to_string(),
            CertificateId::Thumbprint(thumbprint) => thumbprint.to_string(),
        }
    }

    fn parameter(&self, _: &'static [Parameter]) -> Parameter {
        match self.store {
            CertificateStore::User => Parameter::CertUser,
            CertificateStore::Machine => Parameter::MachUser,
        }
    }
}

/// What the other end's certificate is checked against.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Trust {
    /// The authorities in a PEM file: `cafile=`.
    Authorities(FilePath),
    /// This certificate alone: `thumbprint=`.
    Certificate(Thumbprint),
}

impl Value for Trust {
    const MISSING: &'static str = FilePath::ALLOWED;

    fn read(parameter: Parameter, text: &str) -> Result<Self, ValueError> {
        match parameter {
            Parameter::Thumbprint => text.parse().map(Self::Certificate),
            _ => text.parse().map(Self::Authorities),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Authorities(path) => path.to_string(),
            Self::Certificate(thumbprint) => thumbprint.to_string(),
        }
    }

    fn parameter(&self, _: &'static [Parameter]) -> Parameter {
        match self {
            Self::Authorities(_) => Parameter::CaFile,
            Self::Certificate(_) => Parameter::Thumbprint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: &str = "AB CD EF 01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef 01";

    #[test]
    fn a_thumbprint_is_read_however_it_was_copied() {
        let plain = "abcdef0123456789abcdef0123456789abcdef01";
        let thumbprint: Thumbprint = plain.parse().unwrap();
        assert_eq!(thumbprint.bytes()[..3], [0xab, 0xcd, 0xef]);
        assert_eq!(thumbprint.to_string(), plain);
        for text in [PAIRS, &PAIRS.replace(' ', ":"), &std::format!("\u{200e}{PAIRS}")] {
            assert_eq!(text.parse(), Ok(thumbprint));
        }
        assert!(matches!("5e".repeat(32).parse(), Ok(Thumbprint::Sha256(bytes)) if bytes == [0x5e; 32]));
    }

    #[test]
    fn other_lengths_and_other_letters_are_no_thumbprint() {
        for text in ["", "ab", &PAIRS[1..], &PAIRS.replace("AB", "AG"), &"5e".repeat(33)] {
            assert!(text.parse::<Thumbprint>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_selector_tells_thumbprints_from_names() {
        let select = |text: &str| CertificateSelector::read(Parameter::CertUser, text).unwrap().certificate;
        assert!(matches!(select(PAIRS), CertificateId::Thumbprint(Thumbprint::Sha1(_))));
        assert!(matches!(select("CN=Debug, O=Example"), CertificateId::Name(_)));
        assert!(matches!(select("cafe"), CertificateId::Name(_)));
        assert!(PAIRS.parse::<CertificateName>().is_err());
    }
}
