//! `lldb-server platform`: this program's own server. LLDB's debuggers come in at the same port as its platform.

use super::gdbserver::redirect_log;
use super::words::{Word, Words};
use super::{Failure, Request, Subcommand, place};
use crate::app;
use crate::cli::ServeOptions;
use crate::exit::ExitError;
use crate::gdbserver::comm::Comm;
use crate::serving::Bound;
use crate::telemetry::{LogFormat, LogOptions, verbose_filter};
use dbgsrv_protocol::options::ServerOptions;
use dbgsrv_transports::{Listener, Passed};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use tracing_subscriber::filter::{LevelFilter, Targets};

const SUBCOMMAND: Subcommand = Subcommand {
    name: "p[latform]",
    help: "\
USAGE: lldb-server p[latform] --listen [HOST]:PORT [options]

Serves the platform commands of LLDB, and the debuggers that it starts, at one port. An empty HOST is localhost, `*` all of
this machine's addresses.

  --listen [HOST]:PORT        where to listen; tcp://[HOST]:PORT is the same
  --server                    serve on when the first client has left
  --socket-file FILE          write the port to FILE
  --gdbserver-port PORT, --min-gdbserver-port PORT, --max-gdbserver-port PORT
                              nothing: debuggers come to the port of --listen
  --log-file FILE             log to FILE instead of standard error
  --log-channels LIST         log what happens
  --debug, --verbose          nothing
  --help, -h                  print this text
",
};

/// The ports that lldb-server lets its options name.
const PORTS: RangeInclusive<u16> = 1024..=49151;

/// What the command line asks for.
#[derive(Debug)]
struct Serve {
    place: String,
    comm: Comm,
    /// Go on when the first client has left.
    server: bool,
    socket_file: Option<PathBuf>,
    log_file: Option<PathBuf>,
    verbose: bool,
}

/// Serves clients.
///
/// # Errors
/// [`Failure`].
pub(super) fn run(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let Some(request) = SUBCOMMAND.understood(parse(arguments))? else { return Ok(()) };
    let no_way = |reason: String| Failure::Client { place: request.place.clone(), reason };
    let transport = transport(&request.comm).map_err(no_way)?;
    let level = Targets::new().with_default(LevelFilter::WARN);
    let filter = if request.verbose { verbose_filter(2) } else { level };
    let options = ServeOptions::new(vec![transport], LogOptions { format: LogFormat::Text, filter });
    let ends = if request.server { app::Ends::WhenTold } else { app::Ends::WithItsLastSession };
    let served = app::serve(options, Passed::default(), ends, |bound| {
        request.socket_file.as_deref().map_or(Ok(()), |file| write_port(file, bound))?;
        Ok(request.log_file.as_deref().map_or(Ok(()), redirect_log)?)
    });
    match served {
        Err(ExitError::Bind(error)) => Err(no_way(error.to_string())),
        served => Ok(served?),
    }
}

/// The connection string of a place to listen at. It is hidden: who starts lldb-server knows where, and has nobody told.
fn transport(comm: &Comm) -> Result<ServerOptions, String> {
    let Comm::Tcp { host, port, .. } = comm else { return Err("not a port of TCP; it has to be [HOST]:PORT".into()) };
    let text = match host.as_str() {
        // Its clients may run shell commands, as lldb-server's may.
        "" => format!("tcp:port={port},hidden,open,shell"),
        host => {
            let mut addresses = (host, 0).to_socket_addrs().map_err(|error| error.to_string())?.map(|found| found.ip());
            let first = addresses.next().ok_or("no such address")?;
            // `localhost` may be both; clients that name no address try this one too.
            let address = addresses.find(|_| first.is_ipv6()).filter(IpAddr::is_ipv4).unwrap_or(first);
            let open = if address.is_loopback() { "" } else { ",open" };
            format!("tcp:port={port},bind={address},hidden{open},shell")
        }
    };
    text.parse().map_err(|error| format!("{error}"))
}

/// Writes the port to a file, which whoever waits for it never sees without.
fn write_port(file: &Path, bound: &[Bound]) -> io::Result<()> {
    let [Bound { listener: Listener::Tcp(listener), .. }] = bound else { return Ok(()) };
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let written = fs::write(&beside, listener.port().to_string()).and_then(|()| fs::rename(&beside, file));
    written.map_err(|error| {
        io::Error::new(error.kind(), format!("failed to write socket id to {}: {error}", file.display()))
    })
}

fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Request<Serve>, String> {
    let mut words = Words::new(arguments);
    let (mut listen, mut server, mut socket_file, mut log_file, mut verbose) = (None, false, None, None, false);
    let (mut lowest, mut highest) = (None, None);
    while let Some(word) = words.next()? {
        let name = match word {
            Word::Input(input) => {
                let program = input.display();
                return Err(format!("unknown argument `{program}`; to debug a program, start it through LLDB"));
            }
            Word::Option(name) => name,
        };
        match name.as_str() {
            "listen" | "L" => listen = Some(words.value(&name)?),
            "server" => server = true,
            "socket-file" | "f" => socket_file = Some(words.value(&name)?.into()),
            "gdbserver-port" | "P" => drop(port(&name, &words.value(&name)?)?),
            "min-gdbserver-port" | "m" => lowest = Some(port(&name, &words.value(&name)?)?),
            "max-gdbserver-port" | "M" => highest = Some(port(&name, &words.value(&name)?)?),
            "log-file" | "l" => log_file = Some(words.value(&name)?).filter(|file| !file.is_empty()).map(PathBuf::from),
            "log-channels" | "c" => verbose = !words.value(&name)?.is_empty(),
            "debug" | "verbose" => {}
            "help" | "h" => return Ok(Request::Help),
            _ => return Err(format!("unknown argument '--{name}'")),
        }
    }
    match (lowest, highest) {
        (None, None) => {}
        (Some(lowest), Some(highest)) if lowest < highest => {}
        (lowest, highest) => {
            let [lowest, highest] =
                [lowest, highest].map(|port| port.map_or_else(|| "missing".into(), |port| port.to_string()));
            return Err(format!("--min-gdbserver-port ({lowest}) is not lower than --max-gdbserver-port ({highest})"));
        }
    }
    let listen = listen.ok_or("--listen is missing")?;
    let comm = place::parse(&listen, false)?;
    let place = listen.display().to_string();
    Ok(Request::Serve(Serve { place, comm, server, socket_file, log_file, verbose }))
}

/// A port that debuggers would be told to come to.
fn port(name: &str, text: &OsStr) -> Result<u16, String> {
    let text = text.to_string_lossy();
    let port = text.parse().ok().filter(|port| PORTS.contains(port));
    port.ok_or_else(|| format!("--{name} is `{text}`; it can be {} to {}", PORTS.start(), PORTS.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Request<Serve>, String> {
        parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
    }

    fn serving(line: &str) -> Serve {
        match parse_line(line).unwrap() {
            Request::Serve(serve) => serve,
            Request::Help => panic!("{line}: help"),
        }
    }

    fn transport_of(line: &str) -> Result<String, String> {
        transport(&serving(line).comm).map(|options| options.to_string())
    }

    #[test]
    fn it_listens_where_it_is_told_and_serves_others_only_beyond_loopback() {
        let cases = [
            ("--listen *:0", "tcp:port=0,hidden,open,shell"),
            ("--listen=:1234 --server", "tcp:port=1234,bind=127.0.0.1,hidden,shell"),
            ("--listen tcp://127.0.0.1:1234", "tcp:port=1234,bind=127.0.0.1,hidden,shell"),
            ("--listen [::1]:0", "tcp:port=0,bind=::1,hidden,shell"),
            ("--listen 192.0.2.7:0", "tcp:port=0,bind=192.0.2.7,hidden,open,shell"),
        ];
        for (line, transport) in cases {
            let (expected, given) = (transport.parse::<ServerOptions>().unwrap(), transport_of(line).unwrap());
            assert_eq!(given, expected.to_string(), "{line}");
        }
    }

    #[test]
    fn what_is_no_port_is_refused() {
        for line in ["--listen unix:///run/a", "--listen unix-abstract://a", "--listen connect://a:1"] {
            assert!(transport_of(line).unwrap_err().contains("[HOST]:PORT"), "{line}");
        }
    }

    #[test]
    fn the_options_of_lldb_server_are_understood() {
        let line = "--listen :0 --server --socket-file f --min-gdbserver-port 5000 --max-gdbserver-port 5010 -P 6000 \
                    --log-file l --log-channels gdb-remote --debug --verbose";
        let request = serving(line);
        assert!(request.server && request.verbose);
        assert_eq!((request.socket_file, request.log_file), (Some("f".into()), Some("l".into())));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let cases = [
            ("", "--listen is missing"),
            ("--nope", "'--nope'"),
            ("--listen :x", "65535"),
            ("--listen :0 --min-gdbserver-port 80 --max-gdbserver-port 5000", "1024 to 49151"),
            ("--listen :0 --min-gdbserver-port 5000 --max-gdbserver-port 4000", "(5000) is not lower than"),
            ("--listen :0 --max-gdbserver-port 4000", "(missing)"),
            ("--listen :0 -- ./app", "`./app`"),
        ];
        for (line, part) in cases {
            let error = parse_line(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
