//! One debug session: the front starts it in a process of its own, the worker runs it.
//!
//! The front's half is `spawn` (start, watch, clean up after), the worker's half is [`run()`]; [`Session`] is what
//! passes between them, written and read in one file.

mod client;
mod conversation;
mod file;
mod handover;
mod memory;
mod platform;
mod process;
mod query;
mod recover;
mod registers;
mod run;
mod session;
pub(crate) mod spawn;
mod stop;
mod stream;
mod terms;
mod thread;
mod trace;
mod transfer;
mod voice;

pub(crate) use conversation::Conversation;
pub(crate) use run::converse;
pub use run::run;
pub(crate) use session::inherited;
pub use session::{ARGUMENT, Session, SessionError};
pub use spawn::SessionHost;
pub(crate) use spawn::create_journal;
pub use terms::Terms;
pub(crate) use voice::{Voice, say};

use crate::{exit, telemetry};
use nix::sys::prctl;
use std::ffi::{CStr, OsString};
use std::process::ExitCode;

/// What `ps` and `pgrep` call a worker; without it, it would be named after the link that it is started through. The
/// kernel keeps 15 characters.
const NAME: &CStr = c"dbgsrv-session";

/// Runs this process as a session worker, with the arguments after [`ARGUMENT`].
///
/// To be called first thing in the process: it takes over descriptors by their numbers.
#[must_use]
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    // A name is of no use but to people.
    let _ = prctl::set_name(NAME);
    let session = match Session::inherit(arguments) {
        Ok(session) => session,
        Err(error) => {
            eprintln!("error: {ARGUMENT}: {error}");
            return ExitCode::from(exit::USAGE);
        }
    };
    telemetry::start(&session.log);
    // At the highest level, so that every line carries it whatever the filter lets through.
    let _span = tracing::error_span!("session", id = session.id, peer = %session.peer).entered();
    run(session)
}
