//! Programs that are started and not debugged.
//!
//! Such a program outlives the server and its terminal. As long as the server is there it is the program's parent, since
//! somebody has to take note of its end: in a container there is often no init that would. So each has a thread here
//! that waits for it.

use crate::cli::Creation;
use crate::engine::host::{LaunchFailed, LaunchSettings, find_program_past_links, start_undebugged};
use dbgsrv_protocol::control::{Failure, FailureKind, Program};
use dbgsrv_protocol::ids::Pid;
use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use std::ffi::OsString;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;
use tracing::{info, warn};

/// Stack of a thread that starts a program and waits for its end, in bytes.
const STACK: usize = 256 * 1024;

/// Starts a program that a client asks for; see [`start`].
pub(crate) fn create(program: &Program) -> Result<u32, Failure> {
    start(Order::of(program)?)
}

/// Starts the program of the server's own command line; see [`start`].
pub(crate) fn create_own(creation: &Creation) -> Result<u32, Failure> {
    start(Order::of_command_line(creation)?)
}

/// Starts a program and returns its process id once it runs, or is stopped before its first instruction.
///
/// # Errors
/// Why not, in a sentence; nothing was started then.
fn start(order: Order) -> Result<u32, Failure> {
    let (program, suspended) = (order.program.clone(), order.suspended);
    let (tell, told) = sync_channel(1);
    // A thread of its own, because for a moment it may be the program's tracer, and in the end waits for it.
    let thread = thread::Builder::new().name("created".to_owned()).stack_size(STACK).spawn(move || {
        let started = order.start();
        // The caller waits for nothing else.
        let _ = tell.send(started.clone());
        if let Ok(pid) = started {
            reap(pid);
        }
    });
    let unavailable = |text: String| Failure { kind: FailureKind::System, text };
    thread.map_err(|error| unavailable(format!("no thread can be started: {error}")))?;
    let started = told.recv().unwrap_or_else(|_| Err(unavailable("starting the program broke off".to_owned())));
    match &started {
        Ok(pid) => info!(pid = pid.raw(), ?program, suspended, "started"),
        Err(failure) => warn!(?program, reason = %failure.text, "not started"),
    }
    started.map(|pid| pid.raw() as u32)
}

/// A program to start, looked through.
struct Order {
    settings: LaunchSettings,
    program: OsString,
    arguments: Vec<OsString>,
    suspended: bool,
}

impl Order {
    fn of(program: &Program) -> Result<Self, Failure> {
        let mut words = program.arguments.iter().map(|word| text(word));
        let name = words.next().transpose()?.filter(|name| !name.is_empty());
        let directory = program.directory.as_deref().map(text).transpose()?;
        let mut settings = LaunchSettings::undebugged(directory.map(Into::into));
        for variable in &program.environment {
            let pair = variable.split_once('=').filter(|(name, _)| !name.is_empty());
            let (name, value) = pair.ok_or_else(|| bad_request(format!("`{variable}` is not NAME=VALUE")))?;
            settings.set_variable(text(name)?, Some(text(value)?)).map_err(|error| bad_request(error.to_string()))?;
        }
        Ok(Self {
            settings,
            program: name.ok_or_else(|| bad_request("no program was named".to_owned()))?,
            arguments: words.collect::<Result<_, _>>()?,
            suspended: program.suspended,
        })
    }

    fn of_command_line(creation: &Creation) -> Result<Self, Failure> {
        let (named, arguments) =
            creation.words.split_first().ok_or_else(|| bad_request("no program was named".to_owned()))?;
        let stood_in_for =
            Path::new(named).file_name().is_some_and(|name| Some(name) == creation.past_links.as_deref());
        let program = if stood_in_for {
            find_program_past_links(named).ok_or_else(|| no_other(named))?.into_os_string()
        } else {
            named.clone()
        };
        let settings = LaunchSettings::undebugged(None);
        Ok(Self { settings, program, arguments: arguments.to_vec(), suspended: creation.suspended })
    }

    fn start(&self) -> Result<Pid, Failure> {
        start_undebugged(&self.settings, &self.program, &self.arguments, self.suspended)
            .map_err(|failed| Failure { kind: kind(&failed), text: sentence(&failed) })
    }
}

/// A word that the system takes.
fn text(word: &str) -> Result<OsString, Failure> {
    if word.contains('\0') {
        return Err(bad_request(format!("{word:?} holds a NUL")));
    }
    Ok(word.into())
}

fn no_other(program: &OsString) -> Failure {
    let text = format!("there is no program {} but links to this server", program.display());
    Failure { kind: FailureKind::NotFound, text }
}

fn bad_request(text: String) -> Failure {
    Failure { kind: FailureKind::BadRequest, text }
}

fn kind(failed: &LaunchFailed) -> FailureKind {
    match failed {
        LaunchFailed::DirectoryMissing(_) | LaunchFailed::InterpreterMissing { .. } | LaunchFailed::NotFound(_) => {
            FailureKind::NotFound
        }
        LaunchFailed::Denied { .. } | LaunchFailed::MountedNoExec(_) | LaunchFailed::NotExecutable(_) => {
            FailureKind::NotPermitted
        }
        LaunchFailed::System { errno: Errno::EPERM, .. } => FailureKind::NotPermitted,
        _ => FailureKind::System,
    }
}

/// The engine's sentence, without what only helps in a debugger.
fn sentence(failed: &LaunchFailed) -> String {
    match failed {
        LaunchFailed::DirectoryMissing(path) => {
            format!("the working directory {} does not exist on the server's machine", path.display())
        }
        LaunchFailed::NotADirectory(path) => format!("the working directory {} is not a directory", path.display()),
        LaunchFailed::NotFound(path) => format!("there is no program {} on the server's machine", path.display()),
        failed => failed.to_string(),
    }
}

/// Waits for a program's end.
fn reap(pid: Pid) {
    loop {
        match waitpid(nix::unistd::Pid::from_raw(pid.raw()), None) {
            Err(Errno::EINTR) => {}
            Ok(WaitStatus::Exited(_, status)) => return info!(pid = pid.raw(), status, "a started program has ended"),
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                return info!(pid = pid.raw(), %signal, "a started program was killed");
            }
            outcome => return warn!(pid = pid.raw(), ?outcome, "nothing is known of the end of a started program"),
        }
    }
}

#[cfg(test)]
mod tests;
