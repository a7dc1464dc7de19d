//! Where the programs that sessions start write to.

use core::fmt;
use core::str::FromStr;

use super::ValueError;
use super::value::PlainValue;

/// The standard streams of programs that a session starts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum StandardStreams {
    /// The client's console: what they print is sent there.
    Client,
    /// The server's own.
    Server,
}

impl PlainValue for StandardStreams {
    const ALLOWED: &'static str = "client or server";
}

impl FromStr for StandardStreams {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            _ if text.eq_ignore_ascii_case("client") => Ok(Self::Client),
            _ if text.eq_ignore_ascii_case("server") => Ok(Self::Server),
            _ => Err(ValueError::new(text, "is neither side", Self::ALLOWED)),
        }
    }
}

impl fmt::Display for StandardStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}
