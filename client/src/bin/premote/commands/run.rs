//! `premote run`: a program on the server's machine, not debugged.

use super::arguments::{path, texts};
use crate::cli::usage;
use crate::exit::ExitError;
use crate::output::print;
use clap::{Arg, ArgAction, ArgMatches, Command};
use dbgsrv_client::{Program, RemoteServer};

pub(super) const NAME: &str = "run";

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 run -- /usr/bin/app --port 80
  premote tcp:server=box17,port=5005 run --cwd /srv --env RUST_LOG=debug -- ./app
  premote tcp:server=box17,port=5005 gdb -p $(premote tcp:server=box17,port=5005 run --suspended -- ./app)

It prints the process's id. A suspended program waits, stopped, before its first instruction.";

pub(super) fn command() -> Command {
    Command::new(NAME)
        .about("Start a program on the server's machine, not debugged")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("suspended")
                .long("suspended")
                .help("Leave it stopped before its first instruction")
                .action(ArgAction::SetTrue),
        )
        .arg(path("cwd", "DIR").long("cwd").help("Its working directory; the server's where left out"))
        .arg(
            path("env", "NAME=VALUE")
                .long("env")
                .help("A variable added to the server's environment; may be repeated")
                .action(ArgAction::Append),
        )
        .arg(
            path("program", "PROGRAM")
                .help("The program and its arguments; it is searched in the server's PATH where it has no slash")
                .num_args(1..)
                .required(true)
                .last(true),
        )
}

/// What is started.
#[derive(Debug)]
pub(crate) struct Run {
    program: Program,
}

impl Run {
    pub(super) fn parse(matches: &ArgMatches) -> Result<Self, ExitError> {
        let environment = texts(matches, "env")?;
        if let Some(variable) = environment.iter().find(|variable| !is_assignment(variable)) {
            return Err(usage(format_args!("--env: `{variable}` is no variable; allowed: NAME=VALUE")));
        }
        let program = Program {
            arguments: texts(matches, "program")?,
            directory: texts(matches, "cwd")?.pop(),
            environment,
            suspended: matches.get_flag("suspended"),
        };
        Ok(Self { program })
    }

    pub(super) async fn run(self, server: &RemoteServer) -> Result<(), ExitError> {
        let pid = server.create_process(self.program).await?;
        print(&format!("{pid}\n"))
    }

    #[cfg(test)]
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }
}

fn is_assignment(variable: &str) -> bool {
    variable.split_once('=').is_some_and(|(name, _)| !name.is_empty())
}
