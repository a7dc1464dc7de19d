//! `premote info`: what server this is.

use super::arguments::json;
use crate::exit::ExitError;
use crate::output::{print_fields, print_json};
use crate::time::local;
use clap::{ArgMatches, Command};
use dbgsrv_client::RemoteServer;
use dbgsrv_protocol::session::Protection;

pub(super) const NAME: &str = "info";

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 info
  premote tcp:server=box17,port=5005 info --json | jq -r .release";

pub(super) fn command() -> Command {
    Command::new(NAME).about("Show what server this is").after_help(EXAMPLES).arg(json())
}

/// How the server is shown.
#[derive(Debug)]
pub(crate) struct Info {
    json: bool,
}

impl Info {
    pub(super) fn parse(matches: &ArgMatches) -> Self {
        Self { json: matches.get_flag("json") }
    }

    pub(super) async fn run(self, server: &RemoteServer) -> Result<(), ExitError> {
        let info = server.server_info().await?;
        if self.json {
            return print_json(&info);
        }
        print_fields(&[
            ("release", info.release),
            ("host", info.host),
            ("system", info.system),
            ("architecture", info.architecture),
            ("pid", info.pid.to_string()),
            ("user", info.user),
            ("started", local(info.started)),
            ("listening", info.listening.join(" ")),
            ("implicit", info.implicit_command_line.join(" ")),
            ("sessions", info.sessions.to_string()),
            ("connection", protection(server.link().protection()).into()),
        ])
    }
}

/// What protects the connection that the answer came over.
const fn protection(protection: Protection) -> &'static str {
    match protection {
        Protection::Plain => "not encrypted, within this machine",
        Protection::Sealed => "encrypted",
        Protection::Tls => "encrypted with TLS",
    }
}
