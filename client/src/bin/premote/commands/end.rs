//! `premote end`: the process server's end.

use crate::exit::ExitError;
use clap::Command;
use dbgsrv_client::RemoteServer;

pub(super) const NAME: &str = "end";

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 sessions        who else would be hit?
  premote tcp:server=box17,port=5005 end

Programs that were attached to go on, those that were started by a debugger end.";

pub(super) fn command() -> Command {
    Command::new(NAME).about("End the process server, and everybody's sessions with it").after_help(EXAMPLES)
}

pub(super) async fn run(server: &RemoteServer) -> Result<(), ExitError> {
    Ok(server.end_process_server().await?)
}
