//! `premote pipe`: standard input and output as a debug session.

use super::debugger::label;
use crate::bridge::bridge;
use crate::exit::ExitError;
use crate::standard_stream;
use clap::Command;
use dbgsrv_client::RemoteServer;
use std::io::{self, IsTerminal};
use tokio::signal::unix::{SignalKind, signal};

pub(super) const NAME: &str = "pipe";

const EXAMPLES: &str = "\
Examples:
  (gdb) target extended-remote | premote tcp:server=box17,port=5005,password-file=secret pipe

A debugger's pipe has no terminal where a password could be asked for, so CONNECTION says where it is.";

pub(super) fn command() -> Command {
    Command::new(NAME).about("Make standard input and output a debug session").after_help(EXAMPLES)
}

pub(super) async fn run(server: &RemoteServer) -> Result<(), ExitError> {
    // Ctrl-C in the debugger is meant for the program that it debugs. It reaches this process too, where they share a terminal.
    let _ignored = if io::stdin().is_terminal() {
        None
    } else {
        Some(signal(SignalKind::interrupt()).map_err(ExitError::System)?)
    };
    let input = standard_stream::input().map_err(ExitError::System)?;
    let output = standard_stream::output().map_err(ExitError::System)?;
    let session = server.open_debug_session(&label(NAME)).await?;
    bridge(input, output, session).await.map_err(|error| ExitError::Failure(format!("debug session: {error}")))
}
