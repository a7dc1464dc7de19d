//! The front's half of a session worker: start it, watch it, end it.

use super::recover::recover;
use super::session::{ARGUMENT, arguments};
use crate::engine::journal;
use crate::telemetry::LogOptions;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, ftruncate};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use tokio::process::{Child, Command};
use tracing::{info, warn};

/// This program, even where its file was replaced or removed while it runs (`proc_pid_exe(5)`).
const SELF: &str = "/proc/self/exe";
/// What a worker is called in the list of processes.
const NAME: &str = "dbgsrv";

/// A running session worker.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    /// Shared with the worker, and kept here for the case that it can't clean up itself.
    journal: OwnedFd,
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// It ended its session by itself and left every process as the rules say.
    Ended,
    /// It gave up, with an exit status other than 0.
    Failed(i32),
    /// A signal ended it.
    Killed(i32),
}

impl Outcome {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(0), _) => Self::Ended,
            (Some(code), _) => Self::Failed(code),
            (None, signal) => Self::Killed(signal.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended => f.write_str("ended"),
            Self::Failed(code) => write!(f, "failed with exit status {code}"),
            Self::Killed(signal) => match Signal::try_from(*signal) {
                Ok(name) => write!(f, "killed by {name}"),
                Err(_) => write!(f, "killed by signal {signal}"),
            },
        }
    }
}

impl Worker {
    /// Starts a worker for session `id` on `stream`. From then on the caller neither reads nor writes there: it drops its
    /// own end.
    ///
    /// Call it on the runtime's thread: the worker ends with the thread that started it (`PR_SET_PDEATHSIG`).
    ///
    /// # Errors
    /// What the kernel says, most likely that there is no more memory, process or descriptor to be had.
    pub(crate) fn spawn(id: u64, peer: &str, stream: BorrowedFd<'_>, log: &LogOptions) -> io::Result<Self> {
        let journal = create_journal()?;
        let mut command = Command::new(SELF);
        command.arg0(NAME).arg(ARGUMENT).args(arguments(id, peer, stream, journal.as_fd(), log));
        // The standard descriptors are inherited too: a program that the session starts reads and writes there.
        inherit(&mut command, [stream.as_raw_fd(), journal.as_raw_fd()]);
        Ok(Self { child: command.spawn()?, journal })
    }

    /// The worker's process id, `None` once its end was seen.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for the worker's end. Cancel safe.
    ///
    /// # Errors
    /// What waitid(2) says.
    pub(crate) async fn exited(&mut self) -> io::Result<Outcome> {
        self.child.wait().await.map(Outcome::of)
    }

    /// Asks the worker to end its session, with SIGTERM, or ends it without asking, with SIGKILL.
    pub(crate) fn signal(&self, signal: Signal) {
        // The id is gone once the worker was waited for, so this never hits a later process with the same number.
        let Some(pid) = self.child.id() else { return };
        if let Err(errno) = kill(Pid::from_raw(pid as i32), signal) {
            warn!(pid, %signal, reason = %errno, "cannot signal the session's worker");
        }
    }

    /// Undoes in the session's processes what its dead worker could not.
    pub(crate) async fn clean_up(self) {
        match recover(self.journal).await {
            Ok(processes) if processes.is_empty() => {}
            Ok(processes) => info!(?processes, "took breakpoints out of what the worker had attached to"),
            Err(error) => warn!(reason = %error, "cannot undo what the session's worker had changed"),
        }
    }
}

/// The memory that the journal of a session lives in.
fn create_journal() -> io::Result<OwnedFd> {
    let journal = memfd_create("dbgsrv-journal", MFdFlags::MFD_CLOEXEC)?;
    ftruncate(&journal, journal::SIZE as i64)?;
    Ok(journal)
}

/// Has the process that `command` starts inherit these descriptors, and no other that happens to be started meanwhile.
#[expect(unsafe_code, reason = "only a hook between fork and exec changes the child's descriptors alone")]
fn inherit(command: &mut Command, descriptors: [RawFd; 2]) {
    let keep = move || {
        descriptors.into_iter().try_for_each(|descriptor| {
            // SAFETY: the child has the parent's descriptors, and the parent keeps these open until the child has executed.
            let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
            fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty()))?;
            Ok(())
        })
    };
    // SAFETY: fcntl is a plain system call: it allocates nothing and takes no lock, which is what a child of a process with
    // threads may do before exec.
    unsafe { command.pre_exec(keep) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_ended_only_with_exit_status_0() {
        let cases = [
            (0x0000, Outcome::Ended, "ended"),
            (0x0300, Outcome::Failed(3), "failed with exit status 3"),
            (0x0009, Outcome::Killed(9), "killed by SIGKILL"),
            (0x008b, Outcome::Killed(11), "killed by SIGSEGV"),
            (0x0028, Outcome::Killed(40), "killed by signal 40"),
        ];
        for (raw, outcome, text) in cases {
            assert_eq!(Outcome::of(ExitStatus::from_raw(raw)), outcome);
            assert_eq!(outcome.to_string(), text);
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_descriptor_is_inherited_by_the_process_it_is_for_and_by_no_other() {
        let journal = create_journal().unwrap();
        let mut command = Command::new("test");
        command.args(["-e", &format!("/proc/self/fd/{}", journal.as_raw_fd())]);
        assert!(!command.status().await.unwrap().success());
        inherit(&mut command, [journal.as_raw_fd(); 2]);
        assert!(command.status().await.unwrap().success());
        let flags = FdFlag::from_bits_retain(fcntl(&journal, FcntlArg::F_GETFD).unwrap());
        assert!(flags.contains(FdFlag::FD_CLOEXEC));
    }
}
