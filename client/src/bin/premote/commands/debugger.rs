//! `premote gdb` and `premote lldb`: the real debugger, wired through the connection.

mod target;

use super::arguments::number;
use crate::bridge;
use crate::exit::ExitError;
use crate::private_socket::PrivateSocket;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};
use dbgsrv_client::RemoteServer;
use std::ffi::OsString;
use std::future::pending;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use target::{Beginning, Target};
use tokio::process::Child;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tracing::debug;

const GDB_EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 gdb                          then: attach, run, info os processes, ...
  premote tcp:server=box17,port=5005 gdb -p 1234
  premote tcp:server=box17,port=5005 gdb -n nginx -- -q -ex bt
  premote tcp:server=box17,port=5005 gdb -pb -p 1234              attach, and let it go on: Ctrl-C breaks in
  premote tcp:server=box17,port=5005 gdb -cimp -- -ex 'break main' -ex continue
  premote tcp:server=box17,port=5005 gdb -- ./app -ex 'set remote exec-file /srv/app' -ex 'break main' -ex run
  premote tcp:server=box17,port=5005 gdb --gdb gdb-multiarch -- --batch -ex 'info os'

The exit status is gdb's. gdb reads programs and libraries from the server's machine; `set sysroot` says otherwise.";

const LLDB_EXAMPLES: &str = "\
Examples:
  premote tcp:server=box17,port=5005 lldb                         then: platform process list, process attach, ...
  premote tcp:server=box17,port=5005 lldb -p 1234
  premote tcp:server=box17,port=5005 lldb -n nginx -- --batch -o bt
  premote tcp:server=box17,port=5005 lldb -- ./app -o 'breakpoint set -n main' -o run

The server's machine is lldb's platform: a program of this machine is copied into the server's directory before it runs,
and `platform settings --working-dir DIR` names another. The exit status is lldb's.";

/// Which debugger.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Gdb,
    Lldb,
}

impl Kind {
    /// The one that the command called `name` starts.
    pub(super) fn named(name: &str) -> Self {
        if name == Self::Lldb.name() { Self::Lldb } else { Self::Gdb }
    }

    /// The command's name, which is also the debugger's.
    const fn name(self) -> &'static str {
        match self {
            Self::Gdb => "gdb",
            Self::Lldb => "lldb",
        }
    }

    /// The environment variable that names another program.
    const fn variable(self) -> &'static str {
        match self {
            Self::Gdb => "GDB",
            Self::Lldb => "LLDB",
        }
    }

    pub(super) fn command(self) -> Command {
        let (about, examples) = match self {
            Self::Gdb => ("Start gdb, connected", GDB_EXAMPLES),
            Self::Lldb => ("Start lldb, connected", LLDB_EXAMPLES),
        };
        let program = Arg::new("program").long(self.name()).value_name("PATH").value_parser(value_parser!(OsString));
        let targets = match self {
            Self::Gdb => &["pid", "name", "service", "implicit"][..],
            Self::Lldb => &["pid", "name", "service"],
        };
        let arguments = Arg::new("arguments").value_name("ARGUMENT").value_parser(value_parser!(OsString));
        Command::new(self.name())
            .about(about)
            .after_help(examples)
            .arg(
                Arg::new("pid")
                    .short('p')
                    .long("pid")
                    .value_name("PID")
                    .help("Attach to this process")
                    .value_parser(number::<u32>),
            )
            .arg(
                Arg::new("name")
                    .short('n')
                    .long("name")
                    .value_name("NAME")
                    .help("Attach to the only process of this executable, a file name or a whole path; also -pn"),
            )
            .arg(
                Arg::new("service")
                    .long("service")
                    .value_name("NAME")
                    .help("Attach to the main process of this service, a systemd unit; also -psn"),
            )
            .args((self == Self::Gdb).then(implicit))
            .group(ArgGroup::new("target").args(targets))
            .arg(
                Arg::new("go")
                    .long("go")
                    .help("Let the process go on once it is attached to, a suspended one too; also -pb, -pr")
                    .requires("target")
                    .conflicts_with_all(targets.iter().filter(|target| **target == "implicit"))
                    .action(ArgAction::SetTrue),
            )
            .arg(program.help(format!("The debugger; the value of {} where left out", self.variable())))
            .arg(arguments.help("What the debugger is given").num_args(1..).last(true))
    }

    /// The socket that the debugger is to connect to.
    fn bind(self) -> std::io::Result<PrivateSocket> {
        match self {
            Self::Gdb => PrivateSocket::bind(),
            Self::Lldb => PrivateSocket::bind_platform(),
        }
    }

    /// What connects the debugger to the socket at `address` and has it begin, ahead of the user's own arguments: its
    /// commands are then carried out in that state.
    fn connecting(self, address: &Path, beginning: &Beginning) -> Vec<OsString> {
        let connect = |command: &str| {
            let mut command = OsString::from(command);
            command.push(address);
            command
        };
        let (option, mut commands, attach, go) = match self {
            Self::Gdb => ("-ex", vec![("-ex", connect("target extended-remote "))], "attach ", "continue"),
            // The platform comes before the program is loaded, which is then one of that platform.
            Self::Lldb => {
                let select = ("-O", OsString::from("platform select remote-linux"));
                let connect = ("-O", connect("platform connect unix-abstract-connect://"));
                ("-o", vec![select, connect], "process attach --pid ", "process continue")
            }
        };
        let begin = match beginning {
            Beginning::Nothing => Vec::new(),
            Beginning::Attached { pid, goes_on: false } => vec![format!("{attach}{pid}")],
            Beginning::Attached { pid, goes_on: true } => vec![format!("{attach}{pid}"), go.to_owned()],
            Beginning::Started(words) => starting(words),
        };
        commands.extend(begin.into_iter().map(|command| (option, command.into())));
        commands.into_iter().flat_map(|(option, command)| [option.into(), command]).collect()
    }
}

/// `--implicit`
fn implicit() -> Arg {
    Arg::new("implicit")
        .long("implicit")
        .help("Start the program that the server was given with -pc, stopped at its first instruction; also -cimp")
        .action(ArgAction::SetTrue)
}

/// How gdb starts a program of the server's machine. It takes arguments as a shell does.
fn starting(words: &[String]) -> Vec<String> {
    let Some((program, arguments)) = words.split_first() else { return Vec::new() };
    let quote = |word: &String| format!("'{}'", word.replace('\'', r"'\''"));
    let arguments: Vec<_> = arguments.iter().map(quote).collect();
    vec![format!("set remote exec-file {program}"), format!("set args {}", arguments.join(" ")), "starti".to_owned()]
}

/// Which debugger is started, and how.
#[derive(Debug)]
pub(crate) struct Debugger {
    kind: Kind,
    program: OsString,
    target: Option<Target>,
    /// Whether the process goes on once it is attached to.
    goes_on: bool,
    arguments: Vec<OsString>,
}

impl Debugger {
    pub(super) fn parse(kind: Kind, matches: &ArgMatches) -> Self {
        let pid = matches.get_one("pid").copied().map(Target::Pid);
        let name = matches.get_one::<String>("name").cloned().map(Target::Name);
        let service = matches.get_one::<String>("service").cloned().map(Target::Service);
        let implicit = (kind == Kind::Gdb && matches.get_flag("implicit")).then_some(Target::Implicit);
        let program = matches.get_one::<OsString>("program").cloned();
        let program = program.or_else(|| std::env::var_os(kind.variable()).filter(|value| !value.is_empty()));
        Self {
            kind,
            program: program.unwrap_or_else(|| kind.name().into()),
            target: pid.or(name).or(service).or(implicit),
            goes_on: matches.get_flag("go"),
            arguments: matches.get_many("arguments").unwrap_or_default().cloned().collect(),
        }
    }

    /// Runs the debugger to its end, and returns its exit status.
    pub(super) async fn run(self, server: &RemoteServer) -> Result<u8, ExitError> {
        let beginning = match &self.target {
            Some(target) => target.find(server, self.goes_on).await?,
            None => Beginning::Nothing,
        };
        let socket = (self.kind.bind())
            .map_err(|error| ExitError::Failure(format!("cannot make a socket for the debugger: {error}")))?;
        let signals = Signals::new().map_err(ExitError::System)?;
        let child = tokio::process::Command::new(&self.program)
            .args(self.kind.connecting(socket.address(), &beginning))
            .args(&self.arguments)
            .spawn()
            .map_err(|error| ExitError::Failure(self.cannot_start(&error)))?;
        let status = serve(server, &socket, child, signals, self.kind.name()).await?;
        Ok(exit_code(status))
    }

    fn cannot_start(&self, error: &std::io::Error) -> String {
        let (program, option, variable) = (self.program.display(), self.kind.name(), self.kind.variable());
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!(
                    "there is no program `{program}` here; install it, or name another with --{option} or {variable}"
                )
            }
            _ => format!("cannot start `{program}`: {error}"),
        }
    }
}

/// The signals that the terminal and the system send to premote.
struct Signals {
    /// Not for premote: the terminal belongs to the debugger. They are caught rather than ignored, since a program that is
    /// started inherits what is ignored.
    _terminal: [Signal; 2],
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            _terminal: [signal(SignalKind::interrupt())?, signal(SignalKind::quit())?],
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// Makes each connection to the socket a debug session, until the debugger has ended.
async fn serve(
    server: &RemoteServer,
    socket: &PrivateSocket,
    mut debugger: Child,
    mut signals: Signals,
    name: &str,
) -> Result<ExitStatus, ExitError> {
    let mut sessions = JoinSet::new();
    let mut lost = std::pin::pin!(tell_when_lost(server));
    loop {
        tokio::select! {
            status = debugger.wait() => return status.map_err(ExitError::System),
            stream = socket.accept() => {
                let (from_debugger, to_debugger) = stream.into_split();
                sessions.spawn(bridge::serve(server.clone(), label(name), from_debugger, to_debugger));
            }
            Some(_) = sessions.join_next() => (),
            () = &mut lost => (),
            _ = signals.terminate.recv() => end(&mut debugger),
            _ = signals.hang_up.recv() => end(&mut debugger),
        }
    }
}

/// Tells the user when the server is gone, and never ends: the debugger shows what it still knows.
async fn tell_when_lost(server: &RemoteServer) {
    let closed = server.closed().await;
    eprintln!("premote: the session with the server is over: {}", closed.text);
    pending::<()>().await;
}

/// Ends the debugger because premote is to end; it detaches and goes, as when its terminal goes.
fn end(debugger: &mut Child) {
    let Some(pid) = debugger.id() else { return };
    debug!(pid, "ending the debugger");
    // It fails when the debugger has ended by itself, which is what is wanted.
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGHUP);
}

/// What others see in the list of sessions: `gdb of alice`.
pub(crate) fn label(command: &str) -> String {
    match std::env::var("USER").or_else(|_| std::env::var("LOGNAME")) {
        Ok(user) if !user.is_empty() => format!("{command} of {user}"),
        _ => command.to_owned(),
    }
}

/// The debugger's status as a shell would tell it.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(crate::exit::FAILURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(kind: Kind, line: &str) -> Debugger {
        Debugger::parse(kind, &kind.command().get_matches_from(line.split(' ')))
    }

    fn connecting(kind: Kind, beginning: &Beginning) -> Vec<OsString> {
        kind.connecting(Path::new("/run/premote-1/rsp"), beginning)
    }

    #[test]
    fn a_debugger_is_connected_and_attached_before_it_does_what_the_user_says() {
        let gdb = ["-ex", "target extended-remote /run/premote-1/rsp", "-ex", "attach 7"];
        let stays = Beginning::Attached { pid: 7, goes_on: false };
        assert_eq!(connecting(Kind::Gdb, &stays), gdb);
        assert_eq!(connecting(Kind::Gdb, &Beginning::Nothing), gdb[..2]);
        let lldb = Kind::Lldb.connecting(Path::new("premote-1"), &stays);
        let platform =
            ["-O", "platform select remote-linux", "-O", "platform connect unix-abstract-connect://premote-1"];
        assert_eq!(lldb[..4], platform);
        assert_eq!(lldb[4..], ["-o", "process attach --pid 7"]);
    }

    #[test]
    fn what_goes_on_is_continued_once_it_is_attached_to() {
        let goes_on = Beginning::Attached { pid: 7, goes_on: true };
        assert_eq!(connecting(Kind::Gdb, &goes_on)[2..], ["-ex", "attach 7", "-ex", "continue"]);
        assert_eq!(connecting(Kind::Lldb, &goes_on)[4..], ["-o", "process attach --pid 7", "-o", "process continue"]);
    }

    #[test]
    fn a_program_is_started_with_its_arguments_as_they_are() {
        let words = ["/srv/app", "a b", "it's", ""].map(ToString::to_string);
        let commands = ["-ex", "set remote exec-file /srv/app", "-ex", r"set args 'a b' 'it'\''s' ''", "-ex", "starti"];
        assert_eq!(connecting(Kind::Gdb, &Beginning::Started(words.into()))[2..], commands);
    }

    #[test]
    fn what_follows_two_dashes_is_the_debuggers() {
        let debugger = parse(Kind::Gdb, "gdb -p 7 --gdb /opt/gdb -- -p 8 --args app -- --help");
        assert_eq!(debugger.target, Some(Target::Pid(7)));
        assert_eq!(debugger.program, "/opt/gdb");
        assert_eq!(debugger.arguments, ["-p", "8", "--args", "app", "--", "--help"]);
    }

    #[test]
    fn a_debugger_without_options_is_the_one_in_the_path() {
        let debugger = parse(Kind::Lldb, "lldb -n nginx");
        assert_eq!(debugger.target, Some(Target::Name("nginx".into())));
        assert_eq!((debugger.program, debugger.kind), ("lldb".into(), Kind::Lldb));
    }

    #[test]
    fn a_debugger_that_a_signal_ends_gives_the_status_that_a_shell_would() {
        assert_eq!(exit_code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(exit_code(ExitStatus::from_raw(9)), 137);
    }
}
