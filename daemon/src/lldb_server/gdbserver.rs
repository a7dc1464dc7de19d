//! `lldb-server gdbserver`: one session with one client.

use super::words::{Word, Words};
use super::{Failure, Request, Subcommand, place};
use crate::gdbserver::comm::Comm;
use crate::gdbserver::entrance::Entrance;
use crate::gdbserver::serve::{Debuggee, Options, serve};
use crate::worker::{Voice, inherited, say};
use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::rsp::server::Capabilities;
use nix::fcntl::OFlag;
use nix::libc::ENXIO;
use nix::unistd::{dup2_stderr, setsid};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SUBCOMMAND: Subcommand = Subcommand {
    name: "g[dbserver]",
    help: "\
USAGE: lldb-server g[dbserver] [options] [[HOST]:PORT | URL] [[--] PROGRAM ARG...]

Serves one debugger, which is met at HOST:PORT, then ends. An empty HOST is localhost, `*` all of this machine's addresses.
URL can have the schemes tcp, listen, connect, unix, unix-accept, unix-connect, unix-abstract, unix-abstract-accept,
unix-abstract-connect, serial, file and fd.

  --fd FD               the debugger is connected already, at this descriptor
  --reverse-connect     connect to the debugger, which listens
  --named-pipe NAME     write the port to this named pipe
  --pipe FD             write the port to this descriptor
  --attach PID          debug a process that runs
  --setsid, -S          run in a session of its own
  --log-file FILE       log to FILE instead of standard error
  --log-channels LIST   log what happens
  --native-regs         nothing
  --help, -h            print this text
",
};

/// How long whoever is to be told the port may take to open the pipe.
const READER_PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked for meanwhile.
const READER_INTERVAL: Duration = Duration::from_millis(20);

/// What the command line asks for.
#[derive(Debug)]
struct Serve {
    options: Options,
    /// Where the client is met, as it was given.
    place: String,
    named_pipe: Option<PathBuf>,
    pipe: Option<RawFd>,
    log_file: Option<PathBuf>,
    setsid: bool,
}

/// Serves one client.
///
/// # Errors
/// [`Failure`].
pub(super) fn run(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let Some(request) = SUBCOMMAND.understood(parse(arguments))? else { return Ok(()) };
    // Inherited descriptors first: others must not get their numbers.
    let pipe = request.pipe.map(inherited).transpose()?;
    let entrance = Entrance::take(&request.options.comm)
        .map_err(|error| Failure::Client { place: request.place.clone(), reason: error.to_string() })?;
    if request.setsid
        && let Err(errno) = setsid()
    {
        say(&format!("warning: failed to set new session id for lldb-server ({errno})"));
    }
    if let Some(name) = entrance.name()? {
        tell(&name, pipe, request.named_pipe.as_deref());
    }
    if let Some(path) = &request.log_file {
        redirect_log(path)?;
    }
    serve(&request.options, entrance)?;
    say("lldb-server exiting...");
    Ok(())
}

/// Says where the client has to come, to whoever started this and wants to know. That it can't be said is no reason to end.
fn tell(name: &[u8], pipe: Option<OwnedFd>, named_pipe: Option<&Path>) {
    // As a string of C.
    let text = [name, b"\0"].concat();
    let told = match (named_pipe, pipe) {
        (Some(path), _) => tell_named(path, &text).map_err(|error| format!("named pipe '{}': {error}", path.display())),
        (None, Some(pipe)) => File::from(pipe).write_all(&text).map_err(|error| format!("unnamed pipe: {error}")),
        (None, None) => Ok(()),
    };
    if let Err(problem) = told {
        say(&format!("failed to write to the {problem}"));
    }
}

fn tell_named(path: &Path, text: &[u8]) -> io::Result<()> {
    let deadline = Instant::now() + READER_PATIENCE;
    loop {
        match OpenOptions::new().write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path) {
            // Nobody reads yet: fifo(7).
            Err(error) if error.raw_os_error() == Some(ENXIO) && Instant::now() < deadline => sleep(READER_INTERVAL),
            opened => return opened?.write_all(text),
        }
    }
}

/// Has what is logged end up in a file, which may have lines already.
///
/// # Errors
/// What open(2) says, with the file.
pub(super) fn redirect_log(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    let file = file.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    Ok(dup2_stderr(file)?)
}

fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Request<Serve>, String> {
    let mut words = Words::new(arguments);
    let mut inputs = Vec::new();
    let (mut fd, mut call, mut attach, mut verbose) = (None, false, None, false);
    let (mut named_pipe, mut pipe, mut log_file, mut setsid) = (None, None, None, false);
    while let Some(word) = words.next()? {
        let name = match word {
            Word::Input(input) => {
                inputs.push(input);
                continue;
            }
            Word::Option(name) => name,
        };
        match name.as_str() {
            "fd" => fd = Some(place::descriptor(&words.value(&name)?).map_err(|problem| format!("--fd: {problem}"))?),
            "pipe" => {
                pipe = Some(place::descriptor(&words.value(&name)?).map_err(|problem| format!("--pipe: {problem}"))?);
            }
            "named-pipe" => named_pipe = Some(words.value(&name)?.into()),
            "reverse-connect" => call = true,
            "attach" => attach = Some(words.value(&name)?),
            "log-file" => log_file = Some(words.value(&name)?).filter(|file| !file.is_empty()).map(PathBuf::from),
            "log-channels" => verbose = !words.value(&name)?.is_empty(),
            "setsid" | "S" => setsid = true,
            "native-regs" => {}
            "help" | "h" => return Ok(Request::Help),
            _ => return Err(format!("unknown argument '--{name}'")),
        }
    }
    let mut inputs = inputs.into_iter();
    let (comm, place) = match (fd, inputs.next()) {
        (Some(fd), _) if pipe == Some(fd) => {
            return Err(format!("--fd and --pipe are both `{fd}`; they have to differ"));
        }
        (Some(fd), _) => (Comm::Descriptor(fd), format!("fd://{fd}")),
        (None, Some(place)) => (place::parse(&place, call)?, place.display().to_string()),
        (None, None) => return Err("no connection arguments".into()),
    };
    let debuggee = debuggee(attach, inputs)?;
    let options = Options {
        comm,
        debuggee,
        multi: true,
        once: true,
        shell: false,
        disable_randomization: true,
        wrapper: Vec::new(),
        verbose,
        capabilities: Capabilities::ALL,
        voice: Voice::LldbServer,
    };
    Ok(Request::Serve(Serve { options, place, named_pipe, pipe, log_file, setsid }))
}

fn debuggee(attach: Option<OsString>, mut program: impl Iterator<Item = OsString>) -> Result<Debuggee, String> {
    match (attach, program.next()) {
        (Some(pid), _) => {
            let text = pid.to_string_lossy();
            let pid = text.parse().ok().and_then(Pid::new);
            pid.map(Debuggee::Process).ok_or_else(|| format!("--attach is `{text}`; it has to be the id of a process"))
        }
        (None, Some(name)) => Ok(Debuggee::Program(name, program.collect())),
        (None, None) => Ok(Debuggee::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gdbserver::comm::Family;

    fn parse_line(line: &str) -> Result<Request<Serve>, String> {
        parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
    }

    fn serving(line: &str) -> Serve {
        match parse_line(line).unwrap() {
            Request::Serve(serve) => serve,
            Request::Help => panic!("{line}: help"),
        }
    }

    #[test]
    fn lldbs_own_way_to_start_it_is_understood() {
        let request = serving("--fd=7 --native-regs --setsid");
        assert_eq!(request.options.comm, Comm::Descriptor(7));
        assert_eq!(request.options.debuggee, Debuggee::None);
        assert!(request.setsid && request.options.once && !request.options.shell);
        let request = serving("--reverse-connect [127.0.0.1]:99");
        assert_eq!(request.options.comm, Comm::CallTcp { host: "127.0.0.1".into(), port: 99 });
    }

    #[test]
    fn options_may_follow_the_place_and_a_program_what_ends_them() {
        let request = serving("localhost:0 --named-pipe p --pipe 8 -- ./app --fd 3");
        assert_eq!(request.options.comm, Comm::Tcp { host: "localhost".into(), port: 0, family: Family::Any });
        assert_eq!(request.options.debuggee, Debuggee::Program("./app".into(), vec!["--fd".into(), "3".into()]));
        assert_eq!((request.named_pipe, request.pipe), (Some("p".into()), Some(8)));
    }

    #[test]
    fn a_process_is_named_by_its_id() {
        assert_eq!(serving("--attach=77 :0").options.debuggee, Debuggee::Process(Pid::new(77).unwrap()));
    }

    #[test]
    fn channels_make_a_log_and_a_file_takes_it() {
        assert!(!serving(":0 --log-file f").options.verbose);
        let request = serving(":0 --log-file=f --log-channels=gdb-remote:posix");
        assert!(request.options.verbose);
        assert_eq!(request.log_file, Some("f".into()));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let cases = [
            ("", "no connection arguments"),
            ("--nope", "'--nope'"),
            ("--fd", "--fd: missing argument"),
            ("--fd=x", "--fd: the descriptor is `x`"),
            ("--fd=7 --pipe=7", "`7`"),
            ("--pipe x :0", "--pipe: the descriptor is `x`"),
            ("--attach self :0", "`self`"),
            ("udp://a:1", "`udp`"),
            (":70000", "65535"),
        ];
        for (line, part) in cases {
            let error = parse_line(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
