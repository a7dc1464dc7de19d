//! What each request comes to.

use super::processes::{self, Describer};
use super::{create, digest, doctor, failure, info};
use crate::registry::Listed;
use crate::server::Server;
use dbgsrv_protocol::control::{ExecutableMatch, Failure, FailureKind, Matches, Page, Request, Response};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// Processes that are listed of one session, so that its entry fits into a message whatever it debugs.
const MAX_PIDS: usize = 1024;

/// Does what is asked for.
pub(super) async fn answer(server: &Arc<Server>, request: Request) -> Result<Response, Failure> {
    match request {
        Request::ServerInfo => {
            let listening = server.listening.get().cloned().unwrap_or_default();
            let sessions = server.registry.count() as u32;
            let implicit = server.implicit_command_line.clone();
            Ok(Response::ServerInfo(blocking(move || Ok(info::server_info(listening, sessions, implicit)?)).await?))
        }
        Request::ProcessIds { after } => {
            let all = blocking(move || Ok(processes::ids()?)).await?;
            let Page { items: pids, more } = Page::of(all.into_iter().filter(|pid| *pid > after));
            Ok(Response::ProcessIds { pids, more })
        }
        Request::ProcessIdByExecutable { executable, by } => by_executable(executable, by).await,
        Request::Describe { mut pids } => {
            pids.sort_unstable();
            pids.dedup();
            describe(server, move || Ok(pids)).await
        }
        Request::Processes { after } => {
            let all = move || Ok(processes::ids()?.into_iter().filter(|pid| *pid > after).collect());
            describe(server, all).await
        }
        Request::Create(program) => {
            let pid = blocking(move || Ok(create::create(&program)?)).await?;
            Ok(Response::Created { pid })
        }
        Request::Sessions { after } => sessions(server.registry.list(after)).await,
        Request::EndSession { session } => {
            info!(session, "a client ends a session");
            let missing = || failure(FailureKind::NotFound, format_args!("there is no session {session}"));
            server.registry.end(session).then_some(Response::Done).ok_or_else(missing)
        }
        Request::EndServer => {
            info!("a client ends the server");
            server.stop.cancel();
            Ok(Response::Done)
        }
        Request::Doctor { pid } => Ok(Response::Checks(blocking(move || Ok(doctor::check(pid))).await?)),
        Request::Digest { path, length } => {
            let gone = CancellationToken::new();
            let _waiting = gone.clone().drop_guard();
            let digest = move || Ok(digest::sha256(&path, length, || !gone.is_cancelled())?);
            let (sha256, length) = blocking(digest).await?;
            Ok(Response::Digest { sha256, length })
        }
        _ => Err(failure(FailureKind::BadRequest, "this release of the server does not know the request")),
    }
}

async fn by_executable(executable: String, by: ExecutableMatch) -> Result<Response, Failure> {
    let found = blocking(move || Ok(processes::by_executable(&executable, by)?)).await?;
    let total = found.len() as u32;
    Ok(Response::Matches(Matches { pids: Page::of(found).items, total }))
}

/// Describes the processes that `pids` gives, as many as a page holds.
async fn describe(
    server: &Server,
    pids: impl FnOnce() -> Result<Vec<u32>, Problem> + Send + 'static,
) -> Result<Response, Failure> {
    let sessions = server.registry.list(0);
    blocking(move || {
        let held: HashMap<u32, u64> = debuggees(&sessions)?.into_iter().map(|(session, pid)| (pid, session)).collect();
        let mut describer = Describer::new()?;
        let Page { items: processes, more } = Page::of(pids()?.into_iter().filter_map(|pid| {
            let mut process = describer.describe(pid)?;
            process.debugged_by = held.get(&pid).copied();
            process.shorten();
            Some(process)
        }));
        Ok(Response::Processes { processes, more })
    })
    .await
}

async fn sessions(listed: Vec<Listed>) -> Result<Response, Failure> {
    blocking(move || {
        let held = debuggees(&listed)?;
        let Page { items: sessions, more } = Page::of(listed.into_iter().map(|Listed { mut info, .. }| {
            let pids = held.iter().filter(|(session, _)| *session == info.session).map(|(_, pid)| *pid);
            info.pids = pids.take(MAX_PIDS).collect();
            info
        }));
        Ok(Response::Sessions { sessions, more })
    })
    .await
}

/// The processes that these sessions debug, each with its session.
fn debuggees(sessions: &[Listed]) -> io::Result<Vec<(u64, u32)>> {
    let numbers: HashMap<u32, u64> = sessions.iter().map(|listed| (listed.worker, listed.info.session)).collect();
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let workers: Vec<u32> = numbers.keys().copied().collect();
    let traced = processes::traced_by(&workers)?;
    Ok(traced.into_iter().filter_map(|(worker, pid)| Some((*numbers.get(&worker)?, pid))).collect())
}

/// Why something that blocks was not done.
struct Problem(Failure);

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self(failure(FailureKind::System, error))
    }
}

/// Runs what blocks on another thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|Problem(failure)| failure),
        Err(_) => Err(failure(FailureKind::System, "the server is ending")),
    }
}
