//! lldb-server's command lines, for programs that start `lldb-server` and find this program under that name.
//!
//! `lldb-server gdbserver` is one session without a front, as under the name of gdbserver; `lldb-server platform` is this
//! program's own server, told by other options where to listen.

mod gdbserver;
mod place;
mod platform;
mod words;

use crate::exit::{self, ExitError};
use crate::worker::say;
use std::env;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;
use thiserror::Error;

/// The name of the command.
const NAME: &[u8] = b"lldb-server";

/// The version of lldb-server whose command lines these are.
const LIKE: &str = "14.0.6";

const USAGE: &str = "\
Usage:
  lldb-server v[ersion]
  lldb-server g[dbserver] [options]
  lldb-server p[latform] [options]
Invoke a subcommand with --help for its options";

/// The exit status of lldb-server where there is no way to a client.
const NO_CLIENT: u8 = 255;

/// One of the things that lldb-server does.
struct Subcommand {
    /// As far as it has to be written, and the rest in brackets.
    name: &'static str,
    /// What its options are.
    help: &'static str,
}

/// What a subcommand's command line asks for.
#[derive(Debug)]
enum Request<T> {
    /// Its help.
    Help,
    /// To serve, so.
    Serve(T),
}

impl Subcommand {
    /// What a command line asks for beyond help, which is given.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    fn understood<T>(&self, request: Result<Request<T>, String>) -> Result<Option<T>, Failure> {
        match request.map_err(|problem| Failure::Usage(problem, self.name))? {
            Request::Help => {
                // Where stdout is closed, nobody wants to read it.
                let _ = write!(io::stdout(), "{}", self.help);
                Ok(None)
            }
            Request::Serve(request) => Ok(Some(request)),
        }
    }
}

/// Why a subcommand ends early.
#[derive(Debug, Error)]
enum Failure {
    /// There is no way to a client.
    #[error("error: failed to connect to client at '{place}': {reason}")]
    Client { place: String, reason: String },
    /// Anything else.
    #[error("error: {0}")]
    Other(#[from] io::Error),
    /// The command line asks for something impossible.
    #[error("error: {0}\nUse 'lldb-server {1} --help' for a complete list of options.")]
    Usage(String, &'static str),
}

impl Failure {
    const fn status(&self) -> u8 {
        match self {
            Self::Client { .. } => NO_CLIENT,
            // lldb-server ends with 0 where its command line is wrong, which tells nobody anything.
            Self::Other(_) | Self::Usage(..) => exit::FAILURE,
        }
    }
}

impl From<ExitError> for Failure {
    fn from(error: ExitError) -> Self {
        match error {
            ExitError::System(error) => Self::Other(error),
            other => Self::Other(io::Error::other(other)),
        }
    }
}

/// Whether a program that was started as `name` is meant to be lldb-server: `lldb-server`, `lldb-server-14`.
#[must_use]
pub fn is_meant(name: &OsStr) -> bool {
    Path::new(name).file_name().unwrap_or_default().as_bytes().starts_with(NAME)
}

/// Runs with this process's arguments. The exit statuses are lldb-server's, 0, 1 where nothing could be served, and 255
/// where there is no way to a client; but 1 too where the command line is wrong.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let subcommand = arguments.next().unwrap_or_default();
    let done = match subcommand.as_bytes().first() {
        Some(b'g') => gdbserver::run(arguments),
        Some(b'p') => platform::run(arguments),
        // Where lldb-server says it.
        Some(b'v') => {
            say(&format!("lldb version {LIKE} (dbgsrv {})", env!("CARGO_PKG_VERSION")));
            Ok(())
        }
        _ => {
            say(USAGE);
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::from(error.status())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_lldb_server_is_installed_under_are_known() {
        for name in ["lldb-server", "/usr/bin/lldb-server", "lldb-server-14", "lldb-server-14.0.6"] {
            assert!(is_meant(OsStr::new(name)), "{name}");
        }
        for name in ["dbgsrv", "", "lldb", "lldb-server/dbgsrv", "gdbserver"] {
            assert!(!is_meant(OsStr::new(name)), "{name}");
        }
    }
}
