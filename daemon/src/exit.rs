//! How the command ends: the table of its exit statuses.
//!
//! | status | meaning |
//! |---|---|
//! | 0 | ended by SIGINT, SIGTERM or a client, or printed what was asked for |
//! | 1 | could not do its work: a port in use, no descriptors left, a program that can't be started |
//! | 2 | the command line or `RUST_LOG` is wrong; nothing was started |
//! | 3 | the client that it called (`clicon`) is gone, and it was not to call again |

pub use crate::activation::ActivationError;
use dbgsrv_transports::BindError;
use std::io;
use thiserror::Error;

/// The status for a command that could not do its work.
pub const FAILURE: u8 = 1;
/// The status for a command line that asks for something impossible.
pub const USAGE: u8 = 2;

/// The status for a server whose client, which it had called, is gone.
pub const CLIENT_GONE: u8 = 3;

/// Why the command ends early.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExitError {
    /// A transport can't be listened on.
    #[error("error: {0}")]
    Bind(#[from] BindError),
    /// The client that it called is gone, and nobody else can reach the server.
    #[error("error: the client is gone; with `reconnect` in the transport the server calls it again")]
    ClientGone,
    /// The program of the command line can't be started.
    #[error("error: cannot start the program: {0}")]
    Create(String),
    /// What systemd has passed is of no use.
    #[error("error: {0}")]
    Activation(#[from] ActivationError),
    /// systemd has passed sockets that no transport asks for.
    #[error(
        "error: no transport asks for what was passed: {0}; allowed: a -t with the port or the pipe's name of each"
    )]
    Unasked(String),
    /// The system refuses what every server needs.
    #[error("error: cannot start: {0}")]
    System(#[from] io::Error),
    /// The command line is wrong; the text is complete and says how to use it.
    #[error("{0}")]
    Usage(String),
}

impl ExitError {
    /// The exit status that this error ends the command with.
    #[must_use]
    pub const fn status(&self) -> u8 {
        match self {
            Self::Activation(_) | Self::Bind(_) | Self::Create(_) | Self::System(_) | Self::Unasked(_) => FAILURE,
            Self::Usage(_) => USAGE,
            Self::ClientGone => CLIENT_GONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_status() {
        let table = [
            (ExitError::Bind(BindError::Address(io::ErrorKind::NotFound.into())), 1),
            (ExitError::System(io::ErrorKind::OutOfMemory.into()), 1),
            (ExitError::Usage("error: unexpected argument".into()), 2),
            (ExitError::Create("there is no program app".into()), 1),
            (ExitError::ClientGone, 3),
        ];
        for (error, status) in table {
            assert_eq!(error.status(), status, "{error}");
        }
    }
}
