//! `premote sessions`: who debugs what.

use super::arguments::json;
use crate::exit::ExitError;
use crate::output::{print_json, print_table};
use crate::table::{Align, Table};
use crate::time::local;
use clap::{ArgMatches, Command};
use dbgsrv_client::{RemoteServer, SessionInfo};

pub(super) const NAME: &str = "sessions";

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 sessions
  premote tcp:server=box17,port=5005 sessions --json";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("List the debug sessions: who, since when, which processes")
        .after_help(EXAMPLES)
        .arg(json())
}

/// How sessions are listed.
#[derive(Debug)]
pub(crate) struct Sessions {
    json: bool,
}

impl Sessions {
    pub(super) fn parse(matches: &ArgMatches) -> Self {
        Self { json: matches.get_flag("json") }
    }

    pub(super) async fn run(self, server: &RemoteServer) -> Result<(), ExitError> {
        let sessions = server.sessions().await?;
        if self.json { print_json(&sessions) } else { print_table(&table(&sessions), "No debug sessions.") }
    }
}

fn table(sessions: &[SessionInfo]) -> Table<5> {
    let mut table = Table::new([
        ("SESSION", Align::Right),
        ("SINCE", Align::Left),
        ("PEER", Align::Left),
        ("LABEL", Align::Left),
        ("PROCESSES", Align::Left),
    ]);
    for session in sessions {
        let peer = format!("{}{}", session.peer, if session.cut { " (cut off)" } else { "" });
        let pids: Vec<_> = session.pids.iter().map(ToString::to_string).collect();
        let number = session.session.to_string();
        table.push([number, local(session.since), peer, session.label.clone(), pids.join(" ")]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_whose_connection_is_cut_is_marked() {
        let session = SessionInfo {
            session: 3,
            peer: "127.0.0.1:4711".into(),
            label: "gdb".into(),
            since: 0,
            pids: vec![12, 345],
            cut: true,
        };
        let text = table(&[session]).render(None);
        assert!(text.contains("127.0.0.1:4711 (cut off)  gdb    12 345\n"), "{text}");
    }
}
