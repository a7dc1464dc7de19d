//! A server from its options to its end: build, bind, run, drain.

use crate::discovery::{Discovery, Listed};
use crate::door::Door;
use crate::listener::accept_all;
use crate::server::Server;
use dbgsrv_protocol::options::ServerOptions;
use dbgsrv_transports::{BindError, Endpoint, Listener, Opened, Passed, PasswordError, Unusable, read_password};
use std::io;
use std::sync::{Arc, PoisonError};
use thiserror::Error;
use tokio::runtime::{self, Runtime};
use tokio_util::task::TaskTracker;
use tracing::info;

/// Requests of clients that may block at the same time, each on a thread. Further ones wait.
const MAX_BLOCKING: usize = 32;

/// The runtime that a server runs on. One thread: sessions run elsewhere, and their processes end with the thread that
/// started them.
///
/// # Errors
/// What the system refuses.
pub(crate) fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().max_blocking_threads(MAX_BLOCKING).build()
}

/// What one connection string comes to, before anything is opened.
#[derive(Debug)]
pub(crate) struct Entrance {
    endpoint: Endpoint,
    door: Arc<Door>,
}

/// A connection string can't be served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EntranceError {
    /// Its certificates can't be used.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// Its password can't be found.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

impl Entrance {
    /// Checks that this build can do what a transport asks for, and looks up its password.
    ///
    /// # Errors
    /// [`EntranceError`]; nothing was opened.
    pub(crate) fn new(transport: &ServerOptions) -> Result<Self, EntranceError> {
        let endpoint = Endpoint::new(transport)?;
        let password = transport.session().password.as_ref().map(read_password).transpose()?;
        Ok(Self { endpoint, door: Arc::new(Door::new(transport, password)) })
    }
}

/// What is listened on, and on whose terms.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) listener: Listener,
    pub(crate) door: Arc<Door>,
    /// What was done about the firewall, where that was asked for.
    pub(crate) firewall: Option<Opened>,
}

/// Listens on all, or on none, where a socket was passed that fits at that, opens the firewall where that is asked for, and
/// lets clients find what is listened on. Must be called inside the runtime.
///
/// # Errors
/// [`BindError`] for the first that can't be listened on, or that the firewall can't be opened for.
pub(crate) fn bind(entrances: &[Entrance], server: &Server, passed: &mut Passed) -> Result<Vec<Bound>, BindError> {
    let bind = |entrance: &Entrance| {
        let (listener, door) = (entrance.endpoint.bind_or_take(passed)?, Arc::clone(&entrance.door));
        Ok(Bound { listener, door, firewall: None })
    };
    let mut bound = entrances.iter().map(bind).collect::<Result<Vec<_>, BindError>>()?;
    // Nobody closes it again: nothing is opened for a server that can't listen everywhere.
    for (entrance, Bound { listener, firewall, .. }) in entrances.iter().zip(&mut bound) {
        *firewall = entrance.endpoint.open_firewall(listener)?;
        if let Some(opened) = firewall {
            info!(%listener, "{opened}");
        }
    }
    let both =
        || entrances.iter().zip(&bound).map(|(entrance, bound)| (&entrance.endpoint, &bound.listener, &bound.door));
    // Nobody else sets it.
    let _ = server.listening.set(both().map(|(endpoint, listener, _)| endpoint.describe(listener)).collect());
    let listed =
        both().filter_map(|(endpoint, listener, door)| Some(Listed::new(endpoint.listed(listener)?, listener, door)));
    let discovery = Discovery::start(&listed.collect::<Vec<_>>());
    *server.discovery.lock().unwrap_or_else(PoisonError::into_inner) = Some(discovery);
    Ok(bound)
}

/// Why a server ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// Somebody wants it to.
    Wanted,
    /// The clients that it called are gone, and nobody else can reach it.
    ClientGone,
}

/// Serves clients until `reason` comes up, the server is to stop or there is nobody to serve any more, then ends all
/// sessions.
pub(crate) async fn serve(bound: Vec<Bound>, server: &Arc<Server>, reason: impl Future<Output = &'static str>) -> End {
    let accepting = TaskTracker::new();
    for Bound { listener, door, .. } in bound {
        accepting.spawn(accept_all(listener, door, Arc::clone(server)));
    }
    accepting.close();
    let discovery = server.discovery.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut discovery = discovery.unwrap_or_default();
    let (end, reason) = tokio::select! {
        biased;
        reason = reason => (End::Wanted, reason),
        () = server.stop.cancelled() => (End::Wanted, "a request"),
        () = accepting.wait() => (End::ClientGone, "the client is gone"),
        () = discovery.watch() => unreachable!("it never ends"),
    };
    info!(reason, "ending all sessions");
    server.stop.cancel();
    discovery.end().await;
    server.tasks.close();
    server.tasks.wait().await;
    accepting.wait().await;
    info!("ended");
    end
}
