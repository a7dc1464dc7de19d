//! The `premote` command: a process server for people, at the command line.

mod bridge;
mod cli;
mod commands;
mod connection;
mod cuts;
mod exit;
mod output;
mod private_socket;
mod standard_stream;
mod table;
mod telemetry;
mod terminal;
mod time;
mod transfer;

use cli::{Invocation, Request};
use exit::ExitError;
use std::process::ExitCode;
use tokio::runtime;

fn main() -> ExitCode {
    match run() {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            error.report();
            ExitCode::from(error.status())
        }
    }
}

fn run() -> Result<u8, ExitError> {
    match cli::parse(std::env::args_os(), std::env::var(cli::CONNECTION_VARIABLE).ok())? {
        Request::Print(text) => output::print(&text).map(|()| 0),
        Request::Run(invocation) => {
            telemetry::start(invocation.verbose);
            block_on(act(*invocation))
        }
        Request::RunUnconnected { verbose, action } => {
            telemetry::start(verbose);
            block_on(action.run()).map(|()| 0)
        }
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, ExitError>>) -> Result<T, ExitError> {
    // One thread: a packet on its way from the debugger to the network then waits for no other thread to wake up.
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(ExitError::System)?;
    let result = runtime.block_on(work);
    // Without this it would wait for a read of the terminal that nobody wants any more.
    runtime.shutdown_background();
    result
}

async fn act(invocation: Invocation) -> Result<u8, ExitError> {
    let server = connection::connect(&invocation.connection).await?;
    let result = tokio::select! {
        result = invocation.action.run(&server) => result,
        never = cuts::tell(&server) => match never {},
    };
    // The server is told that the session ends here, and need not wait for this client to come back.
    server.disconnect().await;
    result
}
