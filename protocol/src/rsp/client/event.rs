//! Stop replies as they come from a server: what [`stop`] writes, taken apart.

use alloc::vec::Vec;

use super::super::breakpoint::Kind;
use super::super::packet::hex;
use super::super::signal::Signal;
use super::super::stop;
use super::super::thread::{Selector, ThreadSelector};
use super::super::{field, process};
use crate::ids::{Pid, ThreadId};
use crate::limits::MAX_EXPEDITED_REGISTERS;

/// Something that happened to a process. [`stop::Event`] is the same borrowed, see [`Event::lend`].
///
/// Where the server names no process, it is the one that was attached to or stopped last, or else that of which the
/// thread would be the leader.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// `W`: it ended by itself.
    Exited {
        /// Which process.
        pid: Pid,
        /// Its exit status, 0 to 255.
        status: u8,
    },
    /// `N`: nothing is left that could stop.
    NoResumed,
    /// `X`: a signal ended it.
    Signaled {
        /// Which process.
        pid: Pid,
        /// The signal.
        signal: Signal,
    },
    /// `T` or `S`: one of its threads stopped, and all others with it.
    Stopped(Stop),
    /// `w`: a thread ended (`QThreadEvents`).
    ThreadExited {
        /// Which thread.
        thread: ThreadId,
        /// Its exit status.
        status: u8,
    },
}

/// A stopped thread.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stop {
    /// Which thread.
    pub thread: ThreadId,
    /// The signal, SIGTRAP for breakpoints and steps, 0 where none is meant.
    pub signal: Signal,
    /// Why.
    pub reason: Reason,
    /// Registers that came along: number in the target description, bytes in target order.
    pub registers: Vec<(u32, Vec<u8>)>,
    /// The processor it ran on last.
    pub core: Option<u32>,
}

/// Why a thread stopped. The variants are those of [`stop::Reason`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// A thread came up (`QThreadEvents`).
    Create,
    /// It runs another program now.
    Exec {
        /// The program's path.
        path: Vec<u8>,
    },
    /// It forked this child.
    Fork(ThreadId),
    /// A hardware breakpoint.
    HardwareBreakpoint,
    /// The list of libraries has changed.
    Library,
    /// A signal, a step, an attach: the signal says all.
    Signal,
    /// A software breakpoint. The PC is at the breakpoint's address.
    SoftwareBreakpoint,
    /// It enters this system call (`QCatchSyscalls`).
    SyscallEntry(i64),
    /// It returns from this system call.
    SyscallReturn(i64),
    /// As `Fork`, by `vfork`.
    Vfork(ThreadId),
    /// The child of a `vfork` is done with its parent's memory.
    VforkDone,
    /// A watchpoint.
    Watchpoint {
        /// Which kind.
        kind: Kind,
        /// The address that was given to `Z`, or one within its range.
        address: u64,
    },
}

impl Event {
    /// The event in `body`; `None` if it is none.
    pub(super) fn parse(body: &[u8], home: Option<Pid>) -> Option<Self> {
        let (letter, rest) = body.split_first()?;
        match letter {
            b'N' if rest.is_empty() => Some(Self::NoResumed),
            b'S' | b'T' => {
                let (signal, items) = rest.split_at_checked(2)?;
                let signal = Signal(field::whole_as(signal)?);
                Stop::parse(signal, items, home).map(Self::Stopped)
            }
            b'W' => end(rest, home).map(|(pid, status)| Self::Exited { pid, status }),
            b'X' => end(rest, home).map(|(pid, signal)| Self::Signaled { pid, signal: Signal(signal) }),
            b'w' => {
                let (status, thread) = field::split_at(rest, b';')?;
                let thread = complete(ThreadSelector::whole(thread)?, home)?;
                // A thread's status is as wide as a pointer in some servers; its last byte is what `exit` was given.
                Some(Self::ThreadExited { thread, status: field::whole(status)? as u8 })
            }
            _ => None,
        }
    }

    /// The process that the event belongs to, where it belongs to one.
    #[must_use]
    pub const fn process(&self) -> Option<Pid> {
        match self {
            Self::Exited { pid, .. } | Self::Signaled { pid, .. } => Some(*pid),
            Self::NoResumed => None,
            Self::Stopped(stop) => Some(stop.thread.pid),
            Self::ThreadExited { thread, .. } => Some(thread.pid),
        }
    }

    /// Gives `receiver` the event in the form that [`super::super::server::Server::handle_event`] takes.
    pub fn lend<R>(&self, receiver: impl FnOnce(&stop::Event<'_>) -> R) -> R {
        let stop = match self {
            Self::Exited { pid, status } => return receiver(&stop::Event::Exited { pid: *pid, status: *status }),
            Self::NoResumed => return receiver(&stop::Event::NoResumed),
            Self::Signaled { pid, signal } => return receiver(&stop::Event::Signaled { pid: *pid, signal: *signal }),
            Self::ThreadExited { thread, status } => {
                return receiver(&stop::Event::ThreadExited { thread: *thread, status: *status });
            }
            Self::Stopped(stop) => stop,
        };
        let registers: Vec<_> = stop.registers.iter().map(|(number, value)| (*number, &value[..])).collect();
        let Stop { thread, signal, core, .. } = *stop;
        let reason = stop.reason.borrow();
        receiver(&stop::Event::Stopped(stop::Stop {
            thread,
            signal,
            reason,
            registers: &registers,
            core,
            surroundings: None,
        }))
    }
}

impl Stop {
    /// The register of that number in the target description, if it came along.
    #[must_use]
    pub fn register(&self, number: u32) -> Option<&[u8]> {
        self.registers.iter().find(|(known, _)| *known == number).map(|(_, value)| &value[..])
    }

    /// Reads the `NAME:VALUE;` after the signal. Names that are not known are passed over.
    fn parse(signal: Signal, items: &[u8], home: Option<Pid>) -> Option<Self> {
        let unnamed = ThreadId { pid: home.or(Pid::new(1))?, tid: home.or(Pid::new(1))?.leader() };
        let mut stop = Self { thread: unnamed, signal, reason: Reason::Signal, registers: Vec::new(), core: None };
        for item in items.split(|byte| *byte == b';').filter(|item| !item.is_empty()) {
            let (name, value) = field::split_at(item, b':')?;
            match name {
                b"thread" => stop.thread = complete(ThreadSelector::whole(value)?, home)?,
                b"core" => stop.core = Some(field::whole_as(value)?),
                _ if name.iter().all(u8::is_ascii_hexdigit) => stop.take_register(name, value)?,
                _ => {
                    if let Some(reason) = Reason::parse(name, value, home)? {
                        stop.reason = reason;
                    }
                }
            }
        }
        Some(stop)
    }

    fn take_register(&mut self, number: &[u8], value: &[u8]) -> Option<()> {
        let number = field::whole_as(number)?;
        // One that can't be read comes as `xx`: the same as none.
        if !value.contains(&b'x') && self.registers.len() < MAX_EXPEDITED_REGISTERS {
            self.registers.push((number, bytes(value)?));
        }
        Some(())
    }
}

impl Reason {
    /// The reason of that name. `None`: the value makes no sense; `Some(None)`: it is not known.
    #[expect(clippy::option_option, reason = "that a name is not known is no failure")]
    fn parse(name: &[u8], value: &[u8], home: Option<Pid>) -> Option<Option<Self>> {
        let thread = || ThreadSelector::whole(value).and_then(|thread| complete(thread, home));
        let watch = |kind| field::whole(value).map(|address| Self::Watchpoint { kind, address });
        let call = || field::whole(value).map(|number| number as i64);
        Some(Some(match name {
            b"create" => Self::Create,
            b"exec" => Self::Exec { path: bytes(value)? },
            b"fork" => Self::Fork(thread()?),
            b"hwbreak" => Self::HardwareBreakpoint,
            b"library" => Self::Library,
            b"swbreak" => Self::SoftwareBreakpoint,
            b"syscall_entry" => Self::SyscallEntry(call()?),
            b"syscall_return" => Self::SyscallReturn(call()?),
            b"vfork" => Self::Vfork(thread()?),
            b"vforkdone" => Self::VforkDone,
            b"watch" => watch(Kind::WriteWatch)?,
            b"rwatch" => watch(Kind::ReadWatch)?,
            b"awatch" => watch(Kind::AccessWatch)?,
            _ => return Some(None),
        }))
    }

    fn borrow(&self) -> stop::Reason<'_> {
        match self {
            Self::Create => stop::Reason::Create,
            Self::Exec { path } => stop::Reason::Exec { path },
            Self::Fork(child) => stop::Reason::Fork(*child),
            Self::HardwareBreakpoint => stop::Reason::HardwareBreakpoint,
            Self::Library => stop::Reason::Library,
            Self::Signal => stop::Reason::Signal,
            Self::SoftwareBreakpoint => stop::Reason::SoftwareBreakpoint,
            Self::SyscallEntry(number) => stop::Reason::SyscallEntry(*number),
            Self::SyscallReturn(number) => stop::Reason::SyscallReturn(*number),
            Self::Vfork(child) => stop::Reason::Vfork(*child),
            Self::VforkDone => stop::Reason::VforkDone,
            // Servers do not say which register.
            Self::Watchpoint { kind, address } => {
                stop::Reason::Watchpoint { kind: *kind, address: *address, register: 0 }
            }
        }
    }
}

/// `VALUE` or `VALUE;process:PID` after `W` or `X`.
fn end(text: &[u8], home: Option<Pid>) -> Option<(Pid, u8)> {
    let (value, pid) = match field::split_at(text, b';') {
        Some((value, rest)) => (value, process::pid(rest.strip_prefix(b"process:")?)?),
        None => (text, home.or(Pid::new(1))?),
    };
    Some((pid, field::whole_as(value)?))
}

fn bytes(text: &[u8]) -> Option<Vec<u8>> {
    let mut text = text.to_vec();
    let length = hex::decode_in_place(&mut text)?.len();
    text.truncate(length);
    Some(text)
}

/// The one thread that `thread` means; `None` if it means several. Where it names no process, that is `home`, or else the
/// one whose leader the thread would be.
pub(super) fn complete(thread: ThreadSelector, home: Option<Pid>) -> Option<ThreadId> {
    match (thread.process, thread.thread) {
        (Selector::One(pid), Selector::One(tid)) => Some(ThreadId { pid, tid }),
        (Selector::Any, Selector::One(tid)) => Some(ThreadId { pid: home.or_else(|| Pid::new(tid.raw()))?, tid }),
        _ => None,
    }
}
