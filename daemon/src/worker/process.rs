//! Processes: `!`, `?`, `vRun`, `vAttach`, `vKill`, `k`, `D`, `R`, `qAttached`.

use super::conversation::{Conversation, finish, refuse};
use super::session::name_of;
use crate::engine::error::{Error, Result};
use crate::engine::{AttachRefused, Report, Tracer};
use dbgsrv_protocol::ids::{Pid, ThreadId};
use dbgsrv_protocol::rsp::process::Request;
use dbgsrv_protocol::rsp::server::Reply;
use dbgsrv_protocol::rsp::signal::Signal;
use dbgsrv_protocol::rsp::stop::{Event, Reason, Stop};
use std::os::unix::ffi::OsStringExt;
use tracing::warn;

pub(super) fn answer(session: &mut Conversation, request: Request<'_>, reply: Reply<'_>) {
    match request {
        Request::Attach(pid) => {
            let attached = session.engine.attach(pid).map_err(name_holder);
            if session.non_stop && attached.is_ok() {
                // The stops follow, one for each thread.
                note(session, &attached, None);
                session.engine.report_attached(pid);
                return reply.ok();
            }
            arrived(session, attached, None, reply);
        }
        Request::Detach(pid) => {
            let detached = current(session, pid).and_then(|pid| {
                session.engine.detach(pid)?;
                session.voice.detached(pid);
                Ok(())
            });
            session.last = None;
            finish(detached, reply);
        }
        Request::ExtendedMode => {
            session.extended = true;
            reply.ok();
        }
        Request::Kill(pid) => {
            session.last = None;
            finish(session.engine.kill(pid), reply);
        }
        Request::KillAll => {
            kill_all(session);
            reply.ok();
        }
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
            let (launched, program) = run(session, program, arguments);
            arrived(session, launched, Some(&program), reply);
        }
        Request::Status if session.non_stop => {
            let standing = session.engine.standing().collect::<Vec<_>>();
            let stop =
                |thread| Stop { thread, signal: Signal::NONE, reason: Reason::Signal, registers: &[], core: None };
            reply.events(standing.into_iter().map(|thread| Event::Stopped(stop(thread))));
        }
        Request::Status => match status(session) {
            Some(report) => session.reply_report(&report, reply),
            None => reply.exited(),
        },
        Request::WasAttached(pid) => match session.engine.was_attached(pid) {
            Ok(attached) => reply.attached(attached),
            Err(error) => refuse(&error, reply),
        },
    }
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
            let signal = program.map_or_else(|| session.engine.take_signal_at_attach(thread), |_| Signal::TRAP);
            session.reply_report(&stopped(thread, signal), reply);
        }
        Err(error) => refuse(&error, reply),
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
