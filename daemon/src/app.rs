//! The server from its command line to its end: build, bind, run, drain.

use crate::cli::{self, Request, ServeOptions};
use crate::exit::ExitError;
use crate::limits::Limits;
use crate::listener::accept_all;
use crate::policy::Policy;
use crate::server::Server;
use crate::telemetry;
use dbgsrv_transports::{Endpoint, Listener, Unavailable};
use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

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
    let endpoints = build(&options).map_err(|problem| cli::usage(format_args!("-t: {problem}")))?;
    let limits = Limits::of_this_process().map_err(io::Error::from)?;
    telemetry::start(&options.log);
    // One thread: sessions run in processes of their own, and those end with the thread that started them.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(&endpoints, Server::new(options.log, limits)))
}

/// Checks that this build can do all that is asked for, before anything is opened.
fn build(options: &ServeOptions) -> Result<Vec<(Endpoint, Policy)>, Unavailable> {
    options.transports.iter().map(|transport| Ok((Endpoint::new(transport)?, Policy::new(transport)))).collect()
}

/// Serves clients until SIGTERM or SIGINT, then ends all sessions.
async fn serve(endpoints: &[(Endpoint, Policy)], server: Server) -> Result<(), ExitError> {
    let server = Arc::new(server);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listeners = bind(endpoints)?;
    announce(&listeners);
    for (listener, policy) in listeners {
        server.tasks.spawn(accept_all(listener, policy, Arc::clone(&server)));
    }
    let reason = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    };
    info!(reason, "ending all sessions");
    server.stop.cancel();
    server.tasks.close();
    server.tasks.wait().await;
    info!("ended");
    Ok(())
}

/// Listens on all endpoints, or on none.
fn bind(endpoints: &[(Endpoint, Policy)]) -> Result<Vec<(Listener, Policy)>, ExitError> {
    endpoints.iter().map(|(endpoint, policy)| Ok((endpoint.bind()?, *policy))).collect()
}

/// Says what listens where, and how to connect.
fn announce(listeners: &[(Listener, Policy)]) {
    let mut stdout = io::stdout().lock();
    for (listener, policy) in listeners {
        let target = listener.gdb_target();
        info!(%listener, %policy, "listening");
        // Where stdout is closed, the log has it.
        let _ = writeln!(
            stdout,
            "dbgsrv {}: listening on {listener} for {policy}; connect with: gdb -ex 'target extended-remote {target}'",
            env!("CARGO_PKG_VERSION"),
        );
    }
    let _ = stdout.flush();
}
