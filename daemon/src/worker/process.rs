//! Processes: `!`, `?`, `vRun`, `vAttach`, `vKill`, `k`, `D`, `R`, `qAttached`, `A`, `qProcessInfo` and others of LLDB's.

use super::conversation::{Conversation, finish, refuse};
use super::session::name_of;
use crate::engine::error::{Error, Result};
use crate::engine::host::Awaited;
use crate::engine::{AttachRefused, Engine, Report, Tracer};
use dbgsrv_protocol::ids::{Pid, ThreadId};
use dbgsrv_protocol::rsp::process::{Absent, Request};
use dbgsrv_protocol::rsp::server::{Feature, Reply};
use dbgsrv_protocol::rsp::signal::Signal;
use dbgsrv_protocol::rsp::stop::{Event, Reason, Stop};
use dbgsrv_protocol::rsp::thread::ThreadSelector;
use std::mem;
use std::os::unix::ffi::OsStringExt;
use tracing::warn;

pub(super) fn answer(session: &mut Conversation, thread: ThreadSelector, request: Request<'_>, reply: Reply<'_>) {
    match request {
        Request::Attach(pid) => {
            let attached = session.engine.attach(pid).map_err(name_holder);
            if session.non_stop && attached.is_ok() {
                // The stops follow, one for each thread.
                note(session, &attached, None);
                session.engine.report_attached(pid);
                return reply.ok();
            }
            session.untouched = session.engine.processes().count() == 1;
            arrived(session, attached, None, reply);
        }
        Request::AttachByName { name, absent } => attach_by_name(session, name, absent, reply),
        Request::Detach(pid) => {
            let detached = current(session, pid).and_then(|pid| detach(session, pid, Engine::detach));
            finish(detached, reply);
        }
        Request::DetachStopped(pid) => finish(detach(session, pid, Engine::detach_stopped), reply),
        Request::ExtendedMode => {
            session.extended = true;
            reply.ok();
        }
        Request::Info => match session.engine.facts(thread) {
            Ok(facts) => reply.debuggee(&facts),
            Err(error) => refuse(&error, reply),
        },
        Request::Kill(pid) => {
            session.last = None;
            finish(session.engine.kill(pid), reply);
        }
        Request::KillAll => {
            kill_all(session);
            reply.ok();
        }
        Request::Launch { program, arguments } => {
            let arguments = arguments.iter().map(<[u8]>::to_vec).collect();
            session.engine.launch.shell = false;
            let (launched, program) = run(session, program, arguments);
            note(session, &launched, Some(&program));
            session.last = launched.as_ref().ok().map(|&thread| stopped(thread, Signal::STOP));
            finish(launched.map(drop), reply);
        }
        Request::LaunchSucceeded => match &session.refusal {
            Some(why) if !session.engine.has_processes() => reply.launch_failed(why),
            _ => reply.ok(),
        },
        Request::Restart => {
            kill_all(session);
            if let Some((program, arguments)) = session.program.clone() {
                session.choose_streams();
                let launched = session.engine.launch(&program, &arguments);
                note(session, &launched, Some(&program));
                session.last = launched.ok().map(|thread| stopped(thread, Signal::TRAP));
            }
            reply.ok();
        }
        Request::Run { program, arguments } => {
            let arguments = arguments.iter().map(<[u8]>::to_vec).collect();
            if reply.features().has(Feature::Lldb) {
                // It starts a shell itself where its user wants one.
                session.engine.launch.shell = false;
            }
            let (launched, program) = run(session, program, arguments);
            arrived(session, launched, Some(&program), reply);
        }
        Request::Status if session.non_stop => {
            if mem::take(&mut session.untouched) {
                // As after gdbserver's --attach. GDB 13 aborts where it is told of several threads here.
                session.engine.let_others_run();
            }
            let standing = session.engine.standing().collect::<Vec<_>>();
            let (signal, reason) = (Signal::NONE, Reason::Signal);
            let stop = |thread| Stop { thread, signal, reason, registers: &[], core: None, surroundings: None };
            reply.events(standing.into_iter().map(|thread| Event::Stopped(stop(thread))));
        }
        Request::Status => {
            session.untouched = false;
            match status(session) {
                Some(report) => session.reply_report(&report, reply),
                None => reply.exited(),
            }
        }
        Request::SupportsDetachStopped => reply.ok(),
        Request::WasAttached(pid) => match session.engine.was_attached(pid) {
            Ok(attached) => reply.attached(attached),
            Err(error) => refuse(&error, reply),
        },
    }
}

/// Attaches to the process that runs a program of this name, or waits until there is one.
fn attach_by_name(session: &mut Conversation, name: &[u8], absent: Absent, reply: Reply<'_>) {
    let mut awaited = match Awaited::new(name) {
        Ok(awaited) => awaited,
        Err(error) => return refuse(&error, reply),
    };
    match absent {
        Absent::WaitForNew => awaited.pass_over_present(),
        Absent::Refuse | Absent::Wait => {
            let found = awaited.find();
            if absent == Absent::Refuse || !matches!(found, Err(Error::NoSuchName(_))) {
                let attached = found.and_then(|pid| session.engine.attach(pid).map_err(name_holder));
                return arrived(session, attached, None, reply);
            }
        }
    }
    session.awaited = Some(awaited);
    reply.defer();
}

/// Looks for the process that the client waits for, and attaches to it; `None`: it is not there yet.
pub(super) fn look_for_awaited(session: &mut Conversation) -> Option<Result<Report>> {
    let found = match session.awaited.as_mut()?.find() {
        Err(Error::NoSuchName(_)) => return None,
        found => found,
    };
    session.awaited = None;
    let attached = found.and_then(|pid| session.engine.attach(pid).map_err(name_holder));
    note(session, &attached, None);
    Some(attached.map(|thread| stopped(thread, signal_at_attach(session, thread, true))))
}

fn detach(session: &mut Conversation, pid: Pid, detach: fn(&mut Engine, Pid) -> Result<()>) -> Result<()> {
    session.last = None;
    detach(&mut session.engine, pid)?;
    session.voice.detached(pid);
    Ok(())
}

/// Says which session it is that holds a process already: to the engine it is but a process.
fn name_holder(error: Error) -> Error {
    match error {
        Error::Attach(AttachRefused::AlreadyTraced { pid, tracer: Tracer::Session { pid: worker } }) => {
            let tracer = name_of(worker)
                .map_or(Tracer::Session { pid: worker }, |(number, peer)| Tracer::NamedSession { number, peer });
            Error::Attach(AttachRefused::AlreadyTraced { pid, tracer })
        }
        error => error,
    }
}

/// What `?` answers: the last stop, or any thread's if that one is gone.
fn status(session: &Conversation) -> Option<Report> {
    let alive = |thread: &ThreadId| session.engine.threads().any(|id| id == *thread);
    match &session.last {
        Some(Report::Stopped { thread, .. } | Report::Executed { thread }) if alive(thread) => session.last.clone(),
        _ => session.engine.threads().next().map(|thread| stopped(thread, Signal::NONE)),
    }
}

fn stopped(thread: ThreadId, signal: Signal) -> Report {
    Report::Stopped { thread, signal, reason: Reason::Signal }
}

fn run(session: &mut Conversation, program: &[u8], arguments: Vec<Vec<u8>>) -> (Result<ThreadId>, Vec<u8>) {
    let program = if program.is_empty() {
        let last = session.program.as_ref().map(|(last, _)| last.clone());
        last.or_else(|| session.client.program().map(|path| path.into_os_string().into_vec()))
    } else {
        Some(program.to_vec())
    };
    let Some(program) = program else { return (Err(Error::NoProgram), Vec::new()) };
    session.choose_streams();
    let launched = session.engine.launch(&program, &arguments);
    session.program = Some((program.clone(), arguments));
    (launched, program)
}

/// Answers with the first stop of a process that was started, or attached to: then without a program.
fn arrived(session: &mut Conversation, result: Result<ThreadId>, program: Option<&[u8]>, reply: Reply<'_>) {
    note(session, &result, program);
    match result {
        Ok(thread) => {
            let lldb = reply.features().has(Feature::Lldb);
            let signal = match program {
                // As LLDB's own server says it.
                Some(_) if lldb => Signal::STOP,
                Some(_) => Signal::TRAP,
                None => signal_at_attach(session, thread, lldb),
            };
            session.reply_report(&stopped(thread, signal), reply);
        }
        Err(error) => refuse(&error, reply),
    }
}

/// The signal that a process was about to get when it was attached to, or none, which LLDB's own server says as SIGSTOP.
fn signal_at_attach(session: &mut Conversation, thread: ThreadId, lldb: bool) -> Signal {
    match session.engine.take_signal_at_attach(thread) {
        Signal::NONE if lldb => Signal::STOP,
        signal => signal,
    }
}

fn note(session: &mut Conversation, result: &Result<ThreadId>, program: Option<&[u8]>) {
    match result {
        Ok(thread) => session.voice.arrived(thread.pid, program),
        Err(error) => {
            warn!(%error, "refused");
            session.refusal = Some(error.to_string());
        }
    }
}

fn current(session: &Conversation, pid: Option<Pid>) -> Result<Pid> {
    pid.or_else(|| session.engine.processes().next()).ok_or(Error::NoProcess)
}

fn kill_all(session: &mut Conversation) {
    session.last = None;
    for pid in session.engine.processes().collect::<Vec<_>>() {
        // One that has just ended by itself is as dead as it was asked to be.
        let _ = session.engine.kill(pid);
    }
}
