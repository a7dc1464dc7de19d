//! The server from its command line to its end: build, bind, run, drain.

use crate::cli::{self, Request, ServeOptions};
use crate::door::Door;
use crate::exit::ExitError;
use crate::limits::Limits;
use crate::listener::accept_all;
use crate::policy::Policy;
use crate::server::Server;
use crate::{passwords, scrub, telemetry};
use dbgsrv_protocol::options::{PasswordSource, ServerOptions};
use dbgsrv_transports::{Endpoint, Listener};
use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

/// Requests of clients that may block at the same time, each on a thread. Further ones wait.
const MAX_BLOCKING: usize = 32;

/// Runs the command with this process's arguments and environment.
#[must_use]
pub fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where stderr is closed, the exit status has to say it all.
            let _ = writeln!(io::stderr(), "{}", error.to_string().trim_end());
            ExitCode::from(error.status())
        }
    }
}

fn run() -> Result<(), ExitError> {
    let rust_log = env::var("RUST_LOG").ok();
    let options = match cli::parse(env::args_os(), rust_log.as_deref())? {
        Request::Print(text) => return Ok(write!(io::stdout(), "{text}")?),
        Request::Serve(options) => options,
    };
    telemetry::start(&options.log);
    let endpoints = options.transports.iter().map(build).collect::<Result<Vec<_>, _>>()?;
    hide_passwords(&options);
    let limits = Limits::of_this_process().map_err(io::Error::from)?;
    // One thread: sessions run in processes of their own, and those end with the thread that started them.
    let runtime = runtime::Builder::new_current_thread().enable_all().max_blocking_threads(MAX_BLOCKING).build()?;
    let ended = runtime.block_on(serve(endpoints, Server::new(options.log, limits)));
    // A request that blocks, on a file system that is gone say, must not keep the server from ending.
    runtime.shutdown_background();
    ended
}

/// Checks that this build can do what a transport asks for, and looks up its password, before anything is opened.
fn build(transport: &ServerOptions) -> Result<(Endpoint, Door), ExitError> {
    let problem = |problem: &dyn Display| cli::usage(format_args!("-t: {problem}"));
    let endpoint = Endpoint::new(transport).map_err(|error| problem(&error))?;
    let source = transport.session().password.as_ref();
    let password = source.map(passwords::resolve).transpose().map_err(|error| problem(&error))?;
    Ok((endpoint, Door::new(transport, password)))
}

/// Takes the passwords out of what others can see of this process, and what its children inherit.
fn hide_passwords(options: &ServeOptions) {
    for source in options.transports.iter().filter_map(|transport| transport.session().password.as_ref()) {
        let hidden = match source {
            PasswordSource::Given(_) => scrub::arguments(),
            PasswordSource::Environment(name) => scrub::variable(name),
            PasswordSource::File(_) => Ok(()),
        };
        if let Err(error) = hidden {
            warn!(reason = %error, "other users may see the password in the list of processes; use `password-file`");
        }
    }
}

/// Serves clients until SIGTERM, SIGINT or a client's request, then ends all sessions.
async fn serve(endpoints: Vec<(Endpoint, Door)>, server: Server) -> Result<(), ExitError> {
    let server = Arc::new(server);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    for (listener, door) in bind(endpoints, &server)? {
        server.tasks.spawn(accept_all(listener, Arc::new(door), Arc::clone(&server)));
    }
    let reason = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
        () = server.stop.cancelled() => "a client's request",
    };
    info!(reason, "ending all sessions");
    server.stop.cancel();
    server.tasks.close();
    server.tasks.wait().await;
    info!("ended");
    Ok(())
}

/// Listens on all endpoints, or on none, and says so.
fn bind(endpoints: Vec<(Endpoint, Door)>, server: &Server) -> Result<Vec<(Listener, Door)>, ExitError> {
    let mut listeners = Vec::new();
    let mut listening = Vec::new();
    for (endpoint, door) in endpoints {
        let listener = endpoint.bind()?;
        listening.push(endpoint.describe(&listener));
        listeners.push((listener, door));
    }
    announce(&listeners);
    // Nobody else sets it.
    let _ = server.listening.set(listening);
    Ok(listeners)
}

/// Says what listens where, and how to connect.
fn announce(listeners: &[(Listener, Door)]) {
    let mut stdout = io::stdout().lock();
    for (listener, Door { policy, .. }) in listeners {
        let connect = match policy {
            Policy::Password(_) => format!("premote {} ps", listener.client_string()),
            Policy::Open | Policy::Protected => format!("gdb -ex 'target extended-remote {}'", listener.gdb_target()),
        };
        info!(%listener, %policy, "listening");
        // Where stdout is closed, the log has it.
        let _ = writeln!(
            stdout,
            "dbgsrv {}: listening on {listener} for {policy}; connect with: {connect}",
            env!("CARGO_PKG_VERSION"),
        );
    }
    let _ = stdout.flush();
}
