//! `premote describe`: all that is known of one process.

use super::arguments::{json, pid};
use super::ps::command_line;
use crate::exit::ExitError;
use crate::output::{print_fields, print_json};
use crate::time::local;
use clap::{ArgMatches, Command};
use dbgsrv_client::RemoteServer;

pub(super) const NAME: &str = "describe";

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 describe 1234
  premote tcp:server=box17,port=5005 describe 1234 --json | jq .executable";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Show all that is known of a process")
        .after_help(EXAMPLES)
        .arg(pid().required(true))
        .arg(json())
}

/// Which process is described, and how.
#[derive(Debug)]
pub(crate) struct Describe {
    pid: u32,
    json: bool,
}

impl Describe {
    pub(super) fn parse(matches: &ArgMatches) -> Self {
        Self { pid: matches.get_one("pid").copied().unwrap_or_default(), json: matches.get_flag("json") }
    }

    pub(super) async fn run(self, server: &RemoteServer) -> Result<(), ExitError> {
        let process = server.describe(self.pid).await?;
        if self.json {
            return print_json(&process);
        }
        print_fields(&[
            ("pid", process.pid.to_string()),
            ("parent", process.parent.to_string()),
            ("command line", command_line(&process)),
            ("name", process.name),
            ("executable", process.executable),
            ("architecture", process.architecture),
            ("user", process.user),
            ("session", process.session.to_string()),
            ("service", process.service.unwrap_or_default()),
            ("started", local(process.started)),
            ("state", if process.stopped { "stopped".into() } else { String::new() }),
            ("debugged by", process.debugged_by.map(|session| format!("session {session}")).unwrap_or_default()),
        ])
    }
}
