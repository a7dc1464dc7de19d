//! Stop replies and events: `T`, `S`, `W`, `X`, `N` (GDB manual, "Stop Reply Packets").

pub(crate) mod lldb;

use alloc::vec::Vec;

pub use self::lldb::Surroundings;

use super::breakpoint::Kind;
use super::field;
use super::packet::hex;
use super::server::{Capabilities, Capability, Feature, Features};
use super::signal::Signal;
use super::thread::put_thread;
use crate::ids::{Pid, ThreadId};

/// Something that a client is told about a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event<'a> {
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
    /// `T`: one of its threads stopped, and in all-stop mode all others with it.
    Stopped(Stop<'a>),
    /// `w`: a thread ended (`QThreadEvents`).
    ThreadExited {
        /// Which thread.
        thread: ThreadId,
        /// Its exit status.
        status: u8,
    },
}

/// A stopped thread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stop<'a> {
    /// Which thread.
    pub thread: ThreadId,
    /// The signal, SIGTRAP for breakpoints and steps, 0 where none is meant.
    pub signal: Signal,
    /// Why.
    pub reason: Reason<'a>,
    /// Registers that the client is about to ask for: number in the target description, bytes in target order.
    pub registers: &'a [(u32, &'a [u8])],
    /// The processor it ran on last.
    pub core: Option<u32>,
    /// What LLDB wants to be told besides. With it, the stop is written in LLDB's dialect for clients that speak it.
    pub surroundings: Option<&'a Surroundings<'a>>,
}

/// Why a thread stopped, as far as the client said that it understands the reason. The machine drops the ones
/// whose feature the client did not announce (`swbreak+`, `hwbreak+`, `fork-events+`, …).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason<'a> {
    /// `create`: a thread came up (`QThreadEvents`).
    Create,
    /// `exec:PATH`.
    Exec {
        /// The new program's path.
        path: &'a [u8],
    },
    /// `fork:CHILD`.
    Fork(ThreadId),
    /// `hwbreak`.
    HardwareBreakpoint,
    /// `library`.
    Library,
    /// A signal, an attach: the signal says all.
    Signal,
    /// A step is done. GDB is told the signal only.
    Step,
    /// `swbreak`. The PC is at the breakpoint's address.
    SoftwareBreakpoint,
    /// `syscall_entry:NUMBER`.
    SyscallEntry(i64),
    /// `syscall_return:NUMBER`.
    SyscallReturn(i64),
    /// `vfork:CHILD`.
    Vfork(ThreadId),
    /// `vforkdone`.
    VforkDone,
    /// `watch`, `rwatch` or `awatch`.
    Watchpoint {
        /// Which kind.
        kind: Kind,
        /// The address that the client gave to `Z`, or one within its range.
        address: u64,
        /// Which of the processor's debug registers watches it; only LLDB is told.
        register: u8,
    },
}

impl Event<'_> {
    /// Appends the body of the stop reply, as a client with these `features` understands it.
    pub fn emit(&self, out: &mut Vec<u8>, features: Features) {
        self.emit_within(out, features, Capabilities::ALL);
    }

    /// The stop reply of a server that does without some of it ([`Capability::StopDetails`], [`Capability::StopThread`]).
    pub fn emit_within(&self, out: &mut Vec<u8>, features: Features, capabilities: Capabilities) {
        let multiprocess = features.names_processes();
        match self {
            Self::Exited { pid, status } => put_end(out, b'W', *status, *pid, multiprocess),
            Self::NoResumed => out.push(b'N'),
            Self::Signaled { pid, signal } => {
                put_end(out, b'X', features.numbering().write(*signal), *pid, multiprocess);
            }
            Self::Stopped(stop) => stop.emit(out, features, capabilities),
            Self::ThreadExited { thread, status } => {
                out.push(b'w');
                field::put_number(out, (*status).into());
                out.push(b';');
                put_thread(out, *thread, multiprocess);
            }
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
}

impl Event<'_> {
    /// The thread that stopped, and the one that the client learns of with its stop.
    pub(super) const fn threads(&self) -> [Option<ThreadId>; 2] {
        match self {
            Self::Stopped(stop) => {
                let child = match stop.reason {
                    Reason::Fork(child) | Reason::Vfork(child) => Some(child),
                    _ => None,
                };
                [Some(stop.thread), child]
            }
            _ => [None; 2],
        }
    }
}

/// `W` or `X`.
fn put_end(out: &mut Vec<u8>, letter: u8, value: u8, pid: Pid, multiprocess: bool) {
    out.push(letter);
    field::put_byte(out, value);
    if multiprocess {
        out.extend_from_slice(b";process:");
        field::put_number(out, pid.raw() as u64);
    }
}

impl Stop<'_> {
    fn emit(&self, out: &mut Vec<u8>, features: Features, capabilities: Capabilities) {
        let signal = features.numbering().write(self.signal);
        if !capabilities.has(Capability::StopDetails) {
            out.push(b'S');
            return field::put_byte(out, signal);
        }
        out.push(b'T');
        field::put_byte(out, signal);
        if let Some(surroundings) = self.surroundings.filter(|_| features.has(Feature::Lldb)) {
            return lldb::emit(self, surroundings, out, features);
        }
        // The thread comes first: GDB has to know whose registers follow.
        if capabilities.has(Capability::StopThread) {
            out.extend_from_slice(b"thread:");
            put_thread(out, self.thread, features.has(Feature::Multiprocess));
            out.push(b';');
        }
        if let Some(core) = self.core {
            out.extend_from_slice(b"core:");
            field::put_number(out, core.into());
            out.push(b';');
        }
        self.reason.emit(out, features);
        put_registers(out, self.registers);
    }
}

fn put_registers(out: &mut Vec<u8>, registers: &[(u32, &[u8])]) {
    for (number, value) in registers {
        // Below 16 the leading zero tells a register from the names that start with a hex digit.
        if *number < 0x10 {
            out.push(b'0');
        }
        field::put_number(out, (*number).into());
        out.push(b':');
        hex::encode(out, value);
        out.push(b';');
    }
}

impl Reason<'_> {
    /// The feature without which the client would not understand the reason.
    const fn feature(&self) -> Option<Feature> {
        match self {
            Self::Exec { .. } => Some(Feature::ExecEvents),
            Self::Fork(_) => Some(Feature::ForkEvents),
            Self::HardwareBreakpoint => Some(Feature::HardwareBreak),
            Self::SoftwareBreakpoint => Some(Feature::SoftwareBreak),
            Self::Vfork(_) | Self::VforkDone => Some(Feature::VforkEvents),
            Self::Create
            | Self::Library
            | Self::Signal
            | Self::Step
            | Self::SyscallEntry(_)
            | Self::SyscallReturn(_)
            | Self::Watchpoint { .. } => None,
        }
    }

    fn emit(&self, out: &mut Vec<u8>, features: Features) {
        if self.feature().is_some_and(|feature| !features.has(feature)) {
            return;
        }
        let name: &[u8] = match self {
            Self::Create => b"create:",
            Self::Exec { .. } => b"exec:",
            Self::Fork(_) => b"fork:",
            Self::HardwareBreakpoint => b"hwbreak:",
            Self::Library => b"library:",
            Self::Signal | Self::Step => return,
            Self::SoftwareBreakpoint => b"swbreak:",
            Self::SyscallEntry(_) => b"syscall_entry:",
            Self::SyscallReturn(_) => b"syscall_return:",
            Self::Vfork(_) => b"vfork:",
            Self::VforkDone => b"vforkdone:",
            Self::Watchpoint { kind: Kind::ReadWatch, .. } => b"rwatch:",
            Self::Watchpoint { kind: Kind::AccessWatch, .. } => b"awatch:",
            Self::Watchpoint { .. } => b"watch:",
        };
        out.extend_from_slice(name);
        match self {
            Self::Exec { path } => hex::encode(out, path),
            Self::Fork(child) | Self::Vfork(child) => put_thread(out, *child, features.has(Feature::Multiprocess)),
            Self::SyscallEntry(number) | Self::SyscallReturn(number) => field::put_number(out, *number as u64),
            Self::Watchpoint { address, .. } => field::put_number(out, *address),
            _ => {}
        }
        out.push(b';');
    }
}

#[cfg(test)]
mod tests {
    use std::string::String;

    use super::*;
    use crate::ids::Tid;

    fn id(pid: i32, tid: i32) -> ThreadId {
        ThreadId { pid: Pid::new(pid).unwrap(), tid: Tid::new(tid).unwrap() }
    }

    /// Everything that GDB understands.
    fn gdb() -> Features {
        Features::ALL.without(Feature::Lldb)
    }

    fn text(event: &Event<'_>, features: Features) -> String {
        let mut out = Vec::new();
        event.emit(&mut out, features);
        String::from_utf8(out).unwrap()
    }

    fn stop<'a>(reason: Reason<'a>, registers: &'a [(u32, &'a [u8])]) -> Event<'a> {
        Event::Stopped(Stop {
            thread: id(0x10, 0x1f),
            signal: Signal::TRAP,
            reason,
            registers,
            core: Some(12),
            surroundings: None,
        })
    }

    #[test]
    fn a_server_that_does_without_threads_or_details_leaves_them_out() {
        let event = Event::Stopped(Stop {
            thread: id(0x10, 0x1f),
            signal: Signal::TRAP,
            reason: Reason::SoftwareBreakpoint,
            registers: &[],
            core: None,
            surroundings: None,
        });
        let text = |missing| {
            let mut out = Vec::new();
            event.emit_within(&mut out, gdb(), Capabilities::ALL.without(missing));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(Capability::StopThread), "T05swbreak:;");
        assert_eq!(text(Capability::StopDetails), "S05");
    }

    #[test]
    fn a_stop_has_thread_core_reason_and_registers() {
        let event = stop(Reason::SoftwareBreakpoint, &[(6, &[1, 2]), (0x10, &[0xff])]);
        assert_eq!(text(&event, gdb()), "T05thread:p10.1f;core:c;swbreak:;06:0102;10:ff;");
        assert_eq!(text(&event, Features::NONE), "T05thread:1f;core:c;06:0102;10:ff;");
    }

    #[test]
    fn every_reason_is_written_as_the_manual_has_it() {
        let watch = |kind| Reason::Watchpoint { kind, address: 0x7fff, register: 1 };
        for (reason, all, none) in [
            (Reason::Create, "create:;", "create:;"),
            (Reason::Exec { path: b"/a" }, "exec:2f61;", ""),
            (Reason::Fork(id(2, 2)), "fork:p2.2;", ""),
            (Reason::HardwareBreakpoint, "hwbreak:;", ""),
            (Reason::Library, "library:;", "library:;"),
            (Reason::Signal, "", ""),
            (Reason::Step, "", ""),
            (Reason::SyscallEntry(0x3b), "syscall_entry:3b;", "syscall_entry:3b;"),
            (Reason::SyscallReturn(1), "syscall_return:1;", "syscall_return:1;"),
            (Reason::Vfork(id(2, 2)), "vfork:p2.2;", ""),
            (Reason::VforkDone, "vforkdone:;", ""),
            (watch(Kind::WriteWatch), "watch:7fff;", "watch:7fff;"),
            (watch(Kind::ReadWatch), "rwatch:7fff;", "rwatch:7fff;"),
            (watch(Kind::AccessWatch), "awatch:7fff;", "awatch:7fff;"),
        ] {
            assert_eq!(text(&stop(reason, &[]), gdb()), std::format!("T05thread:p10.1f;core:c;{all}"));
            assert_eq!(text(&stop(reason, &[]), Features::NONE), std::format!("T05thread:1f;core:c;{none}"));
        }
    }

    #[test]
    fn ends_name_the_process_only_to_clients_that_know_of_several() {
        let pid = Pid::new(0x10).unwrap();
        let exited = Event::Exited { pid, status: 3 };
        let signaled = Event::Signaled { pid, signal: Signal::KILL };
        let thread = Event::ThreadExited { thread: id(0x10, 0x11), status: 0 };
        assert_eq!(text(&exited, gdb()), "W03;process:10");
        assert_eq!(text(&exited, Features::NONE), "W03");
        assert_eq!(text(&signaled, gdb()), "X09;process:10");
        assert_eq!(text(&thread, gdb()), "w0;p10.11");
        assert_eq!(text(&Event::NoResumed, gdb()), "N");
        assert_eq!(exited.process(), Some(pid));
    }
}
