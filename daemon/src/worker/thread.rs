//! Threads: `H`, `T`, `qC`, `qfThreadInfo`, `qThreadExtraInfo`, `jThreadsInfo`, `qThreadStopInfo`.

use super::conversation::{Conversation, finish, refuse};
use super::stop::with_event;
use crate::engine::error::Error;
use crate::engine::{Expedited, Report};
use dbgsrv_protocol::ids::ThreadId;
use dbgsrv_protocol::rsp::server::Reply;
use dbgsrv_protocol::rsp::signal::Signal;
use dbgsrv_protocol::rsp::stop::Reason;
use dbgsrv_protocol::rsp::thread::{Request, Scope, Selector, ThreadInfo, ThreadSelector};

pub(super) fn answer(session: &mut Conversation, current: ThreadSelector, request: Request, reply: Reply<'_>) {
    match request {
        Request::Current => match session.engine.select(current) {
            Ok(id) => reply.current_thread(id),
            Err(error) => refuse(&error, reply),
        },
        Request::ExtraInfo(selector) => match session.engine.thread_name(selector) {
            Ok(name) => reply.hex(&name),
            Err(error) => refuse(&error, reply),
        },
        Request::Infos => infos(session, current, reply),
        Request::IsAlive(selector) => finish(session.engine.select(selector).map(drop), reply),
        Request::List => reply.threads(session.engine.threads()),
        Request::Select { thread, scope: Scope::Resume } if !matches!(thread.thread, Selector::One(_)) => reply.ok(),
        // Where any thread will do, the one that was chosen before stays.
        Request::Select { thread, .. } => match session.engine.select_near(thread, current) {
            Ok(id) => reply.selected(id),
            Err(Error::NoThread) if is_foreign(session, thread) => reply.error(0xff, &Error::NoProcess.to_string()),
            Err(error) => refuse(&error, reply),
        },
        Request::StopInfo(selector) => match session.engine.select(selector) {
            Ok(thread) => stop_info(session, thread, reply),
            Err(error) => refuse(&error, reply),
        },
    }
}

/// Whether a thread is said to be of a process that is none of the session's: lldb-server has a number of its own for that.
fn is_foreign(session: &Conversation, thread: ThreadSelector) -> bool {
    matches!(thread.process, Selector::One(pid) if session.engine.processes().all(|own| own != pid))
}

/// All threads of the chosen one's process.
fn infos(session: &mut Conversation, current: ThreadSelector, reply: Reply<'_>) {
    let id = match session.engine.select(current) {
        Ok(id) => id,
        Err(error) => return refuse(&error, reply),
    };
    let threads: Vec<_> = session.engine.threads().filter(|thread| thread.pid == id.pid).collect();
    let known: Vec<_> = threads
        .into_iter()
        .map(|thread| {
            let name = session.engine.thread_name(thread.into()).unwrap_or_default();
            (thread, name, session.engine.expedited(thread))
        })
        .collect();
    let registers: Vec<_> = known.iter().map(|(.., registers)| registers.each_ref().map(Expedited::content)).collect();
    let info = |((thread, name, _), registers)| {
        let (thread, name): (&ThreadId, &Vec<u8>) = (thread, name);
        let registers: &[(u32, &[u8]); 3] = registers;
        ThreadInfo { thread: *thread, name, registers, stop: stop_of(session, *thread) }
    };
    let infos: Vec<_> =
        known.iter().map(|(thread, name, rest)| (thread, name, rest)).zip(&registers).map(info).collect();
    reply.thread_infos(&infos);
}

/// Why `thread` stopped, if it is the one that the client was told of last.
fn stop_of(session: &Conversation, thread: ThreadId) -> Option<(Signal, Reason<'static>)> {
    match session.last {
        Some(Report::Stopped { thread: stopped, signal, reason }) if stopped == thread => Some((signal, reason)),
        Some(Report::Executed { thread: stopped }) if stopped == thread => {
            Some((Signal::TRAP, Reason::Exec { path: b"" }))
        }
        _ => None,
    }
}

/// The stop reply of a thread, which has no reason of its own where it stopped because another one did.
fn stop_info(session: &mut Conversation, thread: ThreadId, reply: Reply<'_>) {
    let report = match &session.last {
        Some(last @ (Report::Stopped { thread: stopped, .. } | Report::Executed { thread: stopped }))
            if *stopped == thread =>
        {
            last.clone()
        }
        _ => Report::Stopped { thread, signal: Signal::NONE, reason: Reason::Signal },
    };
    with_event(&mut session.engine, &report, reply.features(), |event| reply.stop_info(event));
}
