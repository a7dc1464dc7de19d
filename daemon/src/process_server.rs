//! Process servers inside another program, as dbgeng has them.
//!
//! ```no_run
//! use dbgsrv::process_server::start_process_server;
//! use dbgsrv::worker::SessionHost;
//!
//! let server = start_process_server(&["tcp:port=5005,password=Secret1".parse()?], SessionHost::Threads)?;
//! println!("premote {}", server.listening()[0]);
//! server.wait(None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One that calls a client, with a program that clients may start without naming it:
//!
//! ```no_run
//! use dbgsrv::process_server::{ServerSettings, start_process_server_with};
//! # use dbgsrv::worker::SessionHost;
//!
//! let settings = ServerSettings::default().implicit_command_line(["/srv/app", "--port", "80"]);
//! let reverse = "tcp:port=5005,clicon=BOX17,reconnect,password=Secret1".parse()?;
//! let server = start_process_server_with(&[reverse], SessionHost::Threads, settings)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use crate::implicit::TooLong;
use crate::implicit::check_length;
use crate::limits::Limits;
use crate::server::Server;
pub use crate::serving::EntranceError;
use crate::serving::{self, Entrance, bind};
use crate::telemetry::LogOptions;
use crate::worker::SessionHost;
use dbgsrv_protocol::options::ServerOptions;
use dbgsrv_transports::{BindError, Passed};
use std::future::pending;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

/// A process server can't be started; nothing of it is left.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// No connection string was given.
    #[error("a process server needs a transport to listen on")]
    NoTransport,
    /// One can't be served.
    #[error(transparent)]
    Entrance(#[from] EntranceError),
    /// One can't be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The implicit command line can't be told to clients.
    #[error(transparent)]
    ImplicitCommandLine(#[from] TooLong),
    /// The system refuses what every server needs.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

/// A process server of this program. It ends when this is dropped.
#[derive(Debug)]
pub struct ProcessServer {
    stop: CancellationToken,
    ended: Arc<Ending>,
    listening: Vec<String>,
}

/// Whether something has ended, for who waits for it.
#[derive(Debug)]
struct Ending {
    ended: Mutex<bool>,
    changed: Condvar,
}

/// The first end of any server of this program.
static FIRST: Ending = Ending::new();

impl Ending {
    const fn new() -> Self {
        Self { ended: Mutex::new(false), changed: Condvar::new() }
    }

    fn set(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn wait(&self, timeout: Option<Duration>) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = |ended: &mut bool| !*ended;
        match timeout {
            None => *self.changed.wait_while(ended, pending).unwrap_or_else(PoisonError::into_inner),
            Some(time) => {
                *self.changed.wait_timeout_while(ended, time, pending).unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }
}

/// What connection strings do not say.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServerSettings {
    /// The program, and its arguments, that clients may start without naming it; empty: none. At most
    /// [`MAX_IMPLICIT_COMMAND_LINE`](dbgsrv_protocol::limits::MAX_IMPLICIT_COMMAND_LINE) bytes, one for each word counted in.
    pub implicit_command_line: Vec<String>,
}

impl ServerSettings {
    /// With this implicit command line.
    #[must_use]
    pub fn implicit_command_line(mut self, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.implicit_command_line = words.into_iter().map(Into::into).collect();
        self
    }
}

/// Starts a process server, reachable through each of `transports` when this returns (dbgeng: `StartProcessServer`).
///
/// A client that one of them names (`clicon`) is called from then on, and the server ends when it is gone, unless there are
/// other transports or it is to be called again. It has a thread of its own. Passwords stay in this process's command line and environment where they came from there.
///
/// # Errors
/// [`StartError`].
pub fn start_process_server(transports: &[ServerOptions], host: SessionHost) -> Result<ProcessServer, StartError> {
    start_process_server_with(transports, host, ServerSettings::default())
}

/// As [`start_process_server`], with what the connection strings do not say.
///
/// # Errors
/// [`StartError`].
pub fn start_process_server_with(
    transports: &[ServerOptions],
    host: SessionHost,
    settings: ServerSettings,
) -> Result<ProcessServer, StartError> {
    if transports.is_empty() {
        return Err(StartError::NoTransport);
    }
    let implicit = settings.implicit_command_line;
    check_length(&implicit)?;
    let entrances = transports.iter().map(Entrance::new).collect::<Result<Vec<_>, _>>()?;
    let limits = Limits::of_this_process().map_err(io::Error::from)?;
    let server = Arc::new(Server::new(host, LogOptions::default(), limits, implicit));
    let stop = server.stop.clone();
    let ended = Arc::new(Ending::new());
    let (starting, started) = mpsc::sync_channel(1);
    let at_end = Arc::clone(&ended);
    thread::Builder::new().name("process server".into()).spawn(move || {
        let result = run(&entrances, &server, |listening| drop(starting.send(Ok(listening))));
        at_end.set();
        match result {
            Ok(()) => FIRST.set(),
            // Nobody waits any longer where it had started.
            Err(error) => drop(starting.send(Err(error))),
        }
    })?;
    let broken = |_| StartError::System(io::Error::other("the server broke off"));
    let listening = started.recv().map_err(broken)??;
    Ok(ProcessServer { stop, ended, listening })
}

/// Serves until the server is to stop. `started` is called when it listens.
fn run(entrances: &[Entrance], server: &Arc<Server>, started: impl FnOnce(Vec<String>)) -> Result<(), StartError> {
    let runtime = serving::runtime()?;
    let ended = runtime.block_on(async {
        let bound = bind(entrances, server, &mut Passed::default())?;
        started(server.listening.get().cloned().unwrap_or_default());
        let _ = serving::serve(bound, server, pending()).await;
        Ok(())
    });
    runtime.shutdown_background();
    ended
}

/// Waits until the first of this program's process servers has ended, by whichever side; false where `timeout` passes
/// before. Once one has, it returns at once (dbgeng: `WaitForProcessServerEnd`).
pub fn wait_for_process_server_end(timeout: Option<Duration>) -> bool {
    FIRST.wait(timeout)
}

impl ProcessServer {
    /// What it listens on, as connection strings without secrets, ports as they are.
    #[must_use]
    pub fn listening(&self) -> &[String] {
        &self.listening
    }

    /// Has it end, and all its sessions: what they attached to goes on, what they created is killed. Does not wait for it.
    pub fn end(&self) {
        self.stop.cancel();
    }

    #[expect(clippy::must_use_candidate, reason = "waiting is what it is for")]
    /// Waits for its end, by whichever side; false where `timeout` passes before.
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        self.ended.wait(timeout)
    }
}

impl Drop for ProcessServer {
    fn drop(&mut self) {
        self.end();
    }
}
