//! The engine for Linux, on ptrace (ptrace(2)).
//!
//! One thread owns an [`Engine`], since ptrace binds debuggees to the thread that traces them. Whatever asks for
//! several stops in a row (attach, stop all threads, step over a breakpoint) is written around two facts:
//! a thread is either running or in a ptrace stop, and only [`events`] turns the one into the other's end.

mod allocate;
pub(crate) mod arch;
mod attach;
mod births;
mod breakpoints;
mod consoles;
pub(crate) mod doctor;
mod ends;
mod events;
mod files;
pub(crate) mod host;
mod inspect;
pub(crate) mod interruptible;
pub mod journal;
mod launch;
mod memory;
mod names;
mod non_stop;
pub(crate) mod objects;
pub(crate) mod platform;
mod points;
mod process;
pub(crate) mod process_info;
mod ptrace;
pub(crate) mod refusal;
mod regions;
mod registers;
mod resume;
mod step_over;
mod stop;
mod surroundings;
mod syscalls;
mod terminal;
#[cfg(test)]
pub(crate) mod test_program;
mod thread;
mod tls;
mod tracing;
mod unattended;

pub use arch::debug_registers::SLOTS as WATCHPOINTS;
pub use attach::Ending;
pub use events::Wait;
pub use inspect::Expedited;
pub use launch::{LaunchSettings, StandardStreams};
pub use refusal::{AttachRefused, LaunchFailed, Obstacle, Remedy, Tracer};
pub use regions::MemoryRegion;
pub use surroundings::Surroundings;
pub use syscalls::Catch;

use crate::engine::error::{Error, Result};
use crate::engine::trace::Tracing;
use consoles::Consoles;
use dbgsrv_protocol::ids::{Pid, ThreadId, Tid};
use dbgsrv_protocol::rsp::description::Dialect;
use dbgsrv_protocol::rsp::resume::Action;
use dbgsrv_protocol::rsp::signal::Signal;
use dbgsrv_protocol::rsp::stop::Reason;
use dbgsrv_protocol::rsp::thread::{Selector, ThreadSelector};
use journal::Journal;
use process::Process;
use std::collections::{BTreeMap, VecDeque};
use terminal::Terminal;
use thread::Thread;

/// What the engine tells of its debuggees.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// In non-stop mode: a thread of a process that was attached to stands still. The client may not know yet which
    /// registers it has.
    Attached {
        /// Which one.
        thread: ThreadId,
        /// The signal that the client may deliver, or none.
        signal: Signal,
    },
    /// A process runs a new program; [`Engine::program`] names it.
    Executed {
        /// The thread that is left, the leader.
        thread: ThreadId,
    },
    /// A process ended by itself.
    Exited {
        /// Which one.
        pid: Pid,
        /// Its exit status.
        status: u8,
    },
    /// Every thread that was to run has ended, or none was.
    NoResumed,
    /// A signal ended a process.
    Signaled {
        /// Which one.
        pid: Pid,
        /// The signal.
        signal: Signal,
    },
    /// A thread that is not a process's last one ended; reported only if [`Engine::set_thread_events`] asks for it.
    ThreadExited {
        /// Which one.
        thread: ThreadId,
        /// Its exit status.
        status: u8,
    },
    /// A thread stopped.
    Stopped {
        /// Which one.
        thread: ThreadId,
        /// The signal that the client may deliver, or SIGTRAP.
        signal: Signal,
        /// Why.
        reason: Reason<'static>,
    },
}

/// Which stops the client wants to hear of, beside the ordinary ones.
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Interests {
    /// New programs.
    pub exec: bool,
    /// Forks.
    pub fork: bool,
    /// Breakpoint instructions of the program's own are reported like the client's, with the PC on them.
    pub swbreak: bool,
    /// Forks that borrow the parent's memory, and the end of the loan.
    pub vfork: bool,
    /// The signal that the client's interrupt is told as; `None`: SIGINT.
    pub interrupt: Option<Signal>,
}

/// The debuggees of one session.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each holds or not whatever the others do")]
pub struct Engine {
    processes: BTreeMap<Pid, Process>,
    threads: BTreeMap<Tid, Thread>,
    /// Stops of threads whose birth their parent has not reported yet.
    unborn: BTreeMap<Tid, i32>,
    /// Threads of processes that the client has let go, which could not be stopped for that, or whose end is still to come.
    leaving: Vec<Tid>,
    /// Reports that are ready.
    reports: VecDeque<Report>,
    /// What commands of breakpoints have printed.
    output: Vec<u8>,
    /// The client has resumed threads and not been told of a stop since.
    owed: bool,
    /// Threads stop one by one.
    non_stop: bool,
    /// The client wants to know of threads that come and go.
    thread_events: bool,
    /// How many threads are not in a ptrace stop.
    running: usize,
    /// The threads that the client has resumed, running or held.
    moving: Vec<Tid>,
    /// What threads do that come up meanwhile; `None`: stand still.
    newcomers: Option<Action>,
    /// The thread that the client's interrupt was sent to.
    breaking_in: Option<Tid>,
    /// The client's interrupt found nothing to stop, or another stop came first: it holds for the next resume.
    interrupt_owed: bool,
    /// Threads that stopped for a SIGTRAP of ours, and whether that was a step, see [`Engine::rest`].
    restless: Vec<(Tid, bool)>,
    /// All threads are being stopped: none may be resumed.
    holding: bool,
    /// The thread that is stepped over the breakpoint at an address while the others are held.
    stepping_over: Option<(Tid, u64)>,
    /// Signals that go to the program without a stop, by Linux number.
    pass_signals: u128,
    /// Signals that the program gets when the session ends with them on their way; `None`: all but SIGTRAP.
    program_signals: Option<u128>,
    interests: Interests,
    /// How the client counts registers.
    pub dialect: Dialect,
    tracing: Tracing,
    /// The process whose tracepoints they are.
    traced: Option<Pid>,
    /// What programs are started with.
    pub launch: LaunchSettings,
    journal: Journal,
    terminal: Terminal,
    /// Those that programs were started on, of this session.
    consoles: Consoles,
}

impl Engine {
    /// An engine without debuggees that notes in `journal` what it changes in those it attaches to.
    ///
    /// # Errors
    /// What installing the handler of SIGIO fails with.
    pub fn new(journal: Journal) -> Result<Self> {
        interruptible::install_handler()?;
        Ok(Self {
            processes: BTreeMap::new(),
            threads: BTreeMap::new(),
            unborn: BTreeMap::new(),
            leaving: Vec::new(),
            reports: VecDeque::new(),
            output: Vec::new(),
            owed: false,
            non_stop: false,
            thread_events: false,
            running: 0,
            moving: Vec::new(),
            newcomers: None,
            breaking_in: None,
            interrupt_owed: false,
            restless: Vec::new(),
            holding: false,
            stepping_over: None,
            pass_signals: 0,
            program_signals: None,
            interests: Interests::default(),
            dialect: Dialect::Gdb,
            tracing: Tracing::default(),
            traced: None,
            launch: LaunchSettings::default(),
            journal,
            terminal: Terminal::default(),
            consoles: Consoles::default(),
        })
    }

    /// Chooses which extra stops are reported.
    pub fn set_interests(&mut self, interests: Interests) {
        self.interests = interests;
    }

    /// Gives these signals to the program without a stop.
    pub fn set_pass_signals(&mut self, signals: impl Iterator<Item = Signal>) {
        self.pass_signals = signal_set(signals);
    }

    /// Stops threads at their first instruction, and reports their ends.
    pub fn set_thread_events(&mut self, wanted: bool) {
        self.thread_events = wanted;
    }

    /// Whether any thread runs, so that waiting makes sense.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running > 0 || !self.reports.is_empty() || !self.output.is_empty()
    }

    /// Whether there is a debuggee.
    #[must_use]
    pub fn has_processes(&self) -> bool {
        !self.processes.is_empty()
    }

    /// The debuggees.
    pub fn processes(&self) -> impl Iterator<Item = Pid> {
        self.processes.keys().copied()
    }

    /// All threads of all debuggees.
    pub fn threads(&self) -> impl Iterator<Item = ThreadId> {
        self.threads.values().filter(|thread| thread.announced).map(|thread| thread.id)
    }

    /// Whether the session attached to a process, rather than creating it.
    ///
    /// # Errors
    /// [`Error::NoProcess`].
    pub fn was_attached(&self, pid: Option<Pid>) -> Result<bool> {
        let pid = pid.or_else(|| self.processes.keys().next().copied()).ok_or(Error::NoProcess)?;
        Ok(self.process(pid)?.attached)
    }

    /// The thread that a request means; where it leaves the choice, the first one of the process.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`].
    pub fn select(&self, selector: ThreadSelector) -> Result<ThreadId> {
        if self.processes.is_empty() {
            return Err(Error::NoProcess);
        }
        if let Selector::One(tid) = selector.thread {
            let thread = self.threads.get(&tid).filter(|thread| selector.admits(thread.id));
            return thread.map(|thread| thread.id).ok_or(Error::NoThread);
        }
        self.threads().find(|&id| selector.admits(id)).ok_or(Error::NoThread)
    }

    /// As [`Engine::select`], but where the choice is left, `current` counts if it is among the threads meant.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoThread`].
    pub fn select_near(&self, selector: ThreadSelector, current: ThreadSelector) -> Result<ThreadId> {
        let near = self.select(current).ok().filter(|&id| selector.admits(id));
        near.map_or_else(|| self.select(selector), Ok)
    }

    fn process(&self, pid: Pid) -> Result<&Process> {
        self.processes.get(&pid).ok_or(Error::NoProcess)
    }

    fn process_mut(&mut self, pid: Pid) -> Result<&mut Process> {
        self.processes.get_mut(&pid).ok_or(Error::NoProcess)
    }

    /// The process that a request about memory means.
    fn process_of(&self, selector: ThreadSelector) -> Result<&Process> {
        if let Selector::One(pid) = selector.process {
            return self.process(pid);
        }
        self.process(self.select(selector)?.pid)
    }

    /// A thread in a ptrace stop, and its process.
    fn stopped(&mut self, selector: ThreadSelector) -> Result<(&mut Thread, &Process)> {
        let id = self.select(selector)?;
        let thread = self.threads.get_mut(&id.tid).ok_or(Error::NoThread)?;
        if !thread.is_stopped() {
            return Err(Error::Running);
        }
        Ok((thread, self.processes.get(&id.pid).ok_or(Error::NoProcess)?))
    }
}

fn bit(signal: i32) -> u128 {
    1_u128.checked_shl(signal as u32).unwrap_or(0)
}

/// By Linux number. Where GDB has two names for one of Linux's signals (SIGIO and SIGPOLL), the one that stops have counts.
fn signal_set(signals: impl Iterator<Item = Signal>) -> u128 {
    let numbers = signals.filter_map(|signal| signal.to_linux().filter(|number| Signal::from_linux(*number) == signal));
    numbers.fold(0, |set, number| set | bit(number))
}
