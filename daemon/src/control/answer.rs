//! What each request comes to.

use super::{create, digest, doctor, failure, pages, processes};
use crate::registry::Listed;
use crate::server::Server;
use dbgsrv_protocol::control::{ExecutableMatch, Failure, FailureKind, Matches, Request, Response, ServerInfo};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use tracing::info;

/// Does what is asked for.
pub(super) async fn answer(server: &Arc<Server>, request: Request) -> Result<Response, Failure> {
    match request {
        Request::ServerInfo => Ok(Response::ServerInfo(server_info(server))),
        Request::ProcessIds { after } => {
            let (pids, more) = pages::ids(&blocking(move || Ok(processes::ids()?)).await?, after);
            Ok(Response::ProcessIds { pids, more })
        }
        Request::ProcessIdByExecutable { executable, by } => by_executable(executable, by).await,
        Request::Describe { pids } => describe(server, move || Ok(pids)).await,
        Request::Processes { after } => {
            let all = move || Ok(processes::ids()?.into_iter().filter(|pid| *pid > after).collect());
            describe(server, all).await
        }
        Request::Create(program) => {
            let pid = blocking(move || Ok(create::create(&program)?)).await?;
            info!(pid, "started a program for a client");
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
            let (sha256, length) = blocking(move || Ok(digest::sha256(&path, length)?)).await?;
            Ok(Response::Digest { sha256, length })
        }
        _ => Err(failure(FailureKind::BadRequest, "this release of the server does not know the request")),
    }
}

fn server_info(server: &Server) -> ServerInfo {
    let facts = &server.facts;
    ServerInfo {
        release: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        system: facts.system.clone(),
        architecture: facts.architecture.clone(),
        host: facts.host.clone(),
        user: facts.user.clone(),
        started: server.started,
        listening: server.listening.get().cloned().unwrap_or_default(),
        sessions: server.registry.count() as u32,
    }
}

async fn by_executable(executable: String, by: ExecutableMatch) -> Result<Response, Failure> {
    let found = blocking(move || Ok(processes::by_executable(&executable, by)?)).await?;
    let total = found.len() as u32;
    let (pids, _) = pages::ids(&found, 0);
    Ok(Response::Matches(Matches { pids, total }))
}

/// Describes the processes that `pids` gives, as many as a page holds.
async fn describe(
    server: &Server,
    pids: impl FnOnce() -> Result<Vec<u32>, Problem> + Send + 'static,
) -> Result<Response, Failure> {
    let sessions = server.registry.list(0);
    blocking(move || {
        let held: HashMap<u32, u64> = debuggees(&sessions)?.into_iter().map(|(session, pid)| (pid, session)).collect();
        let described = pids()?.into_iter().filter_map(|pid| {
            let mut process = processes::describe(pid)?;
            process.debugged_by = held.get(&pid).copied();
            Some(process)
        });
        let (processes, more) = pages::fill(described);
        Ok(Response::Processes { processes, more })
    })
    .await
}

async fn sessions(listed: Vec<Listed>) -> Result<Response, Failure> {
    blocking(move || {
        let held = debuggees(&listed)?;
        let described = listed.into_iter().map(|Listed { mut info, .. }| {
            let pids = held.iter().filter(|(session, _)| *session == info.session).map(|(_, pid)| *pid);
            info.pids = pids.collect();
            info
        });
        let (sessions, more) = pages::fill(described);
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
