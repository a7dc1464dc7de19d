//! How the command ends: the table of its exit statuses.
//!
//! | status | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | the server said no, a check was bad, a file could not be copied |
//! | 2 | the command line is wrong; nothing was done |
//! | 255 | no connection, a wrong password, a connection that was lost |
//!
//! `premote gdb` and `premote lldb` end with the debugger's status, 128 and the signal where one ended it.

use dbgsrv_client::debug::DebugError;
use std::io;
use thiserror::Error;

/// The status for what could not be done.
pub(crate) const FAILURE: u8 = 1;
/// The status for a command line that asks for something impossible.
pub(crate) const USAGE: u8 = 2;
/// The status for a connection that failed, which is that of ssh(1).
pub(crate) const CONNECTION: u8 = 255;

/// Why the command ends early.
#[derive(Debug, Error)]
pub(crate) enum ExitError {
    /// The connection, or the server's answer.
    #[error(transparent)]
    Client(#[from] dbgsrv_client::Error),
    /// What was asked for can't be done.
    #[error("{0}")]
    Failure(String),
    /// There is no way to a server.
    #[error("{0}")]
    Unreachable(String),
    /// A password is asked for, and there is nobody to give it.
    #[error(
        "{0}, and there is no terminal to ask at; allowed: password-file=, password-env= or password= in CONNECTION"
    )]
    NoTerminal(dbgsrv_client::Error),
    /// A file on the server's machine.
    #[error("{path} on the server: {error}")]
    File {
        /// Which.
        path: String,
        /// Why not.
        error: DebugError,
    },
    /// Standard output takes no more.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
    /// The system refuses what every client needs.
    #[error("{0}")]
    System(io::Error),
    /// The command line is wrong; the text is complete and says how to use it.
    #[error("{0}")]
    Usage(String),
}

impl ExitError {
    /// The exit status that this error ends the command with.
    pub(crate) const fn status(&self) -> u8 {
        use dbgsrv_client::Error;
        match self {
            Self::Usage(_) | Self::Client(Error::Unusable(_) | Error::NotAProcessServer) => USAGE,
            Self::Client(Error::Refused(_) | Error::Open(_)) | Self::Failure(_) | Self::Output(_) | Self::System(_) => {
                FAILURE
            }
            Self::File { error: DebugError::Io(_) | DebugError::Closed, .. }
            | Self::Client(_)
            | Self::NoTerminal(_)
            | Self::Unreachable(_) => CONNECTION,
            Self::File { .. } => FAILURE,
        }
    }

    /// Tells the user.
    pub(crate) fn report(&self) {
        match self {
            // `premote … ps | head`: the reader has what it wanted.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => (),
            Self::Usage(text) => eprintln!("{}", text.trim_end()),
            error => eprintln!("premote: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbgsrv_client::{Error, Failure, FailureKind};

    #[test]
    fn each_error_has_its_status() {
        let server = || "BOX17 port 5005".to_owned();
        let refused = Failure { kind: FailureKind::NotFound, text: "there is no process 7".into() };
        let table = [
            (ExitError::Client(Error::PasswordNeeded { server: server() }), 255),
            (ExitError::Client(Error::WrongPassword { server: server() }), 255),
            (ExitError::NoTerminal(Error::PasswordNeeded { server: server() }), 255),
            (ExitError::Client(Error::Protocol("an answer to nothing")), 255),
            (ExitError::Client(Error::Refused(refused)), 1),
            (ExitError::File { path: "/a".into(), error: DebugError::Closed }, 255),
            (ExitError::File { path: "/a".into(), error: DebugError::ZeroByte { what: "the path" } }, 1),
            (ExitError::Failure("there is such a file".into()), 1),
            (ExitError::Output(io::ErrorKind::StorageFull.into()), 1),
            (ExitError::Client(Error::NotAProcessServer), 2),
            (ExitError::Usage("error: unexpected argument".into()), 2),
        ];
        for (error, status) in table {
            assert_eq!(error.status(), status, "{error}");
        }
    }
}
