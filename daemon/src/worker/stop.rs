//! Stops, as the engine reports them, in the protocol's terms.

use crate::engine::{Engine, Expedited, Report};
use dbgsrv_protocol::rsp::server::{Feature, Features};
use dbgsrv_protocol::rsp::signal::Signal;
use dbgsrv_protocol::rsp::stop::{Event, Reason, Stop, Surroundings};

/// Calls `tell` with a report, for a client that has these features.
pub(super) fn with_event(engine: &mut Engine, report: &Report, features: Features, tell: impl FnOnce(&Event<'_>)) {
    let (thread, signal, reason, path) = match *report {
        Report::Attached { thread, signal } => {
            let (registers, surroundings) = (&[], None);
            let stop = Stop { thread, signal, reason: Reason::Signal, registers, core: None, surroundings };
            return tell(&Event::Stopped(stop));
        }
        Report::Executed { thread } => (thread, Signal::TRAP, None, engine.program(thread.pid).unwrap_or_default()),
        Report::Stopped { thread, signal, reason } => (thread, signal, Some(reason), Vec::new()),
        Report::Exited { pid, status } => return tell(&Event::Exited { pid, status }),
        Report::NoResumed => return tell(&Event::NoResumed),
        Report::Signaled { pid, signal } => return tell(&Event::Signaled { pid, signal }),
        Report::ThreadExited { thread, status } => return tell(&Event::ThreadExited { thread, status }),
    };
    let reason = reason.unwrap_or(Reason::Exec { path: &path });
    if features.has(Feature::Lldb) {
        let around = engine.surroundings(thread);
        let registers: Vec<_> = around.registers.iter().map(Expedited::content).collect();
        let memory: Vec<_> = around.memory.iter().map(|(address, content)| (*address, &content[..])).collect();
        let surroundings = Surroundings { name: &around.name, threads: &around.threads, memory: &memory };
        let surroundings = Some(&surroundings);
        return tell(&Event::Stopped(Stop { thread, signal, reason, registers: &registers, core: None, surroundings }));
    }
    let expedited = engine.expedited(thread);
    let registers = expedited.each_ref().map(Expedited::content);
    tell(&Event::Stopped(Stop { thread, signal, reason, registers: &registers, core: None, surroundings: None }));
}
