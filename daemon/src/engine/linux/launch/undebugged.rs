//! Starting programs that nobody debugs, yet.

use super::child::Forked;
use super::streams::nothing;
use super::{Broken, LaunchSettings, trace};
use crate::engine::linux::ptrace;
use crate::engine::linux::refusal::{LaunchFailed, check_launch, explain_launch};
use dbgsrv_protocol::ids::Pid;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::{self, AccessFlags, access};
use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where programs are searched without a `PATH`, as execvp(3) does.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Starts `program`, searched in the server's `PATH` where it has no slash, and returns once it runs: in a session of its
/// own, with nothing to read, and with nothing of the server's but its output. It is a child of this process, which has
/// to wait for it. `suspended` leaves it stopped, as by SIGSTOP, before its first instruction.
///
/// For that the calling thread traces it for a moment; otherwise the system's rules of tracing don't matter.
///
/// # Errors
/// [`LaunchFailed`]; nothing runs then, and nothing has to be waited for.
pub(crate) fn start_undebugged(
    settings: &LaunchSettings,
    program: &OsStr,
    arguments: &[OsString],
    suspended: bool,
) -> Result<Pid, LaunchFailed> {
    let directory = settings.directory.as_deref();
    let path = find_program(program, directory).ok_or_else(|| LaunchFailed::NotFound(program.into()))?;
    check_launch(&path, directory)?;
    start(settings, &path, program, arguments, suspended).map_err(|errno| explain_launch(&path, directory, errno))
}

fn start(
    settings: &LaunchSettings,
    path: &Path,
    program: &OsStr,
    arguments: &[OsString],
    suspended: bool,
) -> Result<Pid, Errno> {
    let words = std::iter::once(program).chain(arguments.iter().map(OsString::as_os_str));
    let words = words.map(|word| CString::new(word.as_bytes())).collect::<Result<Vec<_>, _>>();
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    let nothing = nothing()?;
    let streams = [Some(nothing.as_fd()), None, None];
    let mut child = Forked::new(settings, &path, &words.map_err(|_| Errno::EINVAL)?, streams, true)?;
    if suspended { suspend(&mut child) } else { release(&mut child) }?;
    Ok(child.pid)
}

/// Lets the child run the program.
fn release(child: &mut Forked) -> Result<(), Errno> {
    child.go();
    let Some(errno) = child.failure() else { return Ok(()) };
    // It has said what it has to say, and ends.
    while waitpid(unistd::Pid::from_raw(child.pid.raw()), None) == Err(Errno::EINTR) {}
    Err(errno)
}

/// Lets the child get to the program, and leaves it stopped there.
fn suspend(child: &mut Forked) -> Result<(), Errno> {
    trace(child, 1).map_err(|broken| match broken {
        Broken::Refused(errno) => errno,
        Broken::Ended(_) => child.failure().unwrap_or(Errno::ENOEXEC),
    })?;
    let pid = unistd::Pid::from_raw(child.pid.raw());
    // A signal given with the detach is for threads that were stopped by one, and this was not. Sent, it is the first
    // thing that the thread finds on its way to the program. Both fail only where it has been killed.
    let _ = kill(pid, Signal::SIGSTOP);
    let _ = ptrace::detach(child.pid.leader(), 0);
    // The status is left for who waits for the end.
    let stopped = WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    while waitid(Id::Pid(pid), stopped) == Err(Errno::EINTR) {}
    Ok(())
}

/// The path of a program; `None` for a name without a slash that nothing in `PATH` fits.
fn find_program(program: &OsStr, directory: Option<&Path>) -> Option<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Some(program.into());
    }
    let here = directory.unwrap_or_else(|| Path::new(""));
    candidates(Path::new(program)).into_iter().find(|candidate| is_program(&here.join(candidate)))
}

/// As [`find_program`] in the server's directory, past what leads to the very executable that this process runs: the
/// links by which it stands in for the program. Of a path that does, the file name is searched.
pub(crate) fn find_program_past_links(program: &OsStr) -> Option<PathBuf> {
    let own = fs::metadata("/proc/self/exe").ok();
    let is_own = |path: &Path| {
        let found = fs::metadata(path).ok();
        own.as_ref().zip(found).is_some_and(|(own, found)| (own.dev(), own.ino()) == (found.dev(), found.ino()))
    };
    if program.as_bytes().contains(&b'/') && !is_own(Path::new(program)) {
        return Some(program.into());
    }
    let name = Path::new(program).file_name()?;
    candidates(Path::new(name)).into_iter().find(|candidate| is_program(candidate) && !is_own(candidate))
}

/// Where a program of this name may be.
fn candidates(name: &Path) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    env::split_paths(&path)
        // An empty entry is the working directory; what is found there needs a slash to be no name any more.
        .map(|entry| if entry.as_os_str().is_empty() { Path::new(".").join(name) } else { entry.join(name) })
        .collect()
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::journal::{self, Journal};
    use crate::engine::linux::objects::auxv;
    use crate::engine::{Engine, Report, Wait};
    use dbgsrv_protocol::rsp::resume::Actions;
    use nix::sys::memfd::{MFdFlags, memfd_create};
    use nix::unistd::ftruncate;
    use std::fs::File;
    use std::os::unix::fs::FileExt;
    use std::process::Command;

    const AT_BASE: u64 = 7;
    const AT_ENTRY: u64 = 9;
    /// Where an ELF header of 64 bits has `e_entry`.
    const ENTRY: u64 = 24;

    fn words(bytes: &[u8]) -> Vec<u64> {
        bytes.as_chunks().0.iter().map(|word| u64::from_ne_bytes(*word)).collect()
    }

    /// The first instruction of a process: its dynamic linker's where it has one.
    fn entry(pid: Pid) -> u64 {
        let vector = words(&auxv(pid).expect("a vector"));
        let value = |key| vector.as_chunks().0.iter().find(|[name, _]| *name == key).map_or(0, |[_, value]| *value);
        let base = value(AT_BASE);
        if base == 0 {
            return value(AT_ENTRY);
        }
        let mut entry = [0; 8];
        let memory = File::open(format!("/proc/{pid}/mem")).expect("its memory");
        memory.read_exact_at(&mut entry, base + ENTRY).expect("a header");
        base + u64::from_ne_bytes(entry)
    }

    /// Where a stopped process stands: the last field of `syscall` (`proc_pid_syscall(5)`).
    fn pc(pid: Pid) -> u64 {
        let text = fs::read_to_string(format!("/proc/{pid}/syscall")).expect("it is stopped");
        let field = text.trim_end().rsplit("0x").next().expect("a field");
        u64::from_str_radix(field, 16).expect("an address")
    }

    #[test]
    fn a_debugger_finds_a_suspended_program_at_its_entry_and_runs_it() {
        // The engine takes the signals and children of its whole process, so it gets one to itself.
        let test = "engine::linux::launch::undebugged::tests::debug_a_suspended_program";
        let output = Command::new("/proc/self/exe").args(["--exact", test, "--ignored"]).output().expect("a process");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }

    #[test]
    #[ignore = "has a process to itself, in which the test above runs it"]
    fn debug_a_suspended_program() {
        let settings = LaunchSettings::undebugged(None);
        let arguments = ["-c".into(), "exit 7".into()];
        let pid = start_undebugged(&settings, OsStr::new("sh"), &arguments, true).expect("sh is there");
        let memory = memfd_create("journal", MFdFlags::MFD_CLOEXEC).expect("memory");
        ftruncate(&memory, journal::SIZE as i64).expect("room");
        let mut engine = Engine::new(Journal::map(&memory).expect("a journal")).expect("an engine");
        assert_eq!(pc(pid), entry(pid));
        engine.attach(pid).expect("nobody traces it");
        assert_eq!(pc(pid), entry(pid));
        let everybody_continues = Actions::parse(b"c").expect("an action");
        for _ in 0..10 {
            engine.resume(everybody_continues, None).expect("it stands still");
            if let Wait::Report(Report::Exited { status, .. }) = engine.wait() {
                assert_eq!(status, 7);
                return;
            }
        }
        panic!("it stops again and again");
    }
}
