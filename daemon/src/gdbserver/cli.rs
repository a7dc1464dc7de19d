//! gdbserver's command line (gdbserver(1), version 13).

use super::comm::Comm;
use super::serve::{Debuggee, Options};
use crate::worker::Voice;
use dbgsrv_protocol::ids::Pid;
use dbgsrv_protocol::rsp::server::{Capabilities, Capability};
use std::ffi::{OsStr, OsString};
use std::io;
use std::iter::Peekable;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

const USAGE: &str = "\
usage: gdbserver [OPTION...] COMM PROG [ARG...]
       gdbserver [OPTION...] --attach COMM PID
       gdbserver [OPTION...] --multi COMM
";

const HELP: &str = "
Lets one debugger at a time debug one program, as GDB's own gdbserver does. The same program under the name dbgsrv is a
server for many: see dbgsrv --help.

COMM is where the debugger is met: HOST:PORT, :PORT, the path of a serial device, or `-` or `stdio` for standard input
and output. A HOST that is this machine's localhost is listened on alone; otherwise everybody who reaches the port is
served, without a password.

  --attach                      debug the running process PID
  --multi                       start without a program, and end only when told to
  --once                        end when the first connection does
  --wrapper COMMAND... --       start programs through COMMAND
  --[no-]startup-with-shell     start programs through a shell, or directly; through a shell unless told otherwise
  --[no-]disable-randomization  switch address space randomization off for programs, or not; off unless told otherwise
  --disable-packet=NAME,...     do without vCont, T, Tthread, qC, qfThreadInfo or threads (all but T)
  --debug, --remote-debug, --event-loop-debug, --debug-format=..., --debug-file=...
                                log what happens, on standard error
  --help, --version             print this text, or the version
";

/// The version of gdbserver whose command line this is.
const LIKE: &str = "13.1";

/// What most builds of gdbserver say, too.
const NO_SELFTESTS: &str = "Selftests have been disabled for this build.\n";

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Request {
    /// Print this text and do nothing else.
    Print(String),
    /// Serve clients.
    Serve(Box<Options>),
}

/// Reads the arguments after the program's name. Nothing is opened or started.
///
/// # Errors
/// A text that says what is wrong.
pub(super) fn parse(arguments: impl Iterator<Item = OsString>) -> io::Result<Request> {
    let mut arguments = arguments.peekable();
    let mut options = Options {
        comm: Comm::Stdio,
        debuggee: Debuggee::None,
        multi: false,
        once: false,
        shell: true,
        disable_randomization: true,
        wrapper: Vec::new(),
        verbose: false,
        capabilities: Capabilities::ALL,
        voice: Voice::Gdbserver,
    };
    let mut attach = false;
    while let Some(option) = arguments.next_if(|argument| argument.as_bytes().starts_with(b"-") && argument != "-") {
        match option.to_str().unwrap_or_default() {
            "--help" => return Ok(Request::Print(format!("{USAGE}{HELP}"))),
            "--version" => return Ok(Request::Print(version())),
            "--attach" => attach = true,
            "--multi" => options.multi = true,
            "--once" => options.once = true,
            "--wrapper" => options.wrapper = wrapper(&mut arguments)?,
            "--startup-with-shell" => options.shell = true,
            "--no-startup-with-shell" => options.shell = false,
            "--disable-randomization" => options.disable_randomization = true,
            "--no-disable-randomization" => options.disable_randomization = false,
            "--debug" | "--remote-debug" | "--event-loop-debug" => options.verbose = true,
            "--disable-packet" => return Ok(Request::Print(PACKETS.map(|(name, _)| format!("{name}\n")).concat())),
            other => match other.split_once('=') {
                Some(("--disable-packet", names)) => options.capabilities = disable(options.capabilities, names)?,
                Some(("--debug-format" | "--debug-file", _)) => {}
                _ if other.starts_with("--selftest") => return Ok(Request::Print(NO_SELFTESTS.into())),
                _ => return Err(wrong(&format!("unknown argument: {}", option.display()))),
            },
        }
    }
    let comm = arguments.next().ok_or_else(|| wrong("COMM is missing"))?;
    options.comm = Comm::parse(&comm).map_err(io::Error::other)?;
    // It used to come after COMM.
    attach |= arguments.next_if(|argument| argument == "--attach").is_some();
    options.debuggee = debuggee(attach, arguments)?;
    if options.debuggee == Debuggee::None && !options.multi {
        return Err(wrong("PROG is missing"));
    }
    Ok(Request::Serve(Box::new(options)))
}

fn debuggee(attach: bool, mut arguments: impl Iterator<Item = OsString>) -> io::Result<Debuggee> {
    let first = arguments.next();
    if !attach {
        return Ok(first.map_or(Debuggee::None, |program| Debuggee::Program(program, arguments.collect())));
    }
    let first = first.ok_or_else(|| wrong("PID is missing"))?;
    let pid =
        process_id(&first).ok_or_else(|| wrong(&format!("PID is `{}`; it has to be a number", first.display())))?;
    match arguments.next() {
        None => Ok(Debuggee::Process(pid)),
        Some(extra) => Err(wrong(&format!("unknown argument: {}", extra.display()))),
    }
}

/// A number as C programs write it.
fn process_id(text: &OsStr) -> Option<Pid> {
    let text = text.to_str()?;
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => i32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    Pid::new(number.ok()?)
}

/// The words up to `--`.
fn wrapper(arguments: &mut Peekable<impl Iterator<Item = OsString>>) -> io::Result<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    loop {
        match arguments.next() {
            Some(end) if end == "--" && !words.is_empty() => return Ok(words),
            Some(word) if word != "--" => words.push(word.into_vec()),
            _ => return Err(wrong("--wrapper: a command and `--` have to follow")),
        }
    }
}

/// The packets that can be switched off.
const PACKETS: [(&str, &[Capability]); 6] = [
    ("vCont", &[Capability::ThreadActions]),
    ("T", &[Capability::StopDetails]),
    ("Tthread", &[Capability::StopThread]),
    ("qC", &[Capability::CurrentThread]),
    ("qfThreadInfo", &[Capability::ThreadList]),
    (
        "threads",
        &[Capability::ThreadActions, Capability::StopThread, Capability::CurrentThread, Capability::ThreadList],
    ),
];

fn disable(capabilities: Capabilities, names: &str) -> io::Result<Capabilities> {
    names.split(',').filter(|name| !name.is_empty()).try_fold(capabilities, |capabilities, name| {
        let known = PACKETS.iter().find(|(packet, _)| *packet == name);
        let (_, disabled) = known.ok_or_else(|| {
            let all = PACKETS.map(|(packet, _)| packet).join(", ");
            wrong(&format!("--disable-packet: `{name}` cannot be disabled; these can: {all}"))
        })?;
        Ok(disabled.iter().fold(capabilities, |capabilities, disabled| capabilities.without(*disabled)))
    })
}

/// Its first line has the form that the GNU programs' have: name, package in parentheses, version.
fn version() -> String {
    format!(
        "gdbserver (dbgsrv {}) {LIKE}\nIt is not GDB's own, but takes the same command line.\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn wrong(problem: &str) -> io::Error {
    io::Error::other(format!("{problem}\n{USAGE}gdbserver --help says more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> io::Result<Request> {
        parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
    }

    fn options(line: &str) -> Options {
        match parse_line(line).unwrap() {
            Request::Serve(options) => *options,
            Request::Print(text) => panic!("{line}: prints {text}"),
        }
    }

    #[test]
    fn options_end_at_comm_and_what_follows_is_the_programs() {
        let options = options("--once :1 ./app --multi -x");
        assert_eq!(options.debuggee, Debuggee::Program("./app".into(), vec!["--multi".into(), "-x".into()]));
        assert!(options.once && !options.multi && options.shell && options.disable_randomization);
    }

    #[test]
    fn stdin_may_be_a_hyphen() {
        let options = options("--once - ./app");
        assert_eq!(options.comm, Comm::Stdio);
        assert_eq!(options.debuggee, Debuggee::Program("./app".into(), vec![]));
    }

    #[test]
    fn a_process_is_named_before_or_after_comm() {
        for line in ["--attach :1 77", ":1 --attach 77", ":1 --attach 0x4d"] {
            assert_eq!(options(line).debuggee, Debuggee::Process(Pid::new(77).unwrap()), "{line}");
        }
    }

    #[test]
    fn a_wrapper_ends_at_two_hyphens() {
        let options = options("--no-startup-with-shell --wrapper env A=1 -- --no-disable-randomization :1 ./app");
        assert_eq!(options.wrapper, [b"env".to_vec(), b"A=1".to_vec()]);
        assert!(!options.shell && !options.disable_randomization);
    }

    #[test]
    fn packets_can_be_disabled_by_name() {
        let offered = options("--disable-packet=vCont,T :1 ./app").capabilities;
        assert!(!offered.has(Capability::ThreadActions) && !offered.has(Capability::StopDetails));
        assert!(offered.has(Capability::StopThread) && offered.has(Capability::ThreadList));
        let offered = options("--disable-packet=threads --multi :1").capabilities;
        assert!(offered.has(Capability::StopDetails) && !offered.has(Capability::ThreadList));
    }

    #[test]
    fn debugging_output_is_a_log() {
        for option in ["--debug", "--remote-debug", "--event-loop-debug"] {
            assert!(options(&format!("{option} --debug-format=all :1 ./app")).verbose, "{option}");
        }
        assert!(!options("--debug-file=x :1 ./app").verbose);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let cases = [
            ("", "COMM"),
            (":1", "PROG"),
            ("--attach :1", "PID"),
            ("--attach :1 self", "self"),
            ("--attach :1 0", "`0`"),
            ("--attach :1 7 8", "8"),
            ("--attach :1 -7", "-7"),
            ("--frobnicate :1 ./app", "--frobnicate"),
            ("--wrapper env :1 ./app", "--wrapper"),
            ("--wrapper -- :1 ./app", "--wrapper"),
            ("--disable-packet=g :1 ./app", "vCont, T, Tthread, qC, qfThreadInfo, threads"),
            (":port ./app", "port"),
        ];
        for (line, part) in cases {
            let error = parse_line(line).unwrap_err().to_string();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn help_and_version_need_nothing_else() {
        for (line, start) in [
            ("--help", "usage: gdbserver"),
            ("--version", "gdbserver (dbgsrv "),
            ("--once --help", "usage:"),
            ("--selftest=x", "Selftests"),
        ] {
            match parse_line(line).unwrap() {
                Request::Print(text) => assert!(text.starts_with(start), "{line}: {text}"),
                Request::Serve(options) => panic!("{line}: {options:?}"),
            }
        }
    }
}
