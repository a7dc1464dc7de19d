//! Starting programs, under the session's control or on their own.

mod child;
mod settings;
mod streams;
mod undebugged;

pub use self::settings::LaunchSettings;
pub use self::streams::StandardStreams;
pub(crate) use self::undebugged::{find_program_past_links, start_undebugged};

use self::child::Forked;
use self::streams::Streams;
use super::process::Process;
use super::refusal::{LaunchFailed, check_launch, explain_launch};
use super::thread::{State, Stop, Thread};
use super::{Engine, interruptible, ptrace};
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::ids::{Pid, ThreadId, Tid};
use libc::c_int;
use nix::errno::Errno;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Engine {
    /// Starts a program and stops it before its first instruction. A name without a slash is that of a file in the working
    /// directory that it starts in, or else of one in `PATH`.
    ///
    /// # Errors
    /// [`Error::Launch`] with the reason.
    pub fn launch(&mut self, program: &[u8], arguments: &[Vec<u8>]) -> Result<ThreadId> {
        let settings = &self.launch;
        let program = &settings.located(program)[..];
        let path = Path::new(OsStr::from_bytes(program));
        let refused = |errno| Error::from(explain_launch(path, settings.directory.as_deref(), errno));
        check_launch(path, settings.directory.as_deref())?;
        let (command, execs) = settings.command(program, arguments).map_err(refused)?;
        let mut streams = Streams::open(settings)?;
        let pid = start(settings, &command, execs, &streams).map_err(|failure| match failure {
            Failure::System(errno) => refused(errno),
            Failure::Explained(explained) => explained.into(),
        })?;
        let process = Process::new(pid, false)
            .map_err(|error| refused(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)))?;
        let id = ThreadId { pid, tid: pid.leader() };
        let mut thread = Thread::new(id);
        thread.state = State::Stopped(Stop::Trap);
        self.threads.insert(id.tid, thread);
        self.processes.insert(pid, process);
        self.interrupt_owed = false;
        match streams.console.take() {
            Some(console) => self.consoles.add(console),
            None => self.terminal.give_to(pid),
        }
        Ok(id)
    }
}

enum Failure {
    System(Errno),
    Explained(LaunchFailed),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

/// Forks, traces the child, and follows it to the program's first instruction.
fn start(
    settings: &LaunchSettings,
    command: &[CString],
    execs: usize,
    streams: &Streams,
) -> std::result::Result<Pid, Failure> {
    let mut child = Forked::new(settings, &command[0], command, streams.descriptors(), false)?;
    let pid = child.pid;
    match trace(&mut child, execs) {
        Ok(()) => Ok(pid),
        Err(Broken::Refused(errno)) => Err(errno.into()),
        Err(Broken::Ended(status)) => Err(explain(status, settings, command, child)),
    }
}

/// Why a child did not get to the program; it has been reaped.
enum Broken {
    /// It may not be traced.
    Refused(Errno),
    /// It ended with this status.
    Ended(c_int),
}

/// Traces the child and follows it to the program's first instruction.
fn trace(child: &mut Forked, execs: usize) -> std::result::Result<(), Broken> {
    let traced = ptrace::seize(child.pid.leader(), ptrace::OPTIONS | libc::PTRACE_O_EXITKILL);
    if let Err(errno) = traced {
        child.give_up();
        // The only thing that can come of it is its end.
        let _ = interruptible::wait_for(child.pid.leader());
        return Err(Broken::Refused(errno));
    }
    child.go();
    follow(child.pid, execs).map_err(Broken::Ended)
}

/// Why a child ended before it ran the program.
fn explain(status: c_int, settings: &LaunchSettings, command: &[CString], mut child: Forked) -> Failure {
    if let Some(errno) = child.failure() {
        return errno.into();
    }
    // The shell says it with its exit status (POSIX, XCU 2.8.2).
    let errno = match libc::WEXITSTATUS(status) {
        126 => Errno::EACCES,
        127 => Errno::ENOENT,
        _ => Errno::ENOEXEC,
    };
    let line = command.last().map(|line| line.to_bytes()).unwrap_or_default();
    let program = line.strip_prefix(b"exec ").unwrap_or(line);
    let program = program.split(|&byte| byte == b' ').next().unwrap_or_default();
    let unquoted: Vec<u8> = program.iter().copied().filter(|&byte| byte != b'\'').collect();
    let directory = settings.directory.as_deref();
    Failure::Explained(explain_launch(Path::new(OsStr::from_bytes(&unquoted)), directory, errno))
}

/// Follows a child through its execs; its status where it ends instead.
fn follow(pid: Pid, mut execs: usize) -> std::result::Result<(), c_int> {
    let tid = pid.leader();
    loop {
        let status = interruptible::wait_for(tid).map_err(|_| 127 << 8)?;
        if !libc::WIFSTOPPED(status) {
            return Err(status);
        }
        let signal = match status >> 16 {
            libc::PTRACE_EVENT_EXEC => {
                execs -= 1;
                if execs == 0 {
                    return Ok(());
                }
                0
            }
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                release_child(tid);
                0
            }
            0 => libc::WSTOPSIG(status),
            _ => 0,
        };
        // Where it has been killed its end is the next status.
        let _ = ptrace::cont(tid, signal);
    }
}

/// Lets a child go that the shell forked while it started.
fn release_child(tid: Tid) {
    if let Some(child) = ptrace::event_message(tid).ok().and_then(|tid| Tid::new(tid as i32))
        && interruptible::wait_for(child).is_ok()
    {
        let _ = ptrace::detach(child, 0);
    }
}
