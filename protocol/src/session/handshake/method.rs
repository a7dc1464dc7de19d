//! How a connection is authenticated and protected, as the server chooses.

use super::super::Protection;
use super::HandshakeError;
use super::wire::Fields;

/// How the client proves that it may come in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Method {
    /// Not at all.
    Open = 0,
    /// With the password.
    Password = 1,
    /// With the session's token.
    Token = 2,
}

/// What protects the records, as the server sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Cover {
    None = 0,
    Noise = 1,
    Tls = 2,
}

impl Cover {
    pub(super) const fn protection(self) -> Protection {
        match self {
            Self::None => Protection::Plain,
            Self::Noise => Protection::Sealed,
            Self::Tls => Protection::Tls,
        }
    }
}

pub(super) fn read(fields: &mut Fields<'_>) -> Result<(Method, Cover), HandshakeError> {
    let method = match fields.u8()? {
        0 => Method::Open,
        1 => Method::Password,
        2 => Method::Token,
        _ => return Err(HandshakeError::Malformed("the method is unknown")),
    };
    let cover = match fields.u8()? {
        0 if method == Method::Password => return Err(HandshakeError::Malformed("a password protects nothing")),
        0 => Cover::None,
        1 => Cover::Noise,
        2 => Cover::Tls,
        _ => return Err(HandshakeError::Malformed("the protection is unknown")),
    };
    Ok((method, cover))
}
