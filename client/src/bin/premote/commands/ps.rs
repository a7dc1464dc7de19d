//! `premote ps`: what runs on the server's machine.

use super::arguments::json;
use crate::exit::ExitError;
use crate::output::{print_json, print_table};
use crate::table::{Align, Table};
use crate::time::local;
use clap::{Arg, ArgMatches, Command};
use dbgsrv_client::{ProcessDescription, RemoteServer};

pub(super) const NAME: &str = "ps";

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 ps
  premote tcp:server=box17,port=5005 ps --name nginx --user www-data
  premote tcp:server=box17,port=5005 ps --json | jq '.[] | select(.\"debugged-by\") | .pid'";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("List the processes of the server's machine")
        .after_help(EXAMPLES)
        .arg(Arg::new("name").long("name").value_name("TEXT").help("Only those with this in the name of their program"))
        .arg(Arg::new("user").long("user").value_name("USER").help("Only those of this user"))
        .arg(json())
}

/// Which processes are listed, and how.
#[derive(Debug)]
pub(crate) struct Ps {
    name: Option<String>,
    user: Option<String>,
    json: bool,
}

impl Ps {
    pub(super) fn parse(matches: &ArgMatches) -> Self {
        let text = |name| matches.get_one::<String>(name).cloned();
        Self { name: text("name"), user: text("user"), json: matches.get_flag("json") }
    }

    pub(super) async fn run(self, server: &RemoteServer) -> Result<(), ExitError> {
        let mut processes = server.processes().await?;
        processes.retain(|process| self.lists(process));
        if self.json { print_json(&processes) } else { print_table(&table(&processes), "No such processes.") }
    }

    fn lists(&self, process: &ProcessDescription) -> bool {
        let file = process.executable.rsplit('/').next().unwrap_or_default();
        let named = |name: &String| process.name.contains(name.as_str()) || file.contains(name.as_str());
        self.name.as_ref().is_none_or(named) && self.user.as_ref().is_none_or(|user| process.user == *user)
    }
}

fn table(processes: &[ProcessDescription]) -> Table<4> {
    let mut table =
        Table::new([("PID", Align::Right), ("USER", Align::Left), ("STARTED", Align::Left), ("COMMAND", Align::Left)]);
    for process in processes {
        table.push([process.pid.to_string(), process.user.clone(), local(process.started), shown(process)]);
    }
    table
}

/// A process's command line, and whether it stands still.
fn shown(process: &ProcessDescription) -> String {
    let state = if process.stopped { "(stopped) " } else { "" };
    format!("{state}{}", command_line(process))
}

/// A process's command line; its name in brackets where it has none, as kernel threads.
pub(super) fn command_line(process: &ProcessDescription) -> String {
    if process.command_line.is_empty() { format!("[{}]", process.name) } else { process.command_line.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(name: &str, executable: &str, user: &str) -> ProcessDescription {
        ProcessDescription {
            pid: 7,
            name: name.into(),
            executable: executable.into(),
            user: user.into(),
            ..ProcessDescription::default()
        }
    }

    #[test]
    fn filters_look_at_the_program_without_its_directory_and_at_the_whole_user() {
        let ps = |name: Option<&str>, user: Option<&str>| Ps {
            name: name.map(Into::into),
            user: user.map(Into::into),
            json: false,
        };
        let shell = process("worker", "/opt/tools/bash-5", "alice");
        for (filter, listed) in [
            (ps(None, None), true),
            (ps(Some("bash"), None), true),
            (ps(Some("work"), Some("alice")), true),
            (ps(Some("tools"), None), false),
            (ps(None, Some("ali")), false),
            (ps(Some("bash"), Some("bob")), false),
        ] {
            assert_eq!(filter.lists(&shell), listed, "{filter:?}");
        }
    }

    #[test]
    fn a_process_without_a_command_line_is_shown_by_its_name_in_brackets() {
        let mut shown = process("kthreadd", "", "root");
        assert_eq!(command_line(&shown), "[kthreadd]");
        shown.command_line = vec!["sleep".into(), "10".into()];
        assert_eq!(command_line(&shown), "sleep 10");
        shown.stopped = true;
        assert_eq!(super::shown(&shown), "(stopped) sleep 10");
    }
}
