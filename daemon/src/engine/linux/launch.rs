//! Starting programs under the session's control.

use super::process::Process;
use super::refusal::{LaunchFailed, check_launch, explain_launch};
use super::thread::{State, Stop, Thread};
use super::{Engine, interruptible, ptrace};
use crate::engine::error::{Error, Result};
use dbgsrv_protocol::ids::{Pid, ThreadId, Tid};
use libc::{c_char, c_int};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What programs are started with.
#[derive(Clone, Debug)]
pub struct LaunchSettings {
    /// Switches address space randomization off.
    pub disable_randomization: bool,
    /// Where the program starts; `None`: in the server's directory.
    pub directory: Option<PathBuf>,
    /// Differences from the server's environment; `None`: not set.
    environment: BTreeMap<OsString, Option<OsString>>,
    /// Starts the program through `$SHELL`, or `/bin/sh`.
    pub shell: bool,
}

impl Default for LaunchSettings {
    fn default() -> Self {
        Self { disable_randomization: true, directory: None, environment: BTreeMap::new(), shell: true }
    }
}

/// Most bytes of names and values that a client may set, [`PER_VARIABLE`] for each counted in: the kernel takes less than
/// 6 MiB from execve(2) in any case.
const MAX_ENVIRONMENT: usize = 1 << 20;
/// What a variable takes beside its name and value.
const PER_VARIABLE: usize = 64;

impl LaunchSettings {
    /// Sets a variable of the program's environment to `value`, or removes it (`None`).
    ///
    /// # Errors
    /// [`Error::TooMany`] where that and what was set before is too much for any program.
    pub fn set_variable(&mut self, name: OsString, value: Option<OsString>) -> Result<()> {
        let size = |name: &OsString, value: &Option<OsString>| {
            PER_VARIABLE + name.len() + value.as_ref().map_or(0, |value| value.len())
        };
        let held: usize = self.environment.iter().map(|(name, value)| size(name, value)).sum();
        if held + size(&name, &value) > MAX_ENVIRONMENT {
            return Err(Error::TooMany("environment variables"));
        }
        self.environment.insert(name, value);
        Ok(())
    }

    /// Forgets what was set or removed.
    pub fn reset_environment(&mut self) {
        self.environment.clear();
    }

    /// The program's environment as `NAME=VALUE` strings.
    fn environment(&self) -> Vec<CString> {
        let mut all: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        for (name, value) in &self.environment {
            match value {
                Some(value) => all.insert(name.clone(), value.clone()),
                None => all.remove(name),
            };
        }
        let join = |(name, value): (OsString, OsString)| [name.as_bytes(), b"=", value.as_bytes()].concat();
        all.into_iter().filter_map(|entry| CString::new(join(entry)).ok()).collect()
    }

    /// The command that is executed first, and how many execs it takes to get to the program.
    fn command(&self, program: &[u8], arguments: &[Vec<u8>]) -> std::result::Result<(Vec<CString>, usize), Errno> {
        let words = || std::iter::once(program).chain(arguments.iter().map(Vec::as_slice));
        let (words, execs) = if self.shell {
            let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
            let line = words().fold(b"exec".to_vec(), |line, word| [&line[..], b" ", &quoted(word)].concat());
            (vec![shell.into_vec(), b"-c".to_vec(), line], 2)
        } else {
            (words().map(<[u8]>::to_vec).collect(), 1)
        };
        let words = words.into_iter().map(CString::new).collect::<std::result::Result<_, _>>();
        Ok((words.map_err(|_| Errno::EINVAL)?, execs))
    }
}

/// A word that the shell takes as it is.
fn quoted(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(byte);
    if !word.is_empty() && word.iter().all(plain) {
        return word.to_vec();
    }
    let escaped: Vec<u8> =
        word.iter().flat_map(|&byte| if byte == b'\'' { b"'\\''".to_vec() } else { vec![byte] }).collect();
    [b"'", &escaped[..], b"'"].concat()
}

impl Engine {
    /// Starts a program and stops it before its first instruction.
    ///
    /// # Errors
    /// [`Error::Launch`] with the reason.
    pub fn launch(&mut self, program: &[u8], arguments: &[Vec<u8>]) -> Result<ThreadId> {
        let settings = &self.launch;
        let path = Path::new(OsStr::from_bytes(program));
        let refused = |errno| Error::from(explain_launch(path, settings.directory.as_deref(), errno));
        check_launch(path, settings.directory.as_deref())?;
        let (command, execs) = settings.command(program, arguments).map_err(refused)?;
        let pid = start(settings, &command, execs).map_err(|failure| match failure {
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
        self.terminal.give_to(pid);
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
fn start(settings: &LaunchSettings, command: &[CString], execs: usize) -> std::result::Result<Pid, Failure> {
    let environment = settings.environment();
    let directory = settings.directory.as_ref().map(|path| CString::new(path.as_os_str().as_bytes()));
    let directory = directory.transpose().map_err(|_| Errno::EINVAL)?;
    let (go_read, go_write) = pipe2(OFlag::O_CLOEXEC)?;
    let (error_read, error_write) = pipe2(OFlag::O_CLOEXEC)?;
    let child = Child {
        arguments: &pointers(command),
        environment: &pointers(&environment),
        directory: directory.as_deref(),
        disable_randomization: settings.disable_randomization,
        go: go_read.as_raw_fd(),
        error: error_write.as_raw_fd(),
    };
    let pid = fork(&child)?;
    drop((go_read, error_write));
    let traced = ptrace::seize(pid.leader(), ptrace::OPTIONS | libc::PTRACE_O_EXITKILL);
    // Not told to go, the child ends by itself.
    traced?;
    let _ = File::from(go_write).write_all(b"g");
    follow(pid, execs).map_err(|status| explain(status, settings, command, error_read))?;
    Ok(pid)
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
}

/// Why a child ended before it ran the program.
fn explain(status: c_int, settings: &LaunchSettings, command: &[CString], error: OwnedFd) -> Failure {
    let mut number = [0; 4];
    if File::from(error).read_exact(&mut number).is_ok() {
        return Errno::from_raw(i32::from_ne_bytes(number)).into();
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

/// All that the child needs after the fork, ready: it must not allocate.
struct Child<'a> {
    arguments: &'a [*const c_char],
    environment: &'a [*const c_char],
    directory: Option<&'a CStr>,
    disable_randomization: bool,
    /// Says when the tracer is there.
    go: RawFd,
    /// Takes the errno of what failed.
    error: RawFd,
}

#[expect(unsafe_code, reason = "fork, and the few calls that are allowed between fork and exec")]
fn fork(child: &Child<'_>) -> std::result::Result<Pid, Errno> {
    // SAFETY: the child calls async-signal-safe functions only, and never returns.
    match unsafe { libc::fork() } {
        // SAFETY: this is the child.
        0 => unsafe { child.run() },
        pid => Pid::new(Errno::result(pid)?).ok_or(Errno::EAGAIN),
    }
}

#[expect(unsafe_code, reason = "the few calls that are allowed between fork and exec")]
impl Child<'_> {
    /// # Safety
    /// Only in a forked child.
    unsafe fn run(&self) -> ! {
        // SAFETY: system calls on values that were made ready before the fork.
        unsafe {
            // A group of its own: what a terminal sends to the server's group is not meant for the program.
            libc::setpgid(0, 0);
            // The Rust runtime ignores it, and that would be inherited.
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            // So would the mask of a session's thread.
            let mut mask = std::mem::zeroed();
            libc::sigemptyset(&raw mut mask);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const mask, std::ptr::null_mut());
            let mut byte = 0_u8;
            if libc::read(self.go, (&raw mut byte).cast(), 1) != 1 {
                libc::_exit(127);
            }
            let entered = self.directory.is_none_or(|directory| libc::chdir(directory.as_ptr()) == 0);
            if entered {
                if self.disable_randomization {
                    let current = libc::personality(0xffff_ffff);
                    libc::personality((current | libc::ADDR_NO_RANDOMIZE) as libc::c_ulong);
                }
                libc::execvpe(self.arguments[0], self.arguments.as_ptr(), self.environment.as_ptr());
            }
            let errno = *libc::__errno_location();
            libc::write(self.error, (&raw const errno).cast(), size_of::<c_int>());
            libc::_exit(127)
        }
    }
}
