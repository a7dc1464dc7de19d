//! The command line.

use crate::commands::{self, Action, Unconnected, completions};
use crate::exit::ExitError;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command};
use dbgsrv_client::ClientOptions;
use dbgsrv_protocol::options::split_before_password;
use std::ffi::OsString;

/// The environment variable that holds a connection string for when the command line has none.
pub(crate) const CONNECTION_VARIABLE: &str = "DBGSRV_CONNECTION";

const EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 ps              what runs there
  premote tcp:server=box17,port=5005 gdb -p 1234     debug one of it
  premote tcp:server=box17,port=5005 doctor          why that does not work

  export DBGSRV_CONNECTION=tcp:server=box17,port=5005
  premote gdb -- ./app                               debug a program of your own there
  premote get /var/log/app.log                       copy a file from there

CONNECTION is a transport and its parameters, as the server was started with: tcp:server=HOST,port=PORT,
or npipe:server=localhost,pipe=NAME for a pipe of this machine.
A password is asked for at the terminal unless password-file=PATH, password-env=NAME or password= is given.
`premote COMMAND --help` has examples for each command.";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    /// Print this text and do nothing else.
    Print(String),
    /// Connect, and do something.
    Run(Box<Invocation>),
    /// Do something that needs no connection.
    RunUnconnected {
        /// How often `-v` was given.
        verbose: u8,
        /// The command.
        action: Unconnected,
    },
}

/// What to do where.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// The server.
    pub(crate) connection: ClientOptions,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
    /// The command.
    pub(crate) action: Action,
}

/// Reads a command line, the program's name included; `variable` is the value of [`CONNECTION_VARIABLE`].
///
/// # Errors
/// [`ExitError::Usage`] with a text that names what is wrong and what is allowed.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>, variable: Option<String>) -> Result<Request, ExitError> {
    let arguments: Vec<_> = arguments.collect();
    read(&arguments, variable).map_err(|error| match error {
        ExitError::Usage(message) => ExitError::Usage(without_passwords(message, &arguments)),
        error => error,
    })
}

fn read(arguments: &[OsString], variable: Option<String>) -> Result<Request, ExitError> {
    let matches = match command().try_get_matches_from(spell_out(arguments)) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Request::Print(error.to_string()));
        }
        Err(error) => return Err(ExitError::Usage(error.to_string())),
    };
    let given = matches.get_one::<String>("connection");
    let Some((name, of_command)) = matches.subcommand() else {
        // Whatever stands there, it was taken for a connection: `premote pss`.
        let given = given.map_or("", String::as_str);
        let problem = if given.contains(':') { "no COMMAND behind" } else { "no such COMMAND:" };
        return Err(usage(format_args!("{problem} `{given}`; allowed: {}", commands::names())));
    };
    if name == completions::NAME {
        return Ok(Request::Print(completions::script(of_command, &mut command())));
    }
    let verbose = matches.get_count("verbose");
    if let Some(action) = Unconnected::parse(name, of_command)? {
        return match given {
            None => Ok(Request::RunUnconnected { verbose, action }),
            Some(given) => Err(usage(format_args!("`{given}` stands before {name}, which takes no CONNECTION"))),
        };
    }
    let connection = connection(given, variable)?;
    let action = Action::parse(name, of_command)?;
    Ok(Request::Run(Box::new(Invocation { connection, verbose, action })))
}

/// The server's connection string, from the command line or else from the environment.
fn connection(given: Option<&String>, variable: Option<String>) -> Result<ClientOptions, ExitError> {
    let (origin, text) = match (given, variable) {
        (Some(text), _) => ("CONNECTION", text.clone()),
        (None, Some(text)) if !text.is_empty() => (CONNECTION_VARIABLE, text),
        (None, _) => {
            return Err(usage(format_args!(
                "no CONNECTION is given and {CONNECTION_VARIABLE} is not set; allowed: such as tcp:server=HOST,port=PORT"
            )));
        }
    };
    // Not one of clap's value parsers: its messages repeat the whole string, a password included.
    text.parse().map_err(|error| match host_and_port(&text) {
        Some((host, port)) => {
            usage(format_args!("{origin}: `{text}` is no connection string; allowed: tcp:server={host},port={port}"))
        }
        None => usage(format_args!("{origin}: {error}")),
    })
}

/// The parts of `HOST:PORT`, as other programs take it, which is no connection string.
fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let is_host = !host.is_empty() && host.chars().all(|char| char.is_ascii_alphanumeric() || "-._:[]".contains(char));
    Some((host, port.parse().ok()?)).filter(|_| is_host)
}

/// Options that users of `DbgSrv`'s clients know, and what they are here: clap would read `-p n`.
const SPELLINGS: [(&str, &str); 5] =
    [("-pn", "-n"), ("-pb", "--go"), ("-pr", "--go"), ("-psn", "--service"), ("-cimp", "--implicit")];

/// Replaces what users of `DbgSrv` know by what it stands for: the options of [`SPELLINGS`], up to `--`, and `-QR` with the
/// one argument that it takes.
fn spell_out(arguments: &[OsString]) -> Vec<OsString> {
    if let [program, query, host] = arguments
        && query.eq_ignore_ascii_case("-QR")
    {
        return [program.clone(), commands::SERVERS.into(), "--".into(), host.clone()].into();
    }
    let ours = arguments.iter().take_while(|argument| *argument != "--").count();
    let (ours, debuggers) = arguments.split_at(ours);
    let spell =
        |argument: &OsString| SPELLINGS.iter().find(|(short, _)| argument == short).map(|(_, long)| long.into());
    let spelled = ours.iter().map(|argument| spell(argument).unwrap_or_else(|| argument.clone()));
    spelled.chain(debuggers.iter().cloned()).collect()
}

/// A message that may repeat an argument, such as a connection string in the wrong place or with a mistake in it.
fn without_passwords(message: String, arguments: &[OsString]) -> String {
    arguments.iter().fold(message, |message, argument| match split_before_password(&argument.to_string_lossy()) {
        Some((_, secret)) if !secret.is_empty() => message.replace(&format!("={secret}"), "=***"),
        _ => message,
    })
}

/// The error for a command line that is well-formed and still asks for something impossible.
pub(crate) fn usage(problem: impl std::fmt::Display) -> ExitError {
    ExitError::Usage(command().error(ErrorKind::ValueValidation, problem).to_string())
}

/// The whole command line's definition.
pub(crate) fn command() -> Command {
    Command::new("premote")
        .about("Lists, debugs and starts programs on a machine where dbgsrv runs")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(EXAMPLES)
        .override_usage("premote [OPTIONS] [CONNECTION] COMMAND")
        .arg_required_else_help(true)
        .arg(
            Arg::new("connection")
                .value_name("CONNECTION")
                .help("The server, such as tcp:server=box17,port=5005; the value of DBGSRV_CONNECTION where left out"),
        )
        .arg(
            Arg::new("verbose")
                .short('v')
                .help("Log to stderr: -v for debugging, -vv for everything")
                .action(ArgAction::Count)
                .global(true)
                // Behind each command's own.
                .display_order(100),
        )
        .subcommands(commands::all().map(with_connection))
}

/// A command whose usage tells where CONNECTION stands, which clap leaves out.
fn with_connection(command: Command) -> Command {
    if !commands::is_connected(command.get_name()) {
        return command;
    }
    let usage = command.clone().render_usage().to_string();
    command.override_usage(usage.replacen("Usage: ", "premote [CONNECTION] ", 1))
}

#[cfg(test)]
#[path = "cli/tests.rs"]
mod tests;
