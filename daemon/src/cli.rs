//! The command line.

mod words;

use crate::exit::ExitError;
use crate::telemetry::{LogFormat, LogOptions, verbose_filter};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use dbgsrv_protocol::options::{ServerOptions, split_before_password};
use std::ffi::OsString;
use tracing_subscriber::filter::Targets;
use words::{Create, Words};

const USAGE: &str = "dbgsrv [OPTIONS] -t <TRANSPORT>... [[-sifeo <EXECUTABLE>] -c[s] <PROGRAM> [ARGUMENT]...] \
[-x | -pc <PROGRAM> [ARGUMENT]...]";

const EXAMPLES: &str = "\
Programs, behind all other options:
  -c, --create <PROGRAM> [ARGUMENT]...
          Start a program, not debugged, and print its process id; all that follows is its command line,
          up to a -x or -pc that is a word of its own
  -cs, --create-suspended <PROGRAM> [ARGUMENT]...
          The same, and leave it stopped before its first instruction
  -x, --ignore-rest
          Ignore the rest of the command line
  -pc, --pending-create <PROGRAM> [ARGUMENT]...
          Keep the rest of the command line for clients that ask for it: premote CONNECTION gdb -cimp

Examples:
  dbgsrv -t tcp:port=5005          serve this machine's clients on port 5005
  dbgsrv -t tcp:port=51:60         on the first free port from 51 to 60
  dbgsrv -t tcp:port=0             on any free port; the first line printed says which
  gdb -ex 'target extended-remote localhost:5005' ./app
  dbgsrv -t npipe:pipe=app         serve this user and root on a named pipe
  gdb -ex 'target extended-remote /run/user/1000/dbgsrv/pipes/app' ./app
  dbgsrv -t tcp:port=5005,password-file=PATH
                                   serve everybody who knows the password in the file's first line
  premote tcp:server=HOST,port=5005 gdb -- ./app
  dbgsrv -t tcp:port=5005,clicon=HOST
                                   call a client that waits: premote tcp:clicon=THIS-MACHINE,port=5005 gdb -- ./app
  dbgsrv -t tcp:port=5005 -cs ./app --port 80
                                   start a program that waits for a debugger: premote CONNECTION gdb -pb -p PID

RUST_LOG=LEVEL or RUST_LOG=MODULE=LEVEL,... sets what is logged where -v is not given.";

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// Print this text and do nothing else.
    Print(String),
    /// Serve clients.
    Serve(Box<ServeOptions>),
}

/// How to serve clients.
#[derive(Debug)]
pub struct ServeOptions {
    /// What to listen on: at least one.
    pub transports: Vec<ServerOptions>,
    /// What to log.
    pub log: LogOptions,
    /// What to start once the server listens.
    pub create: Option<Creation>,
    /// The program, and its arguments, that clients may start without naming it; empty: none.
    pub implicit_command_line: Vec<String>,
}

impl ServeOptions {
    /// To serve, and start nothing.
    #[must_use]
    pub const fn new(transports: Vec<ServerOptions>, log: LogOptions) -> Self {
        Self { transports, log, create: None, implicit_command_line: Vec::new() }
    }
}

/// A program to start that nobody debugs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Creation {
    /// The program and its arguments; never empty.
    pub words: Vec<OsString>,
    /// Whether it stays stopped before its first instruction.
    pub suspended: bool,
    /// The file name of a program that links to this server stand in for, earlier in `PATH`: they are looked past.
    pub past_links: Option<OsString>,
}

/// Reads a command line, the program's name included, and the value of `RUST_LOG`. Nothing is opened or started.
///
/// # Errors
/// [`ExitError::Usage`] with a text that names what is wrong and what is allowed.
pub fn parse(arguments: impl Iterator<Item = OsString>, rust_log: Option<&str>) -> Result<Request, ExitError> {
    let arguments: Vec<_> = arguments.collect();
    let words = words::split(arguments.clone()).map_err(usage)?;
    let matches = match command().try_get_matches_from(&words.options) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Request::Print(error.to_string()));
        }
        Err(error) => return Err(ExitError::Usage(without_passwords(error.to_string(), &arguments))),
    };
    let transports = matches
        .get_many::<String>("transport")
        .unwrap_or_default()
        // Not one of clap's value parsers: its messages repeat the whole string, a password included.
        .map(|text| text.parse().map_err(|error| usage(format_args!("-t: {error}"))))
        .collect::<Result<_, _>>()?;
    let log = log_options(&matches, rust_log)?;
    let past_links = matches.get_one::<OsString>("suspend-ifeo").cloned();
    let Words { create, implicit: implicit_command_line, .. } = words;
    let create = creation(create, past_links)?;
    Ok(Request::Serve(Box::new(ServeOptions { transports, log, create, implicit_command_line })))
}

fn creation(
    create: Option<(Create, Vec<OsString>)>,
    past_links: Option<OsString>,
) -> Result<Option<Creation>, ExitError> {
    if let Some(executable) = &past_links {
        let shown = executable.display();
        if executable.is_empty() || executable.as_encoded_bytes().contains(&b'/') {
            return Err(usage(format_args!(
                "-sifeo: `{shown}` is not the file name of a program; allowed: such as app"
            )));
        }
        if create.is_none() {
            return Err(usage(format_args!("-sifeo {shown}: no -c follows; allowed: -sifeo {shown} -c {shown}")));
        }
    }
    let of = |(create, words)| Creation { words, suspended: create == Create::Suspended, past_links };
    Ok(create.map(of))
}

/// A message that may repeat an argument, such as a connection string without its `-t`.
fn without_passwords(message: String, arguments: &[OsString]) -> String {
    arguments.iter().fold(message, |message, argument| match split_before_password(&argument.to_string_lossy()) {
        Some((_, secret)) if !secret.is_empty() => message.replace(&format!("={secret}"), "=***"),
        _ => message,
    })
}

/// The error for a command line that is well-formed and still asks for something impossible.
#[must_use]
pub fn usage(problem: impl std::fmt::Display) -> ExitError {
    ExitError::Usage(command().error(ErrorKind::ValueValidation, problem).to_string())
}

fn log_options(matches: &ArgMatches, rust_log: Option<&str>) -> Result<LogOptions, ExitError> {
    let format =
        matches.get_one::<String>("log-format").and_then(|name| LogFormat::from_name(name)).unwrap_or_default();
    let filter = match (matches.get_count("verbose"), rust_log) {
        (0, Some(text)) if !text.is_empty() => text.parse::<Targets>().map_err(|error| {
            usage(format_args!("RUST_LOG is `{text}`: {error}; allowed: LEVEL or MODULE=LEVEL, separated by commas"))
        })?,
        (count, _) => verbose_filter(count),
    };
    Ok(LogOptions { format, filter })
}

fn command() -> Command {
    Command::new("dbgsrv")
        .about(
            "A process server: GDB and other debuggers start, attach to and debug this machine's programs through it",
        )
        .version(env!("CARGO_PKG_VERSION"))
        .override_usage(USAGE)
        .after_help(EXAMPLES)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(
            Arg::new("transport")
                .short('t')
                .long("transport")
                .value_name("TRANSPORT")
                .help("What to listen on, such as tcp:port=5005, or whom to call; may be repeated")
                .required(true)
                .action(ArgAction::Append),
        )
        .arg(
            Arg::new("verbose")
                .short('v')
                .help("Log more: -v for debugging, -vv for everything")
                .action(ArgAction::Count),
        )
        .arg(
            Arg::new("log-format")
                .long("log-format")
                .value_name("FORMAT")
                .help("How to log")
                .value_parser([LogFormat::Text.name(), LogFormat::Json.name()])
                .default_value(LogFormat::default().name()),
        )
        .arg(
            Arg::new("suspend-ifeo")
                .long("suspend-ifeo")
                .value_name("EXECUTABLE")
                .help("With -c: look past links of this name that lead to dbgsrv itself; also -sifeo")
                .value_parser(value_parser!(OsString)),
        )
        .arg(Arg::new("help").short('?').long("help").help("Print this text").action(ArgAction::Help))
        .arg(Arg::new("version").long("version").help("Print the version").action(ArgAction::Version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str, rust_log: Option<&str>) -> Result<Request, ExitError> {
        parse(line.split(' ').map(OsString::from), rust_log)
    }

    fn serve(line: &str, rust_log: Option<&str>) -> ServeOptions {
        match parse_line(line, rust_log).unwrap() {
            Request::Serve(options) => *options,
            Request::Print(text) => panic!("prints {text}"),
        }
    }

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn transports_are_kept_in_order() {
        let options = serve("dbgsrv -t tcp:port=1 -v -t TCP:port=2", None);
        let texts: Vec<_> = options.transports.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["tcp:port=1", "tcp:port=2"]);
    }

    #[test]
    fn errors_name_the_option_what_was_given_and_what_is_allowed() {
        let cases = [
            ("dbgsrv", &["-t", "<TRANSPORT>", "required"] as &[_]),
            ("dbgsrv -t", &["-t", "<TRANSPORT>", "value is required"]),
            ("dbgsrv -t tcp:port=70000", &["-t", "port", "70000", "65535"]),
            ("dbgsrv -t sctp:port=1", &["-t", "sctp", "tcp"]),
            ("dbgsrv -t tcp:port=1 --log-format xml", &["--log-format", "xml", "text, json"]),
            ("dbgsrv -T tcp:port=1", &["-T"]),
            ("dbgsrv -t tcp:port=1 extra", &["extra"]),
            ("dbgsrv -t tcp:port=1 -pc", &["-pc", "no program follows"]),
            ("dbgsrv -t tcp:port=1 -c", &["-c", "no program follows"]),
            ("dbgsrv -c app", &["--transport <TRANSPORT>", "required"]),
            ("dbgsrv -t tcp:port=1 -sifeo app", &["-sifeo app", "-c"]),
            ("dbgsrv -t tcp:port=1 -sifeo bin/app -c app", &["-sifeo", "bin/app", "file name"]),
            ("dbgsrv -t tcp:port=1 -C app", &["-C"]),
            ("dbgsrv -t tcp:port=1 --log-format=text --log-format=json", &["--log-format"]),
        ];
        for (line, parts) in cases {
            let error = parse_line(line, None).unwrap_err();
            assert_eq!(error.status(), 2, "{line}");
            for part in parts {
                assert!(error.to_string().contains(part), "{line}: {error}");
            }
        }
    }

    #[test]
    fn no_message_repeats_a_password() {
        for line in [
            "dbgsrv -t tcp:port=x,password=Secret1",
            "dbgsrv -t tcp:port=1;password=Secret1",
            "dbgsrv -t tcp:port=1,password=Secret0,Secret1",
            "dbgsrv -t tcp:password=Secret1",
            "dbgsrv -t npipe:password=Secret1",
            "dbgsrv -t password=Secret1",
            "dbgsrv tcp:port=1,Password=Secret1",
            "dbgsrv -t tcp:port=1 password=Secret1",
            "dbgsrv -t tcp:port=1 --log-format=password=Secret1",
            "dbgsrv -t tcp:port=1 --password=Secret1",
            "dbgsrv -t tcp:port=1 -password=Secret1",
        ] {
            let error = parse_line(line, None).unwrap_err();
            assert!(!error.to_string().contains("Secret1"), "{line}: {error}");
        }
    }

    #[test]
    fn help_and_version_are_printed_and_nothing_is_required_for_them() {
        for (line, part) in
            [("dbgsrv -?", "-t <TRANSPORT>"), ("dbgsrv --help", "Examples:"), ("dbgsrv --version", "dbgsrv 0.")]
        {
            match parse_line(line, None).unwrap() {
                Request::Print(text) => assert!(text.contains(part), "{line}: {text}"),
                Request::Serve(options) => panic!("{line}: serves {options:?}"),
            }
        }
    }

    #[test]
    fn a_program_is_started_with_all_that_follows_and_clients_get_the_rest() {
        let options = serve("dbgsrv --transport tcp:port=1 -sifeo app -cs app -t x -v -pc other -c", None);
        let create = options.create.unwrap();
        assert_eq!((create.words, create.suspended), (vec!["app".into(), "-t".into(), "x".into(), "-v".into()], true));
        assert_eq!(create.past_links.unwrap(), "app");
        assert_eq!((options.transports.len(), options.implicit_command_line.join(" ").as_str()), (1, "other -c"));
    }

    #[test]
    fn the_environment_says_what_to_log_unless_the_command_line_does() {
        let transport = "dbgsrv -t tcp:port=1";
        assert_eq!(serve(transport, None).log.filter, verbose_filter(0));
        assert_eq!(serve(transport, Some("")).log.filter, verbose_filter(0));
        assert_eq!(serve(transport, Some("warn")).log.filter, "warn".parse().unwrap());
        assert_eq!(serve(&format!("{transport} -vv"), Some("warn")).log.filter, verbose_filter(2));
    }

    #[test]
    fn an_environment_that_is_no_filter_is_an_error_that_names_it() {
        let error = parse_line("dbgsrv -t tcp:port=1", Some("dbgsrv=loud")).unwrap_err();
        assert!(error.to_string().contains("RUST_LOG is `dbgsrv=loud`"), "{error}");
        assert_eq!(error.status(), 2);
    }
}
