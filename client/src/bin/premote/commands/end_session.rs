//! `premote end-session`: the end of somebody's debug session.

use super::arguments::number;
use crate::exit::ExitError;
use clap::{Arg, ArgMatches, Command};
use dbgsrv_client::RemoteServer;

pub(super) const NAME: &str = "end-session";

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 sessions        which is it?
  premote tcp:server=box17,port=5005 end-session 3

Programs that it attached to go on, those that it started end.";

pub(super) fn command() -> Command {
    let session = Arg::new("session").value_name("SESSION").help("Its number in the list of sessions");
    Command::new(NAME)
        .about("End a debug session")
        .after_help(EXAMPLES)
        .arg(session.required(true).value_parser(number::<u64>))
}

/// Which session ends.
#[derive(Debug)]
pub(crate) struct EndSession {
    session: u64,
}

impl EndSession {
    pub(super) fn parse(matches: &ArgMatches) -> Self {
        Self { session: matches.get_one("session").copied().unwrap_or_default() }
    }

    pub(super) async fn run(self, server: &RemoteServer) -> Result<(), ExitError> {
        Ok(server.end_session(self.session).await?)
    }
}
