//! The session: one authenticated conversation of a client and a process server, over one connection after another.
//!
//! A [`Handshake`] belongs to a connection. What it comes to, [`Established`], begins a [`Session`] or continues one whose
//! connection was cut. A session carries messages, in order and each once, whatever happens to its connections.
//!
//! ```text
//!  connection ──▶ Handshake ──▶ Established ──▶ Session ──▶ messages (frames of the mux)
//!  connection ──▶ Handshake ──▶ Established ──────┘ resume
//! ```
//!
//! `docs/protocol.md` has every byte, and `docs/vectors/session.txt` examples, which the tests here read.

mod crypto;
mod established;
mod facts;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod handshake;
mod link;
#[cfg(any(test, fuzzing))]
mod testing;
#[cfg(test)]
mod tests;
mod text;

pub use established::{Established, Protection};
pub use facts::{Facts, MAX_FACT, Versions};
pub use handshake::{Access, ClientConfig, Handshake, HandshakeError, Progress, Rejected, ServerConfig};
pub use link::{CloseCode, Session, SessionError, State};

use core::fmt;

/// The first bytes of each connection: no RSP and no TLS begins like this, and the line feed shows who mangles text.
pub const PREFACE: [u8; 8] = *b"\x93DBGSRV\n";

/// Where random bytes come from: the system's generator, or a test's.
pub trait Random {
    /// Fills `bytes` with what nobody can guess.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// Names a session to whom it belongs. Not a secret.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(pub [u8; 16]);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
