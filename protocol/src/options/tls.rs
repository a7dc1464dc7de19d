//! Versions of TLS.

use core::fmt;
use core::str::FromStr;

use super::ValueError;
use super::value::PlainValue;

/// The version of TLS: `proto=`.
///
/// The names of protocols that are dead (`ssl2`, `ssl3`, `pct1`, `tls1.1`) are known, and refused with the reason.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TlsProtocol {
    /// `tls1`: the best that both sides have.
    Best,
    /// `tls1.2`: TLS 1.2 only.
    Tls12,
    /// `tls1.3`: TLS 1.3 only.
    Tls13,
}

impl PlainValue for TlsProtocol {
    const ALLOWED: &'static str = "tls1 for the best that both sides have, tls1.2, tls1.3";
}

impl FromStr for TlsProtocol {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let problem = match text {
            "tls1" => return Ok(Self::Best),
            "tls1.2" => return Ok(Self::Tls12),
            "tls1.3" => return Ok(Self::Tls13),
            "ssl2" => "is broken and prohibited by RFC 6176",
            "ssl3" => "is broken and prohibited by RFC 7568",
            "pct1" => "is a predecessor of TLS that no system supports any more",
            "tls1.1" => "is deprecated by RFC 8996",
            _ => "is not a protocol",
        };
        Err(ValueError::new(text, problem, Self::ALLOWED))
    }
}

impl fmt::Display for TlsProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Best => "tls1",
            Self::Tls12 => "tls1.2",
            Self::Tls13 => "tls1.3",
        })
    }
}
