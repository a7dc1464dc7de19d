//! `premote servers`, which is `-QR` of dbgeng's debuggers: which process servers there are.

use super::arguments::json;
use crate::cli::usage;
use crate::exit::ExitError;
use crate::output::{print, print_json};
use clap::{Arg, ArgMatches, Command};
use dbgsrv_client::{Findings, FoundServer, Host, servers};
use dbgsrv_protocol::ids::Pid;
use serde::Serialize;

pub(crate) const NAME: &str = "servers";

/// How Windows writes the machine that one is on.
const THIS_MACHINE: [&str; 2] = [".", r"\\."];

const EXAMPLES: &str = r"Examples:
  premote servers                  those of this machine, and of the network
  premote servers localhost        those of this machine
  premote servers box17
  premote -QR '\\box17'            the same, as cdb has it
  premote servers --json | jq -r '.[].connection'

Servers of other machines are found where those announce them, by multicast DNS on the same link: those that serve other
machines, and are not hidden. A password is shown as `*`.";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("List the process servers of a machine; it needs no CONNECTION")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("host")
                .value_name("HOST")
                .help("The machine, two backslashes before it or not; this one and all of the network where left out"),
        )
        .arg(json())
}

/// Whose servers are listed, and how.
#[derive(Debug)]
pub(crate) struct Servers {
    /// As it was typed, and what it means.
    machine: Option<(String, Host)>,
    json: bool,
}

impl Servers {
    pub(super) fn parse(matches: &ArgMatches) -> Result<Self, ExitError> {
        let machine = matches.get_one::<String>("host").map(|typed| machine(typed)).transpose()?;
        Ok(Self { machine, json: matches.get_flag("json") })
    }

    /// Lists them. None is no error.
    ///
    /// # Errors
    /// [`ExitError::Client`] where the machine or the network can't be asked.
    pub(super) async fn run(self) -> Result<(), ExitError> {
        let findings = servers(self.machine.as_ref().map(|(_, host)| host)).await?;
        for note in &findings.notes {
            eprintln!("premote: {note}");
        }
        if self.json {
            return print_json(&findings.servers.iter().map(Row::from).collect::<Vec<_>>());
        }
        print(&list(self.machine.as_ref().map(|(typed, _)| typed.as_str()), &findings))?;
        if findings.servers.is_empty() {
            eprintln!("No process servers.");
        }
        Ok(())
    }
}

/// What was typed, and the machine that it means.
fn machine(typed: &str) -> Result<(String, Host), ExitError> {
    let name = if THIS_MACHINE.contains(&typed) { "localhost" } else { typed };
    match name.parse() {
        Ok(host) => Ok((typed.to_owned(), host)),
        Err(error) => Err(usage(format_args!("servers: HOST: {error}"))),
    }
}

/// The servers under the name of their machine: the one that was typed, or else what each calls itself.
fn list(typed: Option<&str>, findings: &Findings<FoundServer>) -> String {
    let mut lines = Vec::new();
    let mut machine = None;
    if let Some(typed) = typed {
        lines.push(format!("Servers on {typed}:\n"));
    }
    for server in &findings.servers {
        if typed.is_none() && machine.replace(&server.machine) != Some(&server.machine) {
            lines.push(format!("Servers on {}:\n", server.machine));
        }
        lines.push(format!("{server}\n"));
    }
    lines.concat()
}

/// A server, for programs.
#[derive(Debug, Serialize)]
struct Row {
    machine: String,
    label: &'static str,
    server: String,
    connection: String,
    password: bool,
    pid: Option<i32>,
}

impl From<&FoundServer> for Row {
    fn from(found: &FoundServer) -> Self {
        Self {
            machine: found.machine.to_string(),
            label: FoundServer::LABEL,
            server: found.server.to_string(),
            connection: found.client_options().to_string(),
            password: found.server.wants_password(),
            pid: found.pid.map(Pid::raw),
        }
    }
}
