//! The front's half of a session worker: start it, watch it, end it.

use super::handover;
use super::recover::recover;
use super::run;
use super::session::{ARGUMENT, arguments, block};
use super::terms::Terms;
use crate::engine::interruptible;
use crate::exit;
use crate::telemetry::LogOptions;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::socket::{Shutdown, shutdown};
use nix::unistd::{Pid, ftruncate, gettid};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, mpsc};
use std::thread;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tracing::{Span, error, info, warn};

/// What a worker is called in the list of processes.
const NAME: &str = "dbgsrv";

/// Where debug sessions run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SessionHost {
    /// Each in a process of its own, for which this `dbgsrv` is executed: whatever a session does is its own.
    Processes(PathBuf),
    /// Each on a thread of this process. SIGIO is used then, and what debuggees need of this process's rights and limits.
    Threads,
}

impl SessionHost {
    /// Processes of this program, even where its file was replaced or removed while it runs (`proc_pid_exe(5)`). Only for
    /// a program that passes [`super::ARGUMENT`] to [`super::main`], as `dbgsrv` does.
    #[must_use]
    pub fn this_program() -> Self {
        Self::Processes("/proc/self/exe".into())
    }
}

/// A running session worker.
#[derive(Debug)]
pub(crate) struct Worker {
    body: Body,
    /// Shared with the worker, and kept here for the case that it can't clean up itself.
    journal: Arc<OwnedFd>,
}

#[derive(Debug)]
enum Body {
    Process(Child),
    Thread {
        id: u32,
        /// The session's own; shutting it down ends the session.
        stream: OwnedFd,
        /// Sent at the session's end; broken off where it panics.
        outcome: oneshot::Receiver<Outcome>,
    },
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
    /// `siblings` are the [`Self::memory`] of the other sessions of its client.
    ///
    /// Call it on the runtime's thread: a worker that is a process ends with the thread that started it
    /// (`PR_SET_PDEATHSIG`).
    ///
    /// # Errors
    /// What the kernel says, most likely that there is no more memory, process or descriptor to be had.
    pub(crate) fn spawn(
        host: &SessionHost,
        id: u64,
        peer: &str,
        terms: Terms,
        stream: BorrowedFd<'_>,
        siblings: &[Arc<OwnedFd>],
        log: &LogOptions,
    ) -> io::Result<Self> {
        let journal = create_journal()?;
        handover::give(&journal, siblings.iter().map(Arc::as_ref));
        let body = match host {
            SessionHost::Processes(program) => {
                let mut command = Command::new(program);
                command.arg0(NAME).arg(ARGUMENT).args(arguments(id, peer, terms, stream, journal.as_fd(), log));
                // The standard descriptors are inherited too: a program that the session starts reads and writes there.
                inherit(&mut command, [stream.as_raw_fd(), journal.as_raw_fd()]);
                Body::Process(command.spawn()?)
            }
            SessionHost::Threads => start_thread(id, terms, stream.try_clone_to_owned()?, journal.try_clone()?)?,
        };
        Ok(Self { body, journal: Arc::new(journal) })
    }

    /// What traces the session's processes: the id of the worker's process, or of its thread. `None` once the end of the
    /// process was seen.
    pub(crate) fn tracer(&self) -> Option<u32> {
        match &self.body {
            Body::Process(child) => child.id(),
            Body::Thread { id, .. } => Some(*id),
        }
    }

    /// What it shares with the front.
    pub(crate) fn memory(&self) -> &Arc<OwnedFd> {
        &self.journal
    }

    /// Waits for the worker's end. Cancel safe; not to be called again after that.
    ///
    /// # Errors
    /// What waitid(2) says.
    pub(crate) async fn exited(&mut self) -> io::Result<Outcome> {
        match &mut self.body {
            Body::Process(child) => child.wait().await.map(Outcome::of),
            // A panic has said on stderr what it was.
            Body::Thread { outcome, .. } => Ok(outcome.await.unwrap_or_else(|_| Outcome::Failed(exit::FAILURE.into()))),
        }
    }

    /// Asks the worker to end its session, with SIGTERM, or ends it without asking, with SIGKILL. A thread can only be
    /// asked.
    pub(crate) fn signal(&self, signal: Signal) {
        match &self.body {
            Body::Process(child) => {
                // The id is gone once the worker was waited for, so this never hits a later process with the same number.
                let Some(pid) = child.id() else { return };
                if let Err(errno) = kill(Pid::from_raw(pid as i32), signal) {
                    warn!(pid, %signal, reason = %errno, "cannot signal the session's worker");
                }
            }
            Body::Thread { id, stream, .. } => {
                // Where the client has closed it already, the session ends of that.
                let _ = shutdown(stream.as_raw_fd(), Shutdown::Both);
                interruptible::wake(*id);
            }
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

/// Starts a session on a thread of this process.
fn start_thread(id: u64, terms: Terms, stream: OwnedFd, journal: OwnedFd) -> io::Result<Body> {
    block(&stream)?;
    let ours = stream.try_clone()?;
    // Before anybody can wake the thread: what its signal does to a process without a handler is to end it.
    interruptible::install_handler()?;
    let (started, tracer) = mpsc::sync_channel(1);
    let (ended, outcome) = oneshot::channel();
    let span = Span::current();
    thread::Builder::new().name(format!("session {id}")).spawn(move || {
        let _span = span.entered();
        only_input_signals();
        let _ = started.send(gettid().as_raw() as u32);
        let outcome = match run::serve(stream, journal, terms) {
            Ok(()) => Outcome::Ended,
            Err(error) => {
                error!(reason = %error, "the session cannot be served");
                Outcome::Failed(exit::FAILURE.into())
            }
        };
        // Nobody waits for it where the server has not waited any longer.
        let _ = ended.send(outcome);
    })?;
    let id = tracer.recv().map_err(io::Error::other)?;
    Ok(Body::Thread { id, stream: ours, outcome })
}

/// Leaves the signals of the process to its other threads; what says that the stream has input is sent to this one alone.
fn only_input_signals() {
    let mut others = SigSet::all();
    others.remove(Signal::SIGIO);
    // With valid arguments it can't fail.
    let _ = others.thread_set_mask();
}

/// The memory that a session shares with the front: its journal, and what is handed over to it and by it.
pub(crate) fn create_journal() -> io::Result<OwnedFd> {
    let journal = memfd_create("dbgsrv-journal", MFdFlags::MFD_CLOEXEC)?;
    ftruncate(&journal, handover::MEMORY as i64)?;
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
    async fn a_session_on_a_thread_may_be_ended_before_it_has_begun() {
        for id in 0..50 {
            let (_client, stream) = std::os::unix::net::UnixStream::pair().unwrap();
            let log = LogOptions::default();
            let mut worker =
                Worker::spawn(&SessionHost::Threads, id, "test", Terms::default(), stream.as_fd(), &[], &log).unwrap();
            worker.signal(Signal::SIGTERM);
            assert_eq!(worker.exited().await.unwrap(), Outcome::Ended);
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
