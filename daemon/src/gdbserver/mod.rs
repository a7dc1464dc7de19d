//! gdbserver's command line, for programs that start `gdbserver` and find this program under that name.
//!
//! There is no front here: this process is the session's worker, and serves one client after another. So it is for
//! lldb-server's command line, which shares all but the words with this one.

mod cli;
pub(crate) mod comm;
pub(crate) mod entrance;
mod pump;
pub(crate) mod serve;

use crate::exit;
use crate::worker::say;
use cli::Request;
use comm::Comm;
use entrance::Entrance;
use serve::Options;
use std::env;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

/// The name of the command.
const NAME: &[u8] = b"gdbserver";

/// Whether a program that was started as `name` is meant to be gdbserver: `gdbserver`, `gdbserver-13`,
/// `x86_64-linux-gnu-gdbserver`.
#[must_use]
pub fn is_meant(name: &OsStr) -> bool {
    let name = Path::new(name).file_name().unwrap_or_default().as_bytes();
    name.starts_with(NAME) || name.strip_suffix(NAME).is_some_and(|before| before.ends_with(b"-"))
}

/// Runs with this process's arguments. The exit statuses are gdbserver's: 0, whatever becomes of the program, and 1 where
/// nothing could be served.
#[must_use]
pub fn main() -> ExitCode {
    let done = match cli::parse(env::args_os().skip(1)) {
        Ok(Request::Print(text)) => {
            // Where stdout is closed, nobody wants to read it.
            let _ = write!(io::stdout(), "{text}");
            Ok(())
        }
        Ok(Request::Serve(options)) => serve(&options).inspect_err(|error| say(&format!("{error}\nExiting"))),
        Err(error) => {
            say(&error.to_string());
            Err(error)
        }
    };
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILURE) }
}

fn serve(options: &Options) -> io::Result<()> {
    let entrance = Entrance::take(&options.comm)?;
    if options.comm == Comm::Stdio {
        say("stdin/stdout redirected");
    }
    serve::serve(options, entrance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_gdbserver_is_installed_under_are_known() {
        for name in ["gdbserver", "/usr/bin/gdbserver", "gdbserver-13", "gdbserver64", "x86_64-linux-gnu-gdbserver"] {
            assert!(is_meant(OsStr::new(name)), "{name}");
        }
        for name in ["dbgsrv", "", "/", "mygdbserver", "gdb", "gdbserver/dbgsrv"] {
            assert!(!is_meant(OsStr::new(name)), "{name}");
        }
    }
}
